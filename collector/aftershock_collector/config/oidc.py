"""`collector.oidc`: where people sign in, and what each of their groups may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aftershock.policy.policy import parse_seconds

SESSION_S = 12 * 3_600.0  # a shift
EVERYBODY = "*"  # a group that every person who signs in is in


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID Connect provider. `groups`: name of a group → scopes of tokens."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups: Mapping[str, tuple[str, ...]]
    name_claim: str = "email"
    groups_claim: str = "groups"
    request: tuple[str, ...] = ("openid", "email", "profile")
    session_s: float = SESSION_S

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Oidc | None:
        """Read a checked section; `None` where there is none."""
        if not given:
            return None
        options = {key: given[key] for key in ("name_claim", "groups_claim") if key in given}
        if "request" in given:
            options["request"] = tuple(given["request"])
        if "session" in given:
            options["session_s"] = parse_seconds(given["session"])
        return cls(
            issuer=given["issuer"].rstrip("/"),
            client_id=given["client_id"],
            client_secret=given["client_secret"],
            groups={name: tuple(scopes) for name, scopes in given["groups"].items()},
            **options,
        )
