"""Which arguments of a call a page may name although content stays in the process.

Quantities and truths: `replicas=12`, `dry_run=false`; and the names that the policy uses as
placeholders, which leave the process in targets anyway: `deployment=checkout`. Where content was
captured, names of infrastructure too. What is called like a person or a secret is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints.personal import is_personal_name
from aftershock.redaction.named import SECRET_NAME
from aftershock.redaction.redact import redact_text
from aftershock.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARGUMENTS_MAX = 8  # of one call: two lines on a phone
DEPTH_MAX = 2  # {"spec": {"replicas": 12}} is spec.replicas
LEAVES_MAX = 64  # of one call that are read
NUMBER_BELOW = 1_000_000  # longer ones number people, cards and telephones
NAME = re.compile(r"[A-Za-z_][\w\-]{0,39}")
VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:\-]{0,62}")  # 63: a DNS label; no space, no @
PLAIN = re.compile(
    rf"{NAME.pattern}(?:\.{NAME.pattern})?=(?:-?[0-9][0-9.e+\-]{{0,24}}|{VALUE.pattern})"
)
WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# Words of an argument's name that say that its value names a part of the infrastructure, or is one
# of few that the tool knows.
INFRASTRUCTURE = frozenset(
    [
        "app",
        "application",
        "branch",
        "bucket",
        "cache",
        "cluster",
        "component",
        "container",
        "database",
        "db",
        "deployment",
        "disk",
        "env",
        "environment",
        "feature",
        "flag",
        "function",
        "host",
        "hostname",
        "image",
        "index",
        "instance",
        "job",
        "kind",
        "lambda",
        "metric",
        "namespace",
        "node",
        "partition",
        "pod",
        "queue",
        "region",
        "release",
        "replica",
        "repo",
        "repository",
        "resource",
        "role",
        "schema",
        "server",
        "service",
        "shard",
        "stack",
        "stage",
        "stream",
        "table",
        "tag",
        "topic",
        "version",
        "volume",
        "worker",
        "workload",
        "zone",
        "action",
        "direction",
        "engine",
        "format",
        "level",
        "mode",
        "operation",
        "severity",
        "state",
        "status",
        "strategy",
        "tier",
        "unit",
    ]
)
# Words that say that it is a secret, or about a person: then even a number is content.
PRIVATE = frozenset(
    [
        "account",
        "address",
        "age",
        "auth",
        "balance",
        "birth",
        "card",
        "cert",
        "certificate",
        "code",
        "cookie",
        "cred",
        "credential",
        "credentials",
        "customer",
        "digest",
        "email",
        "employee",
        "hash",
        "hmac",
        "iban",
        "id",
        "ids",
        "jwt",
        "key",
        "lat",
        "latitude",
        "lng",
        "lon",
        "longitude",
        "member",
        "mfa",
        "nonce",
        "number",
        "otp",
        "owner",
        "pass",
        "passport",
        "password",
        "passwd",
        "patient",
        "person",
        "phone",
        "pin",
        "pwd",
        "salary",
        "salt",
        "secret",
        "seed",
        "session",
        "sid",
        "sig",
        "signature",
        "ssn",
        "tax",
        "tel",
        "token",
        "uid",
        "user",
        "username",
        "uuid",
        "zip",
    ]
)


def plain_arguments(
    arguments: Any, declared: frozenset[str] = frozenset(), *, captured: bool = False
) -> tuple[str, ...]:
    """`name=value` of the arguments that may be named; nested ones as `outer.name=value`.

    Args:
        arguments: of one call.
        declared: arguments that the policy uses as placeholders.
        captured: the sender was asked for content, so that names of infrastructure are here.
    """
    if not isinstance(arguments, dict):
        return ()
    found: list[str] = []
    for position, (name, value) in enumerate(_leaves(cast("dict[Any, Any]", arguments), "", 1)):
        if position >= LEAVES_MAX or len(found) >= ARGUMENTS_MAX:
            break
        is_named = name in declared or (captured and _is_infrastructure(name))
        if (text := _plain(name, value, is_named=is_named)) is not None:
            found.append(f"{name}={text}")
    return tuple(found)


def _leaves(given: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            continue
        if isinstance(value, dict):
            if depth < DEPTH_MAX:
                yield from _leaves(cast("dict[Any, Any]", value), f"{name}.", depth + 1)
        else:
            yield prefix + name, value


def _words(name: str) -> set[str]:
    return {word.lower() for word in WORDS.findall(name)}


@remembered
def _is_infrastructure(name: str) -> bool:
    words = _words(name)
    return bool((words | {word.removesuffix("s") for word in words}) & INFRASTRUCTURE)


@remembered
def _is_private(name: str) -> bool:
    is_secret = SECRET_NAME.search(name) is not None
    return is_secret or is_personal_name(name) or not PRIVATE.isdisjoint(_words(name))


def _plain(name: str, value: Any, *, is_named: bool) -> str | None:
    """The value as text; None where it may be content."""
    if _is_private(name):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        fits = abs(value) < NUMBER_BELOW  # no number that is none is below it
        return f"{value:g}" if fits else None
    if not is_named or not isinstance(value, str) or not VALUE.fullmatch(value):
        return None
    return value if redact_text(value) == value else None
