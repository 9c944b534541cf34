"""Plain values → OTLP protobuf: attributes, ids, resources, and whole requests.

Records and spans are made by whoever knows what they mean (`notify`, `export`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from aftershock import attributes

SERVICE = "aftershock"
SCOPE = InstrumentationScope(name="aftershock.collector")
HEX_16 = re.compile(r"[0-9a-f]{16}")
HEX_32 = re.compile(r"[0-9a-f]{32}")
SAMPLED = 1  # of the W3C trace flags
Value = str | bool | int | float | tuple[str, ...]


def logs_request(records: Sequence[LogRecord]) -> bytes | None:
    """A serialized `ExportLogsServiceRequest`; None where there are no records."""
    if not records:
        return None
    scope = ScopeLogs(scope=SCOPE, log_records=records)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource(), scope_logs=[scope])]
    ).SerializeToString()


def traces_request(spans: Sequence[Span]) -> bytes | None:
    """A serialized `ExportTraceServiceRequest`; None where there are no spans."""
    if not spans:
        return None
    scope = ScopeSpans(scope=SCOPE, spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource(), scope_spans=[scope])]
    ).SerializeToString()


def set_trace(record: LogRecord, trace_id: str, span_id: str) -> None:
    """Put a record into its trace; ids that are not W3C ids (imported runs) stay attributes."""
    if HEX_32.fullmatch(trace_id):
        record.trace_id = bytes.fromhex(trace_id)
        record.flags = SAMPLED
        if HEX_16.fullmatch(span_id):
            record.span_id = bytes.fromhex(span_id)


def trace_bytes(trace_id: str) -> bytes:
    """The action's trace; a run that came without one gets a trace made from its name."""
    return bytes.fromhex(trace_id) if HEX_32.fullmatch(trace_id) else hashed(trace_id, 16)


def span_bytes(span_id: str) -> bytes | None:
    """A span id as it goes on the wire; None where it was never a span of OpenTelemetry."""
    return bytes.fromhex(span_id) if HEX_16.fullmatch(span_id) else None


def hashed(text: str, size: int) -> bytes:
    """An id made from a text: the same text gives the same id."""
    return blake2b(text.encode(), digest_size=size).digest()


def resource() -> Resource:
    """The sender: the collector, not the agent."""
    return Resource(attributes=pairs({attributes.SERVICE_NAME: SERVICE}))


def pairs(values: Mapping[str, Value | None]) -> list[KeyValue]:
    """Attributes; None values are left out."""
    return [KeyValue(key=k, value=any_value(v)) for k, v in values.items() if v is not None]


def any_value(value: Value) -> AnyValue:
    """A plain value as an AnyValue."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, tuple):
        texts = [AnyValue(string_value=text) for text in value]
        return AnyValue(array_value=ArrayValue(values=texts))
    return AnyValue(string_value=value)
