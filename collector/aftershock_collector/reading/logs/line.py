"""What a record of somebody's own log says was done for a trace, and the Change that it becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from aftershock.model import Change, ChangeKind, Tier
from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.reading.links import Link, link_in

Record = str | Mapping[str, Any]  # a record's text, or the object that its JSON spells

NAME_CHARS_MAX = 80  # of what was done: two tables fit
ENTITY_CHARS_MAX = 200  # resource ids of clouds are that long
ROWS_MAX = 10**12
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        start=1,
    )
}
_COMMON_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


_VERBS = {"DELETE": "deleted", "INSERT": "added"}


class Logged(NamedTuple):
    """One thing that was done, as the log of whoever did it says."""

    link: Link
    did: str  # DELETE orders, POST /scale, delete deployments: kinds and names, never values
    tier: Tier
    time_ns: int | None = None  # None: in words that do not name a moment
    entity: str | None = None  # None: the record does not say whose log it is
    rows: int | None = None  # changed; None: not said
    deletes: bool = False  # those rows are gone
    empties: bool = False  # whatever the table held is gone
    error: str | None = None  # its class; None: it was done
    trouble: bool = False  # the error is of the thing itself, and not of what it was asked for
    open_to_all: bool = False  # whoever reaches it writes the trace, without saying who that is


def change_of(
    logged: Logged, entity: str, arrived_ns: int, deleted_rows_max: int | None = None
) -> Change:
    """The change: trouble where the thing failed, or where too much was deleted.

    Args:
        logged: what was done.
        entity: whose log it is.
        arrived_ns: our clock, for records that do not say when.
        deleted_rows_max: more than this in one statement is damage, and so is a table that was
            dropped or emptied; None: deleting is no damage by itself.
    """
    much = False
    if deleted_rows_max is not None and logged.error is None:
        deleted = logged.rows if logged.deletes and logged.rows is not None else 0
        much = logged.empties or deleted > deleted_rows_max
    span = logged.link.span_id or ""
    return Change(
        id=f"log/{logged.link.trace_id}/{span}/{entity}/{logged.did}"[: 2 * ENTITY_CHARS_MAX],
        kind=ChangeKind.WARNING if logged.trouble or much else ChangeKind.OPERATION,
        entity=entity[:ENTITY_CHARS_MAX],
        name=logged.did[:NAME_CHARS_MAX],
        began_at_ns=logged.time_ns or arrived_ns,
        detail=_detail(logged),
        trace_id=logged.link.trace_id,
        span_id=logged.link.span_id,
        tier=logged.tier if logged.error is None else None,
        vouched=not logged.open_to_all,
    )


def _detail(logged: Logged) -> str:
    if logged.error is not None:
        return f"failed: {logged.error}" if logged.error else "failed"
    if logged.rows is None:
        return ""
    verb = _VERBS.get(logged.did.partition(" ")[0], "changed")
    return f"{verb} {logged.rows:,} row{'' if logged.rows == 1 else 's'}"


# --- Values of records, which may be anything ----------------------------------------------------


def table(value: Any, *path: str) -> Mapping[str, Any]:
    """The table at a path of keys; an empty one where there is something else."""
    for key in path:
        value = table(value).get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """A text, or a number as one; empty where there is something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def number(value: Any) -> int | None:
    """A count, which may be written as text."""
    written = text(value)
    if not (written.isascii() and written.isdigit() and len(written) < 14):
        return None
    return min(int(written), ROWS_MAX)


def document(record: Record) -> Mapping[str, Any]:
    """The object that a record is or spells, a list as `records`; empty for any other text."""
    if not isinstance(record, str):
        return record
    if record.lstrip()[:1] not in {"{", "["}:
        return {}
    try:
        spelled: Any = json.loads(record)
    except (ValueError, RecursionError):
        return {}
    return {"records": spelled} if isinstance(spelled, list) else table(spelled)


def link_anywhere(value: Any) -> Link | None:
    """The trace context that stands somewhere in a text, or in a value as JSON writes it."""
    if isinstance(value, str):
        return link_in({"traceparent": value})
    try:
        return link_in({"traceparent": json.dumps(value, default=str)})
    except (ValueError, RecursionError, TypeError):
        return None


def moment(written: str) -> int | None:
    """A time as logs write it: ISO 8601, PostgreSQL's, the common log format; None for others."""
    if found := _COMMON_TIME.search(written):
        return _common_time(found)
    plain = written.strip().replace(",", ".")
    for zone in (" UTC", " GMT"):
        plain = plain.replace(zone, "+00:00")
    return time_ns_of(plain.replace(" +", "+").replace(" -", "-")) if plain else None


def _common_time(found: re.Match[str]) -> int | None:
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    if month not in _MONTHS:
        return None
    try:
        there = datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return int((there - away if sign == "+" else there + away).timestamp()) * 10**9
    except (ValueError, OverflowError):
        return None
