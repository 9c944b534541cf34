"""TLS for both servers, and the names in client certificates."""

from __future__ import annotations

import ssl
from typing import Any

from aftershock_collector.config.model import Tls

NAMELESS = "a certificate without a name"


class TlsError(Exception):
    """The certificate or key cannot be used; says which file and why."""


def server_context(tls: Tls) -> ssl.SSLContext | None:
    """The context of the HTTP server; None: plain text. Raises TlsError.

    With `client_ca` a client may show a certificate, and people with a token need none.
    """
    if tls.certificate is None or tls.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except OSError as error:  # ssl's own errors are OSErrors too
        raise TlsError(f"collector.tls cannot be used: {error}") from error
    return context


def read_pem(tls: Tls) -> tuple[bytes, bytes, bytes | None] | None:
    """Key, certificate and client authority for the gRPC server; None: plain text.

    Raises TlsError.
    """
    if tls.certificate is None or tls.key is None:
        return None
    server_context(tls)  # gRPC would only say that it cannot bind
    try:
        authority = None if tls.client_ca is None else tls.client_ca.read_bytes()
        return tls.key.read_bytes(), tls.certificate.read_bytes(), authority
    except OSError as error:
        raise TlsError(f"collector.tls cannot be used: {error}") from error


def certificate_name(certificate: Any) -> str:
    """The common name in what `getpeercert` returns, else the first alternative name."""
    for relative in certificate.get("subject", ()):
        for key, value in relative:
            if key == "commonName":
                return str(value)
    for _, value in certificate.get("subjectAltName", ()):
        return str(value)
    return NAMELESS
