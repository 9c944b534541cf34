"""A real OTLP/HTTP receiver on loopback that keeps what it is sent, decoded, for tests to read."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One span, one log event or one point of a metric, as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    arrived_at_ns: int
    status: int = 0
    message: str = ""
    events: tuple[Any, ...] = ()
    ended_at_ns: int = 0
    began_at_ns: int = 0
    point: Any = None  # of a metric: as OTLP has it
    kind: int = 0  # of a span: OTLP's SpanKind

    def texts(self) -> str:
        """Everything in it that could hold a text."""
        return repr((self.name, self.attributes, self.message, self.events))


def value_of(value: Any) -> Any:
    """An AnyValue as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def attributes_of(pairs: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {pair.key: value_of(pair.value) for pair in pairs}


class Answerer(BaseHTTPRequestHandler):
    """Takes one request."""

    protocol_version = "HTTP/1.1"
    server: SinkServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        """Decode and keep, or answer what the test wants answered."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        time.sleep(self.server.delay_s)
        if self.server.status < 400:
            self.server.keep(self.path, body)
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()


class SinkServer(ThreadingHTTPServer):
    """The listening socket with what it received."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answerer)
        self.delay_s = 0.0
        self.status = 200
        self.changed = threading.Condition()
        self.spans: list[Received] = []
        self.events: list[Received] = []
        self.metrics: list[Received] = []

    def keep(self, path: str, body: bytes) -> None:
        """Take one request's items in."""
        now = time.time_ns()
        with self.changed:
            if path.endswith("/v1/traces"):
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    resource = attributes_of(group.resource.attributes)
                    for scope in group.scope_spans:
                        self.spans += [span_of(one, resource, now) for one in scope.spans]
            elif path.endswith("/v1/metrics"):
                for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    resource = attributes_of(metrics.resource.attributes)
                    for scope in metrics.scope_metrics:
                        self.metrics += [
                            point_of(metric, point, resource, now)
                            for metric in scope.metrics
                            for point in points_of(metric)
                        ]
            else:
                for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                    resource = attributes_of(logs.resource.attributes)
                    for scope in logs.scope_logs:
                        self.events += [event_of(one, resource, now) for one in scope.log_records]
            self.changed.notify_all()


def span_of(span: Any, resource: dict[str, Any], now: int) -> Received:
    """One span."""
    return Received(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        attributes_of(span.attributes),
        resource,
        now,
        span.status.code,
        span.status.message,
        tuple((e.name, attributes_of(e.attributes)) for e in span.events),
        span.end_time_unix_nano,
        span.start_time_unix_nano,
        kind=span.kind,
    )


def event_of(log: Any, resource: dict[str, Any], now: int) -> Received:
    """One log event."""
    found = attributes_of(log.attributes)
    return Received(
        log.event_name,
        log.trace_id.hex(),
        log.span_id.hex(),
        "",
        found,
        resource,
        now,
        message=str(value_of(log.body)),
    )


def points_of(metric: Any) -> Any:
    """The points of a metric of whatever kind."""
    return getattr(metric, metric.WhichOneof("data")).data_points


def point_of(metric: Any, point: Any, resource: dict[str, Any], now: int) -> Received:
    """One point of a metric."""
    found = attributes_of(point.attributes)
    return Received(metric.name, "", "", "", found, resource, now, message=metric.unit, point=point)


class Sink:
    """A running receiver. `url` is what OTEL_EXPORTER_OTLP_ENDPOINT wants."""

    def __init__(self, port: int = 0) -> None:
        self.server = SinkServer(port)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Received]:
        """Spans so far."""
        return list(self.server.spans)

    @property
    def events(self) -> list[Received]:
        """Log events so far."""
        return list(self.server.events)

    @property
    def metrics(self) -> list[Received]:
        """Points of metrics so far."""
        return list(self.server.metrics)

    def wait(self, seen: Callable[[Sink], bool], timeout_s: float = 5.0) -> bool:
        """Wait until `seen` is true of what has arrived; False where it is not in time."""
        with self.server.changed:
            return self.server.changed.wait_for(lambda: seen(self), timeout_s)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)
