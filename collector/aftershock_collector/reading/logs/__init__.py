"""Logs of what agents act on: each format in one file, a function from a record to what was done.

The same readers serve files that the collector follows and the bodies of OTLP log records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

from aftershock.entity import entity_key
from aftershock.model import Change
from aftershock.names import shortened
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.links import Link
from aftershock_collector.reading.logs.cloud_audit import read_cloud_audit
from aftershock_collector.reading.logs.http_access import is_http_access, read_http_access
from aftershock_collector.reading.logs.kubernetes_audit import read_kubernetes_audit
from aftershock_collector.reading.logs.line import Logged, Record, change_of, document
from aftershock_collector.reading.logs.mysql import begins_mysql, read_mysql
from aftershock_collector.reading.logs.postgresql import begins_postgresql, read_postgresql

RECORD_CHARS_MAX = 4_000_000  # of one that is read: a file of CloudTrail's stays below
_HEX = re.compile(r"[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)  # no id, no link


class Format(NamedTuple):
    """One family of logs."""

    name: str
    read: Callable[[Record], list[Logged]]
    begins: Callable[[str, str], bool]  # of a line, and what was read of the record before it


def begins_with_line(_line: str, _held: str) -> bool:
    """Every line is a record."""
    return True


def begins_with_object(line: str, _held: str) -> bool:
    """A JSON document begins at the left margin, and what is indented belongs to it."""
    return line[:1] in {"{", "["}


FORMATS = (
    Format("kubernetes-audit", read_kubernetes_audit, begins_with_object),
    Format("cloud-audit", read_cloud_audit, begins_with_object),
    Format("postgresql", read_postgresql, begins_postgresql),
    Format("mysql", read_mysql, begins_mysql),
    Format("http", read_http_access, begins_with_line),
)


def format_named(name: str) -> Format:
    """The format of a name that the settings allow."""
    return next(each for each in FORMATS if each.name == name)


def changes_in(
    record: str,
    known: Format,
    entity: str | None,
    arrived_ns: int,
    deleted_rows_max: int | None = None,
) -> list[Change]:
    """What one record of a followed file says, about the file's entity or the one it names.

    Args:
        record: its text, of one line or several.
        known: the format of the file.
        entity: whose log the file is; None: each record says it.
        arrived_ns: our clock, for records that do not say when.
        deleted_rows_max: see `change_of`.
    """
    if len(record) > RECORD_CHARS_MAX or not _HEX.search(record):
        return []
    return [
        change_of(logged, about, arrived_ns, deleted_rows_max)
        for logged in known.read(record)
        if (about := entity or logged.entity)
    ]


def read_logged(event: LogEvent, deleted_rows_max: int | None = None) -> Change | None:
    """What an OTLP log record says that somebody shipped a line of such a log in; None for others.

    The line is the body, or was parsed into the body or the attributes. Of a whole file of records
    in one body, the first counts.
    """
    shipped = Link(event.trace_id, event.span_id) if event.trace_id else None
    for record in _records_of(event):
        found = _first(record, shipped)
        if found is None:
            continue
        entity = _entity(event.attributes) or found.entity or _entity(event.resource)
        if entity:
            return change_of(found, entity, event.time_ns, deleted_rows_max)
    return None


def _records_of(event: LogEvent) -> Iterable[Record]:
    body: Any = event.text
    if isinstance(body, str) and body and len(body) <= RECORD_CHARS_MAX:
        yield document(body) or body
    elif isinstance(body, dict):
        yield cast("dict[str, Any]", body)
    if event.attributes:
        yield event.attributes


def _first(record: Record, shipped: Link | None) -> Logged | None:
    """What the first format that knows the record says."""
    if isinstance(record, str):
        if not _HEX.search(record):
            return None
    elif shipped is not None:
        record = {"trace_id": shipped.trace_id, "span_id": shipped.span_id, **record}
    for each in FORMATS:
        if found := each.read(record):
            first = found[0]
            # A client of a web server wrote a part of its log, perhaps in words of a database's.
            is_open = isinstance(record, str) and is_http_access(record)
            return first._replace(open_to_all=True) if is_open else first
    return None


def _entity(attributes: Mapping[str, Any]) -> str | None:
    texts = {key: shortened(value) for key, value in attributes.items() if isinstance(value, str)}
    return entity_key(texts)
