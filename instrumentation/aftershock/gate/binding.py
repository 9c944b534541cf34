"""Binding: the digest of exactly one action, so that an approval of one covers no other.

Fingerprints of arguments are equal for calls that differ in form; this digest is not: whatever the
tool would see differently makes another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from json import JSONEncoder
from typing import Any, cast

CANONICAL = JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=True, separators=(",", ":"))
DEPTH_MAX = 32


def digest_of(
    agent: str | None, tool: str, arguments: Mapping[str, Any], targets: Iterable[str]
) -> str | None:
    """The digest of an action. None: an argument is no plain value, so nothing can be bound to it.

    A keyless hash: it is compared with itself, and protects by being exact, not by being secret.
    """
    if not is_plain(arguments):
        return None
    named = [agent, tool, arguments, sorted(targets)]
    return sha256(CANONICAL.encode(named).encode()).hexdigest()


def is_plain(value: Any, depth: int = 0) -> bool:
    """True for what JSON holds without loss: text, numbers, truth, none, lists, mappings."""
    if value is None or isinstance(value, str | int | float | bool):
        return True
    if depth >= DEPTH_MAX:
        return False
    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return all(isinstance(k, str) and is_plain(v, depth + 1) for k, v in mapping.items())
    if isinstance(value, list | tuple):
        return all(is_plain(item, depth + 1) for item in cast("Iterable[Any]", value))
    return False
