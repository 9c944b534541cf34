"""Who sends a request, and whether they may: tokens, certificates, or loopback's trust."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from aftershock_collector.access.hosts import Refused, is_loopback
from aftershock_collector.access.people import Person, Sessions
from aftershock_collector.access.rates import Rates
from aftershock_collector.access.tokens import CERTIFIED, Scope, TokenError, Tokens, is_address
from aftershock_collector.config.model import Config

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="aftershock"'}
# What needs no token on loopback. Whoever reaches it can already read the files of this machine.
FREE_ON_LOOPBACK = frozenset({Scope.INGEST, Scope.READ})
THIS_MACHINE = "127.0.0.1"
NO_ADDRESS = "0.0.0.0"  # noqa: S104  (a name; nothing is bound to it)
CERTIFICATE_SCOPES = frozenset({Scope.INGEST})  # of a client certificate that `client_ca` signed


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries to say who sent it."""

    peer: str  # the address that the connection came from
    token: str | None = None
    certificate: str | None = None  # the subject of a verified client certificate
    session: str | None = None  # the cookie of somebody who signed in


class Senders:
    """Decides who may do what on one listening address."""

    def __init__(
        self,
        config: Config,
        tokens: Tokens,
        *,
        host: str,
        rates: Rates,
        sessions: Sessions | None = None,
    ) -> None:
        self._open = config.insecure or is_loopback(host)
        self._tokens = tokens
        self._rates = rates
        self._sessions = sessions
        # What signing in may permit is never free, as if there were a token for it.
        groups = config.oidc.groups.values() if config.oidc else ()
        self._of_people = frozenset(Scope(one) for scopes in groups for one in scopes)

    @property
    def people_sign_in(self) -> bool:
        """Whether a browser without a session is sent to the provider."""
        return self._sessions is not None

    def admit(self, credentials: Credentials, scope: Scope) -> str:
        """The sender's name. Raises Refused: 401 unknown, 403 not permitted, 503 too fast."""
        try:
            sender = self._name(credentials, scope)
        except TokenError as error:
            raise Refused(503, "tokens", str(error)) from error
        wait_s = self._rates.wait_s(sender)
        if wait_s:
            message = f"{sender} sends more than its share: retry later"
            raise Refused(503, "rate", message, {"Retry-After": str(max(1, round(wait_s)))})
        return sender

    def _name(self, credentials: Credentials, scope: Scope) -> str:
        if credentials.token is not None:
            token = self._tokens.find(credentials.token)
            if token is None:
                raise Refused(401, "token", "the token is not valid here", CHALLENGE)
            if scope not in token.scopes:
                message = f"the token {token.name!r} has no scope {scope.value!r}"
                raise Refused(403, "scope", message)
            return token.name
        if (person := self._person(credentials)) is not None:
            if scope not in person.scopes and not self._is_free(scope):
                message = f"{person.name} is in no group with the scope {scope.value!r}"
                raise Refused(403, "scope", message)
            return person.sender
        if credentials.certificate is not None and scope in CERTIFICATE_SCOPES:
            return CERTIFIED + credentials.certificate
        if self._is_free(scope):
            certificate = credentials.certificate
            return CERTIFIED + certificate if certificate else peer_name(credentials.peer)
        message = f"send a token with the scope {scope.value!r} as Authorization: Bearer …"
        raise Refused(401, "token", message, CHALLENGE)

    def _person(self, credentials: Credentials) -> Person | None:
        if self._sessions is None or credentials.session is None:
            return None
        return self._sessions.person(credentials.session)

    def _is_free(self, scope: Scope) -> bool:
        """Whether nobody is asked who they are."""
        if not self._open:
            return False
        asked = scope in self._of_people or self._tokens.holds(scope)
        return scope in FREE_ON_LOOPBACK or not asked


def peer_name(peer: str) -> str:
    """The name of a sender that was asked for none: its address, the same for HTTP and gRPC."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return NO_ADDRESS
    address = getattr(address, "ipv4_mapped", None) or address
    return THIS_MACHINE if address.is_loopback else str(address)


def is_authenticated(sender: str) -> bool:
    """True for the name of a token or a certificate; a name that is an address proves nothing."""
    return bool(sender) and not is_address(sender)


def bearer_token(header: str | None) -> str | None:
    """The token in an Authorization header; "" for a scheme that is not Bearer."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
