"""The trace that something of the infrastructure brings back, wherever its sender put it.

Tools carry their trace outwards in HTTP headers, SQL comments and Kubernetes annotations; it comes
back in attributes, annotations, labels, and in the text of logs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aftershock.attributes import ERROR_TYPE
from aftershock.entity import entity_key
from aftershock.fingerprints.outcomes import error_class
from aftershock.model import Change, ChangeKind
from aftershock.names import shortened
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.dialects import name_in, text_in

ERROR = 17  # SeverityNumber
TEXT_CHARS_MAX = 8_000  # of a log line that is searched: statements stand at its end or its start
_PARENT = re.compile(r"\b00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\b")
_COMMENT = re.compile(r"traceparent\s*=\s*['\"]?(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})")
_ERROR_WORD = re.compile(r"\b(ERROR|FATAL|PANIC)\b")
_TRACE = re.compile(r"[0-9a-f]{32}")
_SPAN = re.compile(r"[0-9a-f]{16}")
_TRACE_KEYS = ("trace_id", "traceid", "trace.id")
_SPAN_KEYS = ("span_id", "spanid", "span.id")
_NOWHERE = "0" * 32


class Link(NamedTuple):
    """A trace, and the span in it that was current when it was carried out."""

    trace_id: str
    span_id: str | None


def link_in(*mappings: Mapping[str, Any]) -> Link | None:
    """The first trace that attributes, labels or annotations name."""
    for mapping in mappings:
        plain = {key.lower(): value for key, value in mapping.items() if isinstance(value, str)}
        for key, value in plain.items():
            if key.endswith("traceparent") and (link := _parse(value)):
                return link
        for key in _TRACE_KEYS:
            trace = plain.get(key, "").lower()
            if _TRACE.fullmatch(trace) and trace != _NOWHERE:
                return Link(trace, _span(plain))
    return None


def link_in_text(text: str) -> Link | None:
    """The trace in a SQL comment (sqlcommenter) inside a log line."""
    if len(text) > 2 * TEXT_CHARS_MAX:
        text = text[:TEXT_CHARS_MAX] + text[-TEXT_CHARS_MAX:]
    found = _COMMENT.search(text)
    return _parse(found[1]) if found else None


def read_error(event: LogEvent) -> Change | None:
    """A service's own error log that names a trace, as trouble of that service; None for others.

    Errors of one kind, of one service, in one trace are one change. No raw text is kept.
    """
    text = event.text if isinstance(event.text, str) else ""
    if event.severity < ERROR and (event.severity or not _ERROR_WORD.search(text)):
        return None
    link = link_in(event.attributes)
    if link is None and event.trace_id:
        link = Link(event.trace_id, event.span_id)
    is_quoted = link is None  # then at best the text names it, which may repeat what anybody sent
    link = link or link_in_text(text)
    entity = entity_key(_texts(event.resource)) or entity_key(_texts(event.attributes))
    if link is None or entity is None:
        return None
    name = name_in(event.attributes, "exception.type", ERROR_TYPE) or "error log"
    return Change(
        id=f"log/{link.trace_id}/{entity}/{name}",
        kind=ChangeKind.WARNING,
        entity=entity,
        name=name,
        began_at_ns=event.time_ns,
        detail=error_class(text_in(event.attributes, "exception.message") or text),
        trace_id=link.trace_id,
        span_id=link.span_id,
        vouched=not is_quoted,
    )


def _parse(text: str) -> Link | None:
    found = _PARENT.search(text)
    if found is None or found[1] == _NOWHERE:
        return None
    return Link(found[1], found[2])


def _span(plain: Mapping[str, str]) -> str | None:
    for key in _SPAN_KEYS:
        span = plain.get(key, "").lower()
        if _SPAN.fullmatch(span):
            return span
    return None


def _texts(mapping: Mapping[str, Any]) -> dict[str, str]:
    return {key: shortened(value) for key, value in mapping.items() if isinstance(value, str)}
