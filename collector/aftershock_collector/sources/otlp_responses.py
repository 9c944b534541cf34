"""Answers of the ingest queue as OTLP export responses, the same for HTTP and gRPC."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from aftershock_collector.sources.requests import Accepted, Signal

# Signal → response message, the field that counts refused items, and its name in JSON.
_RESPONSES: dict[Signal, tuple[type[Any], str, str]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans", "rejectedSpans"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords"),
}


def response_of(signal: Signal, accepted: Accepted) -> Message:
    """The export response; `partial_success` is set only if items were refused."""
    message, rejected, _ = _RESPONSES[signal]
    response = message()
    if accepted.rejected:
        setattr(response.partial_success, rejected, accepted.rejected)
        response.partial_success.error_message = accepted.message
    return response


def response_json(signal: Signal, accepted: Accepted) -> dict[str, Any]:
    """The same as OTLP/JSON, which writes 64-bit integers as strings."""
    if not accepted.rejected:
        return {}
    name = _RESPONSES[signal][2]
    return {
        "partialSuccess": {name: str(accepted.rejected), "errorMessage": accepted.message},
    }
