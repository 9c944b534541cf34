"""OpenInference span JSON (one document per trace, spans nested in their parents) → OTLP.

This is how Patronus exports traces: ISO times and durations, child spans inside `child_spans`, and
each span's log records inside `logs`. Every span of the document is converted or counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from aftershock_collector.otlp.values import key_values
from aftershock_collector.reading.dialects import count_in
from aftershock_collector.reading.isotime import duration_ns_of, time_ns_of

NO_SPAN = "span that is not an object"
NO_TIME = "span without a time"
SEVERITY_MAX = 24  # of OTLP's enum

_KINDS: dict[str, Span.SpanKind.ValueType] = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
_STATUS: dict[str, Status.StatusCode.ValueType] = {
    "ok": Status.STATUS_CODE_OK,
    "error": Status.STATUS_CODE_ERROR,
}


class Converted(NamedTuple):
    """One document in OTLP, with what of it could not be converted."""

    traces: bytes  # TracesData
    logs: bytes | None  # LogsData; None: there are none
    rejected: Counter[str]


def is_openinference(document: Any) -> bool:
    """True for a document with spans that have `span_attributes`."""
    if not isinstance(document, dict):
        return False
    spans = _objects(cast("dict[str, Any]", document), "spans")
    return any("span_attributes" in span for span in spans)


def requests_of(document: Mapping[str, Any]) -> Converted:
    """All spans and log records of a document."""
    rejected: Counter[str] = Counter()
    traces, logs = TracesData(), LogsData()
    for given in _walk(document["spans"], rejected):
        span = _span(given)
        if span is None:
            rejected[NO_TIME] += 1
            continue
        resource = key_values(_mapping(given, "resource_attributes"))
        scope = _text(given, "scope_name") or ""
        version = _text(given, "scope_version") or ""
        group = traces.resource_spans.add()
        group.resource.attributes.extend(resource)
        scoped = group.scope_spans.add(spans=[span])
        scoped.scope.name, scoped.scope.version = scope, version
        records = [record for log in _objects(given, "logs") if (record := _log(log))]
        if records:
            place = logs.resource_logs.add()
            place.resource.attributes.extend(resource)
            place.scope_logs.add(log_records=records).scope.name = scope
    log_body = logs.SerializeToString() if logs.resource_logs else None
    return Converted(traces.SerializeToString(), log_body, rejected)


def _walk(spans: Any, rejected: Counter[str]) -> Iterator[Mapping[str, Any]]:
    """Every span, parents first; without recursion, because documents can be hostile."""
    waiting: list[Any] = list(reversed(spans))
    while waiting:
        span = waiting.pop()
        if not isinstance(span, dict):
            rejected[NO_SPAN] += 1
            continue
        given = cast("dict[str, Any]", span)
        yield given
        children = given.get("child_spans")
        if isinstance(children, list):
            waiting.extend(reversed(cast("list[Any]", children)))


def _span(given: Mapping[str, Any]) -> Span | None:
    began, lasted = time_ns_of(given.get("timestamp")), duration_ns_of(given.get("duration"))
    if began is None or began <= 0 or lasted is None:
        return None
    return Span(
        trace_id=_id(given, "trace_id"),
        span_id=_id(given, "span_id"),
        parent_span_id=_id(given, "parent_span_id"),
        trace_state=_text(given, "trace_state") or "",
        name=_text(given, "span_name") or "",
        kind=_KINDS.get((_text(given, "span_kind") or "").lower(), Span.SPAN_KIND_UNSPECIFIED),
        start_time_unix_nano=began,
        end_time_unix_nano=began + lasted,
        attributes=key_values(_mapping(given, "span_attributes")),
        status=Status(
            code=_STATUS.get((_text(given, "status_code") or "").lower(), Status.STATUS_CODE_UNSET),
            message=_text(given, "status_message") or "",
        ),
        events=[
            Span.Event(
                name=_text(event, "Name", "name") or "",
                time_unix_nano=time_ns_of(_text(event, "Timestamp", "timestamp")) or began,
                attributes=key_values(
                    _mapping(event, "Attributes") or _mapping(event, "attributes")
                ),
            )
            for event in _objects(given, "events")
        ],
    )


def _log(given: Mapping[str, Any]) -> LogRecord | None:
    time_ns = time_ns_of(given.get("timestamp"))
    if time_ns is None or time_ns <= 0:
        return None
    (body,) = key_values({"body": given.get("body")})
    return LogRecord(
        time_unix_nano=time_ns,
        severity_number=cast("Any", min(count_in(given, "severity_number") or 0, SEVERITY_MAX)),
        severity_text=_text(given, "severity_text") or "",
        body=body.value,
        attributes=key_values(_mapping(given, "log_attributes")),
        trace_id=_id(given, "trace_id"),
        span_id=_id(given, "span_id"),
    )


def _id(given: Mapping[str, Any], key: str) -> bytes:
    """An id in hex; anything else is no id, and whoever decodes the span says so."""
    try:
        return bytes.fromhex(_text(given, key) or "")
    except ValueError:
        return b""


def _mapping(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = given.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _objects(given: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = given.get(key)
    if not isinstance(value, list):
        return []
    return [
        cast("dict[str, Any]", one) for one in cast("list[Any]", value) if isinstance(one, dict)
    ]


def _text(given: Mapping[str, Any], *keys: str) -> str | None:
    return next((value for key in keys if isinstance(value := given.get(key), str)), None)
