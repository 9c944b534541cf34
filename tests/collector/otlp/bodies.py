"""OTLP bodies for tests: spans and attributes as protobuf, and a server that keeps what it gets."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE as CUMULATIVE,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from aftershock_collector.otlp.decode import (
    decode_logs,
    decode_metrics,
    decode_traces,
)

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
T0 = 1_790_000_000_000_000_000
DECODERS = (decode_traces, decode_logs, decode_metrics)


def otlp_span(**changes: Any) -> OtlpSpan:
    fields: dict[str, Any] = {
        "trace_id": b"T" * 16,
        "span_id": b"S" * 8,
        "name": "chat gpt-x",
        "start_time_unix_nano": T0,
        "end_time_unix_nano": T0 + 5,
    }
    return OtlpSpan(**(fields | changes))


def traces(*spans: OtlpSpan) -> bytes:
    data = TracesData()
    data.resource_spans.add().scope_spans.add(spans=spans)
    return data.SerializeToString()


def with_attributes(*pairs: KeyValue) -> bytes:
    return traces(otlp_span(attributes=pairs))


def pair(key: str, **value: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


@contextmanager
def receiver() -> Generator[tuple[str, list[bytes]]]:
    """A real HTTP server that keeps the bodies it was sent."""
    bodies: list[bytes] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["Content-Type"] == PROTOBUF
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()


def everything() -> tuple[bytes, bytes, bytes]:
    """A request of each signal with about every field in use."""
    spans = TracesData()
    group = spans.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.37.0")
    group.resource.attributes.append(pair("service.name", string_value="agents"))
    scoped = group.scope_spans.add()
    scoped.scope.name = "genai"
    scoped.spans.append(
        otlp_span(
            parent_span_id=b"P" * 8,
            kind=3,
            status={"code": 2, "message": "it failed"},
            attributes=[
                pair("text", string_value="x"), pair("whole", int_value=-(2**60)),
                pair("real", double_value=1.5), pair("yes", bool_value=True),
                pair("raw", bytes_value=b"\x00\x01"),
                pair("list", array_value=ArrayValue(values=[AnyValue(int_value=1)])),
            ],
            events=[OtlpSpan.Event(name="exception", time_unix_nano=T0)],
            links=[OtlpSpan.Link(trace_id=b"L" * 16, span_id=b"l" * 8)],
        )
    )  # fmt: skip
    logs = LogsData()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=T0, severity_number=13, event_name="aftershock.fact",
        trace_id=b"T" * 16, span_id=b"S" * 8,
    )  # fmt: skip
    record.body.string_value = "said"
    metrics = MetricsData()
    found = metrics.resource_metrics.add().scope_metrics.add()
    gauge = found.metrics.add(name="gauge").gauge
    gauge.data_points.add(time_unix_nano=T0, as_int=-3)
    total = found.metrics.add(name="sum", unit="1").sum
    total.is_monotonic, total.aggregation_temporality = True, DELTA
    total.data_points.add(time_unix_nano=T0, start_time_unix_nano=T0 - 9, as_double=2.5)
    histogram = found.metrics.add(name="histogram").histogram
    histogram.aggregation_temporality = CUMULATIVE
    histogram.data_points.add(
        time_unix_nano=T0, count=3, sum=4.0, bucket_counts=[1, 2], explicit_bounds=[1.0]
    )
    exponential = found.metrics.add(name="exponential").exponential_histogram
    exponential.aggregation_temporality = CUMULATIVE
    exponential.data_points.add(
        time_unix_nano=T0, count=3, scale=-1, zero_count=1,
        positive={"offset": -2, "bucket_counts": [2]},
    )  # fmt: skip
    summary = found.metrics.add(name="summary").summary
    summary.data_points.add(
        time_unix_nano=T0, count=3, sum=4.0,
        quantile_values=[{"quantile": 0.5, "value": 1.0}, {"quantile": 0.9, "value": float("nan")}],
    )  # fmt: skip
    return spans.SerializeToString(), logs.SerializeToString(), metrics.SerializeToString()


TRACES, LOGS, METRICS = everything()
