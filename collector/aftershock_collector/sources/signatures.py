"""Signatures of webhooks: HMAC-SHA256 of the body, as GitHub and Flux send it."""

from __future__ import annotations

import hashlib
import hmac


def is_signed(secret: str, header: str | None, body: bytes) -> bool:
    """True where the header is `sha256=` and the body's HMAC in hex, compared in constant time."""
    made = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return header is not None and hmac.compare_digest(made.encode(), header.strip().encode())
