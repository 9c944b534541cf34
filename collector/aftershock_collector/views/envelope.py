"""The one shape of everything that a command prints with --json: version, kind, data."""

from __future__ import annotations

from typing import Any, cast

from aftershock_collector.wording import instant

VERSION = 2  # grows when a key changes its meaning; docs/reference/output.schema.json has them all
SUFFIX = "_at_ns"


def enveloped(kind: str, data: Any) -> dict[str, Any]:
    """A document: `kind` says which schema its `data` follows.

    Every time is there twice: `<name>_at_ns` in nanoseconds and `<name>_at` as RFC 3339.
    """
    return {"version": VERSION, "kind": kind, "data": with_instants(data)}


def with_instants(value: Any) -> Any:
    """The value with a readable time beside every time in nanoseconds."""
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, inner in cast("dict[str, Any]", value).items():
            found[key] = with_instants(inner)
            if key.endswith(SUFFIX):
                known = isinstance(inner, int)
                found[key.removesuffix("_ns")] = instant(inner) if known else None
        return found
    if isinstance(value, list | tuple):
        return [with_instants(inner) for inner in cast("list[Any]", value)]
    return value
