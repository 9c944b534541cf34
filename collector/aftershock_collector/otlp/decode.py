"""Bytes → spans and log events: each item kept as it came, or rejected with a counted reason.

A body that cannot be opened raises `Unreadable`. Inside a readable body one bad item never costs
another one. Decided here, because OTLP leaves it open: an end before the start (clocks do jump) is
read as an end at the start and counted; a parent id of a wrong length is read as no parent and
counted; a time of 0 or beyond 2**63 ns is rejected, because event order cannot be told without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from aftershock_collector.otlp import protobuf
from aftershock_collector.otlp.otlp_json import MALFORMED, protobuf_of
from aftershock_collector.otlp.protobuf import DecodeError
from aftershock_collector.otlp.samples import samples_of
from aftershock_collector.otlp.values import attributes_of, text_of, value_of
from aftershock_collector.otlp.wire import (
    TIME_MAX_NS,
    Attributes,
    Decoded,
    LogEvent,
    Sample,
    Span,
    SpanEvent,
    SpanLink,
    Unreadable,
)

__all__ = [
    "Decoded",
    "LogEvent",
    "Sample",
    "Span",
    "Unreadable",
    "decode_log",
    "decode_logs",
    "decode_metrics",
    "decode_span",
    "decode_traces",
]

EVENTS_MAX = 256  # span events, and links, of one span
RESOURCES_MAX = 1_024  # decoded resources and scopes remembered between batches, ...
RESOURCE_BYTES_MAX = 8_192  # ... of at most this size: 30 MB at worst; SDKs send 500 bytes

GROUPS_MAX = 10_000  # resources and scopes of one body: SDKs send one of each
ITEMS_MAX = 100_000  # of one body; SDKs send 512, collectors 8,192
ITEM_BYTES = 64  # recorded files hold more in one body, none of them smaller on average

NO_TRACE_ID = "trace id that is zero or not 16 bytes"
NO_SPAN_ID = "span id that is zero or not 8 bytes"
NO_START = "start time of 0 or out of range"
NO_END = "end time of 0 or out of range"
NO_TIME = "time of 0 or out of range"
END_BEFORE_START = "end before start"
BAD_PARENT = "parent id that is not 8 bytes"
BAD_LINK = "link without ids"
BAD_TRACE_ID = "log with a trace id that is not 16 bytes"
TOO_MANY_EVENTS = f"span events or links over {EVENTS_MAX}"

Kept = TypeVar("Kept")

_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)

_resources: dict[bytes, dict[str, Any]] = {}  # the same few come with every batch
_scopes: dict[bytes, str] = {}


Item = TypeVar("Item")
# The item's own bytes, those of its resource and its scope, both decoded, what was cut of values.
_Decode = Callable[[bytes, bytes, bytes, Attributes, str, Counter[str]], Item]


class _Group(NamedTuple):
    """One resource × scope of a body."""

    resource_body: bytes
    scope_body: bytes
    resource: Attributes
    scope: str
    items: list[bytes]


class _Rejected(Exception):  # noqa: N818  (never leaves this module)
    """One item that cannot be kept; says why."""


def decode_traces(body: bytes, content_type: str) -> Decoded[Span]:
    """Decode an ExportTraceServiceRequest (or TracesData: they are the same bytes)."""
    return _decode_each(body, content_type, "traces", _span_of)


def decode_logs(body: bytes, content_type: str) -> Decoded[LogEvent]:
    """Decode an ExportLogsServiceRequest (or LogsData)."""
    return _decode_each(body, content_type, "logs", _log_of)


def decode_metrics(body: bytes, content_type: str) -> Decoded[Sample]:
    """Decode an ExportMetricsServiceRequest (or MetricsData) into one sample per data point."""
    decoded: Decoded[Sample] = Decoded([])
    for group in _groups(body, content_type, "metrics", decoded):
        for metric in group.items:
            samples_of(metric, group.resource, group.scope, decoded)
    return decoded


def _decode_each(
    body: bytes, content_type: str, signal: str, item_of: _Decode[Item]
) -> Decoded[Item]:
    """Every item of a body that can be read; the others are counted by what is wrong with them."""
    decoded: Decoded[Item] = Decoded([])
    for group in _groups(body, content_type, signal, decoded):
        for raw in group.items:
            try:
                decoded.items.append(
                    item_of(
                        raw,
                        group.resource_body,
                        group.scope_body,
                        group.resource,
                        group.scope,
                        decoded.trimmed,
                    )
                )
            except _Rejected as why:
                decoded.rejected[str(why)] += 1
            except DecodeError:
                decoded.rejected[MALFORMED[signal]] += 1
    return decoded


def decode_span(body: bytes, resource_body: bytes, scope_body: bytes) -> Span:
    """Decode one span again from the three parts that were kept of it."""
    try:
        resource, scope = _resource_of(resource_body), _scope_of(scope_body)
        return _span_of(body, resource_body, scope_body, resource, scope, Counter())
    except (_Rejected, DecodeError) as why:
        raise Unreadable(f"a stored span of {len(body)} bytes cannot be read: {why}") from why


def decode_log(body: bytes, resource_body: bytes, scope_body: bytes) -> LogEvent:
    """Decode one log event again from the three parts that were kept of it."""
    try:
        resource, scope = _resource_of(resource_body), _scope_of(scope_body)
        return _log_of(body, resource_body, scope_body, resource, scope, Counter())
    except (_Rejected, DecodeError) as why:
        raise Unreadable(f"a stored log record of {len(body)} bytes cannot be read: {why}") from why


# --- Envelopes -------------------------------------------------------------------------------

_ENVELOPES: dict[str, tuple[Any, str, Any, str, Any, str]] = {
    "traces": (
        protobuf.TracesData, "resource_spans", protobuf.ResourceSpans, "scope_spans",
        protobuf.ScopeSpans, "spans",
    ),
    "logs": (
        protobuf.LogsData, "resource_logs", protobuf.ResourceLogs, "scope_logs",
        protobuf.ScopeLogs, "log_records",
    ),
    "metrics": (
        protobuf.MetricsData, "resource_metrics", protobuf.ResourceMetrics, "scope_metrics",
        protobuf.ScopeMetrics, "metrics",
    ),
}  # fmt: skip


def _protobuf(body: bytes, content_type: str, signal: str, rejected: Counter[str]) -> bytes:
    match content_type.partition(";")[0].strip().lower():
        case "application/x-protobuf" | "application/protobuf":
            return body
        case "application/json":
            return protobuf_of(body, signal, rejected)
        case other:
            raise Unreadable(
                f"content type {other!r} is not OTLP: send application/x-protobuf or "
                "application/json"
            )


def _groups(body: bytes, content_type: str, signal: str, decoded: Decoded[Any]) -> Iterator[_Group]:
    """Each resource × scope that can be read; the items of the others are counted as rejected."""
    for resource_body, scope_body, items in _parts(
        _protobuf(body, content_type, signal, decoded.rejected), signal
    ):
        try:
            resource, scope = _resource_of(resource_body), _scope_of(scope_body)
        except DecodeError:
            decoded.rejected["malformed resource or scope"] += len(items)
            continue
        yield _Group(resource_body, scope_body, resource, scope, items)


def _parts(body: bytes, signal: str) -> Iterator[tuple[bytes, bytes, list[bytes]]]:
    """Each resource × scope of a body with the raw items under it."""
    data, resources, by_resource, scopes, by_scope, items = _ENVELOPES[signal]
    groups_left = GROUPS_MAX
    items_left = max(ITEMS_MAX, len(body) // ITEM_BYTES)
    opened: list[tuple[bytes, bytes, list[bytes]]] = []
    try:
        groups_left -= _counted(data, resources, body, groups_left)
        for raw_group in getattr(data.FromString(body), resources):
            groups_left -= _counted(by_resource, scopes, raw_group, groups_left)
            group = by_resource.FromString(raw_group)
            for raw in getattr(group, scopes):
                items_left -= _counted(by_scope, items, raw, items_left)
                scope = by_scope.FromString(raw)
                opened.append((group.resource, scope.scope, list(getattr(scope, items))))
    except DecodeError as why:
        raise Unreadable(
            f"the body of {len(body)} bytes is not OTLP {signal} in protobuf ({why}): check the "
            "path that it was sent to, its Content-Type and its Content-Encoding"
        ) from why
    yield from opened


def _counted(message: Any, field: str, raw: bytes, most: int) -> int:
    """How many of a repeated field there are; raises Unreadable where it is more than `most`."""
    found = protobuf.fields_within(raw, message.DESCRIPTOR.fields_by_name[field].number, most)
    if found > most:
        raise Unreadable(f"over {most:,} {field} in one body: send them in smaller batches")
    return found


def _resource_of(raw: bytes) -> dict[str, Any]:
    known = _resources.get(raw)
    if known is None:
        known = attributes_of(list(protobuf.Resource.FromString(raw).attributes), Counter())
        _remember(_resources, raw, known)
    return known


def _scope_of(raw: bytes) -> str:
    known = _scopes.get(raw)
    if known is None:
        known = text_of(protobuf.Scope.FromString(raw).name, Counter())
        _remember(_scopes, raw, known)
    return known


def _remember(decoded: dict[bytes, Kept], raw: bytes, known: Kept) -> None:
    if len(raw) > RESOURCE_BYTES_MAX:
        return
    if len(decoded) >= RESOURCES_MAX:
        decoded.clear()
    decoded[raw] = known


# --- Items -----------------------------------------------------------------------------------

_PLAIN: dict[bytes, tuple[int, str]] = {b"": (0, ""), b"\x18\x01": (1, ""), b"\x18\x02": (2, "")}


def _span_of(  # noqa: PLR0917  (called for each span: keywords would cost a tenth)
    body: bytes,
    resource_body: bytes,
    scope_body: bytes,
    resource: Attributes,
    scope: str,
    trimmed: Counter[str],
) -> Span:
    message = protobuf.Span.FromString(body)
    trace_id: bytes = message.trace_id
    span_id: bytes = message.span_id
    parent_id: bytes = message.parent_span_id
    began: int = message.start_time_unix_nano
    ended: int = message.end_time_unix_nano
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise _Rejected(NO_TRACE_ID)
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise _Rejected(NO_SPAN_ID)
    if not 0 < began <= TIME_MAX_NS:
        raise _Rejected(NO_START)
    if not 0 < ended <= TIME_MAX_NS:
        raise _Rejected(NO_END)
    if ended < began:
        trimmed[END_BEFORE_START] += 1
        ended = began
    if len(parent_id) != 8 or parent_id == _NO_SPAN:
        if parent_id and parent_id != _NO_SPAN:
            trimmed[BAD_PARENT] += 1
        parent_id = b""
    status: tuple[int, str] = _PLAIN.get(message.status) or _status_of(message.status, trimmed)
    events: list[bytes] = message.events
    links: list[bytes] = message.links
    return Span(
        trace_id.hex(),
        span_id.hex(),
        parent_id.hex() or None,
        text_of(message.name, trimmed),
        message.kind,
        began,
        ended,
        status[0],
        status[1],
        attributes_of(message.attributes, trimmed),
        resource,
        scope,
        _events_of(events, trimmed) if events else (),
        _links_of(links, trimmed) if links else (),
        body,
        resource_body,
        scope_body,
    )


def _status_of(raw: bytes, trimmed: Counter[str]) -> tuple[int, str]:
    status = protobuf.Status.FromString(raw)
    return status.code, text_of(status.message, trimmed)


def _events_of(raws: list[bytes], trimmed: Counter[str]) -> tuple[SpanEvent, ...]:
    if len(raws) > EVENTS_MAX:
        trimmed[TOO_MANY_EVENTS] += 1
    return tuple(
        SpanEvent(
            text_of(message.name, trimmed),
            min(message.time_unix_nano, TIME_MAX_NS),
            attributes_of(message.attributes, trimmed),
        )
        for message in map(protobuf.Event.FromString, raws[:EVENTS_MAX])
    )


def _links_of(raws: list[bytes], trimmed: Counter[str]) -> tuple[SpanLink, ...]:
    if len(raws) > EVENTS_MAX:
        trimmed[TOO_MANY_EVENTS] += 1
    links: list[SpanLink] = []
    for message in map(protobuf.Link.FromString, raws[:EVENTS_MAX]):
        if len(message.trace_id) != 16 or len(message.span_id) != 8:
            trimmed[BAD_LINK] += 1
            continue
        attributes = attributes_of(message.attributes, trimmed)
        links.append(SpanLink(message.trace_id.hex(), message.span_id.hex(), attributes))
    return tuple(links)


def _log_of(  # noqa: PLR0917
    body: bytes,
    resource_body: bytes,
    scope_body: bytes,
    resource: Attributes,
    scope: str,
    trimmed: Counter[str],
) -> LogEvent:
    message = protobuf.LogRecord.FromString(body)
    time_ns: int = message.time_unix_nano or message.observed_time_unix_nano
    if not 0 < time_ns <= TIME_MAX_NS:
        raise _Rejected(NO_TIME)
    trace_id: bytes = message.trace_id
    span_id: bytes = message.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        if trace_id and trace_id != _NO_TRACE:
            trimmed[BAD_TRACE_ID] += 1
        trace_id = b""
    if len(span_id) != 8 or span_id == _NO_SPAN:
        span_id = b""
    attributes = attributes_of(message.attributes, trimmed)
    name = text_of(message.event_name, trimmed) or attributes.get("event.name", "")
    return LogEvent(
        trace_id.hex() or None,
        span_id.hex() or None,
        name if isinstance(name, str) else "",
        value_of(message.body, trimmed),
        time_ns,
        message.severity_number,
        attributes,
        resource,
        scope,
        body,
        resource_body,
        scope_body,
    )
