"""Settings of other programs, changed and changed back: what was theirs stays theirs.

Pure: documents and texts in, documents and texts out. JSON is merged key by key. In a text ours is
a block between two marks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

Json = Mapping[str, Any]
BEGIN, END = "# >>> aftershock connect", "# <<< aftershock connect"
BLOCK = re.compile(rf"\n?^{re.escape(BEGIN)}$.*?^{re.escape(END)}$\n?", re.MULTILINE | re.DOTALL)
MISSING: Any = object()


class NotOurs(ValueError):  # noqa: N818  (it says whose the setting is)
    """The text has settings of the same name that somebody else made."""


def with_ours(theirs: Json, ours: Json) -> dict[str, Any]:
    """A document with our keys; a list gets our items that it lacks, and keeps its own."""
    found = dict(theirs)
    for key, value in ours.items():
        known = found.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            found[key] = with_ours(cast("Json", known), cast("Json", value))
        elif isinstance(known, list) and isinstance(value, list):
            items = cast("list[Any]", known)
            found[key] = items + [item for item in cast("list[Any]", value) if item not in items]
        else:
            found[key] = value
    return found


def without_ours(now: Json, ours: Json, before: Json) -> dict[str, Any]:
    """A document as it was without our keys; what somebody changed since then stays as it is.

    Args:
        now: the document as it is.
        ours: what was merged into it.
        before: the document before that; empty where there was none.
    """
    found = dict(now)
    for key, value in ours.items():
        known, old = found.get(key, MISSING), before.get(key, MISSING)
        if isinstance(known, dict) and isinstance(value, dict):
            inner = without_ours(mapping(known), mapping(value), mapping(old))
            if inner or isinstance(old, dict):
                found[key] = inner
            else:
                del found[key]
        elif isinstance(known, list) and isinstance(value, list):
            was_items = cast("list[Any]", old) if isinstance(old, list) else []
            own = [item for item in cast("list[Any]", value) if item not in was_items]
            kept = [item for item in cast("list[Any]", known) if item not in own]
            if kept or isinstance(old, list):
                found[key] = kept
            else:
                del found[key]
        elif known == value:
            if old is MISSING:
                del found[key]
            else:
                found[key] = old
    return found


def changes(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """What differs, one line for each key: `env.OTEL_LOGS_EXPORTER: (none) → otlp`."""
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, MISSING), after.get(key, MISSING)
        name = f"{path}{key}"
        if isinstance(new, dict) and (old is MISSING or isinstance(old, dict)):
            yield from changes(mapping(old), mapping(new), f"{name}.")
        elif isinstance(old, dict) and new is MISSING:
            yield from changes(mapping(old), {}, f"{name}.")
        elif old != new:
            yield f"{name}: {shown(old)} → {shown(new)}"


def mapping(value: Any) -> Json:
    """An object; an empty one for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def shown(value: Any) -> str:
    """A value in a line of changes."""
    return "(none)" if value is MISSING else str(value)


def with_block(text: str, block: str) -> str:
    """A TOML text with our block at its end, in place of an older one of ours.

    Raises:
        NotOurs: it has a table of the same name outside of our block.
    """
    rest = BLOCK.sub("", text)
    try:
        known, wanted = tomllib.loads(rest), tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        raise NotOurs(f"it is no TOML ({error})") from error
    both = sorted(known.keys() & wanted.keys())
    if both:
        raise NotOurs(f"it has [{both[0]}] already; change it by hand, as printed above")
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{gap}\n{BEGIN}\n{block}{END}\n"


def without_block(text: str) -> str:
    """The text without our block."""
    return BLOCK.sub("", text)
