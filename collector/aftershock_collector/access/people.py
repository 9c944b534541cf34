"""People who signed in: the cookie that knows them for a shift, and what they may do.

The cookie is signed with a key that lives as long as the process, and nothing is kept for it: after
a restart a browser is sent to the provider again, which usually asks nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aftershock_collector.access.tokens import NAME_CHARS_MAX, PERSON, Scope
from aftershock_collector.config.oidc import EVERYBODY, Oidc
from aftershock_collector.wording import clean

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

COOKIE = "aftershock_session"
COOKIE_CHARS_MAX = 4_000  # browsers keep no longer ones


class NotAPerson(ValueError):  # noqa: N818  (it names a state, and reads so in `except`)
    """What the provider says of somebody names nobody; says which claim is missing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in."""

    name: str
    scopes: frozenset[Scope]

    @property
    def sender(self) -> str:
        """The name of the sender of this person's requests."""
        return PERSON + self.name


def person_of(claims: Mapping[str, Any], oidc: Oidc) -> Person:
    """Whom verified claims name, with what their groups may do. Raises NotAPerson."""
    given = claims.get(oidc.name_claim)
    name = clean(given, NAME_CHARS_MAX).strip() if isinstance(given, str) else ""
    if not name:
        raise NotAPerson(f"the provider gave no {oidc.name_claim!r}: see collector.oidc.name_claim")
    if oidc.name_claim == "email" and claims.get("email_verified") is False:
        raise NotAPerson(f"the provider did not verify the address {name}")
    listed = claims.get(oidc.groups_claim)
    groups = {listed} if isinstance(listed, str) else {str(one) for one in _elements(listed)}
    scopes = (oidc.groups.get(group, ()) for group in (*groups, EVERYBODY))
    return Person(name, frozenset(Scope(one) for each in scopes for one in each))


def name_of_person(sender: str) -> str:
    """The name of a person who signed in; "" for every other sender."""
    return sender.removeprefix(PERSON) if sender.startswith(PERSON) else ""


class Sessions:
    """Makes and reads the cookies of one process."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = int(lasts_s)
        self._signer = _signer()

    def make(self, person: Person) -> str:
        """The value of the cookie."""
        return str(self._signer.dumps([person.name, sorted(person.scopes)]))

    def person(self, cookie: str) -> Person | None:
        """Whom the cookie names; None where we did not make it, or it is too old."""
        from itsdangerous import BadSignature  # noqa: PLC0415  (an extra)

        if len(cookie) > COOKIE_CHARS_MAX:
            return None
        try:
            name, scopes = self._signer.loads(cookie, max_age=self._lasts_s)
        except BadSignature:  # SignatureExpired is one
            return None
        return Person(name, frozenset(map(Scope, scopes)))


def _signer() -> URLSafeTimedSerializer:
    from itsdangerous import URLSafeTimedSerializer  # noqa: PLC0415  (an extra)

    return URLSafeTimedSerializer(secrets.token_bytes(32), salt="session")


def _elements(value: object) -> Iterable[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()
