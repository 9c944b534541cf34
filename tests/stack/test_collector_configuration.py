"""What the OpenTelemetry Collector's configuration does, by the real program: who gets what, once."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,  # pyright: ignore[reportUnknownVariableType]
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from aftershock import attributes as names
from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Children
from aftershock_collector.metrics.entities import place_of
from tests.stack.requirements import need
from tests.support.otlp_sink import Sink
from tests.support.traffic import attribute

COLLECTOR = Path(__file__).parents[2] / "deploy" / "otel-collector" / "collector.yaml"
SAMPLING_S = 1  # ten seconds in compose
ORDINARY = 200  # traces without an agent; a tenth is to be kept
WAIT_S = 15.0


class TempoDoor(TraceServiceServicer):
    """Takes OTLP by gRPC, as Tempo does, into a sink."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
        self.sink.server.keep("/v1/traces", request.SerializeToString())
        return ExportTraceServiceResponse()


@dataclass(frozen=True)
class Around:
    """A running collector and everything that it sends to."""

    aftershock: Sink
    prometheus: Sink
    loki: Sink
    tempo: Sink
    otlp: str
    findings: str
    targets: Path
    children: Children
    start: Callable[[], None]

    def send(self, spans: Sequence[Span], door: str | None = None) -> None:
        """Spans of one service."""
        request = ExportTraceServiceRequest()
        request.resource_spans.add().scope_spans.add().spans.extend(spans)
        self.post("/v1/traces", request.SerializeToString(), door)

    def log(self, event: str, door: str | None = None) -> None:
        """A log event."""
        request = ExportLogsServiceRequest()
        records = request.resource_logs.add().scope_logs.add().log_records
        records.add(event_name=event, time_unix_nano=time.time_ns())
        self.post("/v1/logs", request.SerializeToString(), door)

    def post(self, path: str, content: bytes, door: str | None) -> None:
        headers = {"content-type": "application/x-protobuf"}
        with httpx.Client(trust_env=False) as client:
            client.post((door or self.otlp) + path, content=content, headers=headers)


@contextmanager
def around(folder: Path) -> Generator[Around]:
    (otelcol,) = need("otelcol")
    targets = folder / "targets"
    targets.mkdir()
    with ExitStack() as stack:
        aftershock, prometheus, loki, tempo = (stack.enter_context(Sink()) for _ in range(4))
        server: grpc.Server = grpc.server(ThreadPoolExecutor(2))  # pyright: ignore[reportUnknownMemberType]
        add_TraceServiceServicer_to_server(TempoDoor(tempo), server)
        tempo_port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        stack.callback(server.stop, 0)
        children = stack.enter_context(Children(folder))
        doors = {
            name: f"127.0.0.1:{free_port()}"
            for name in (
                "COLLECTOR_GRPC",
                "COLLECTOR_HTTP",
                "COLLECTOR_FINDINGS",
                "COLLECTOR_HEALTH",
            )
        }
        environment = {
            **doors,
            "COLLECTOR_METRICS_HOST": "127.0.0.1",
            "COLLECTOR_METRICS_PORT": str(free_port()),
            "COLLECTOR_QUEUES": str(folder / "queues"),
            "SCRAPE_EVERY": "1s",
            "SCRAPE_TARGETS": str(targets),
            "SAMPLING_WAIT": f"{SAMPLING_S}s",
            "AFTERSHOCK_URL": aftershock.url,
            "PROMETHEUS_URL": prometheus.url,
            "LOKI_URL": loki.url,
            "TEMPO_GRPC": f"127.0.0.1:{tempo_port}",
        }

        def start() -> None:
            child = children.start("otelcol", [str(otelcol), f"--config={COLLECTOR}"], environment)
            child.wait_until(lambda: healthy(f"http://{doors['COLLECTOR_HEALTH']}"))

        start()
        otlp, findings = (f"http://{doors[f'COLLECTOR_{name}']}" for name in ("HTTP", "FINDINGS"))
        yield Around(aftershock, prometheus, loki, tempo, otlp, findings, targets, children, start)


def healthy(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Around]:
    with around(tmp_path_factory.mktemp("otelcol")) as found:
        yield found


def span(
    trace: bytes, name: str, attributes: dict[str, str] | None = None, *, failed: bool = False
) -> Span:
    """A span that has just ended."""
    now = time.time_ns()
    return Span(
        trace_id=trace,
        span_id=secrets.token_bytes(8),
        name=name,
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
        attributes=[attribute(key, value) for key, value in (attributes or {}).items()],
        status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
    )


def traces(sink: Sink, name: str) -> Counter[str]:
    """How often a span of that name came, by trace."""
    return Counter(found.trace_id for found in sink.spans if found.name == name)


@pytest.fixture(scope="module")
def ordinary(running: Around) -> list[bytes]:
    """Traces without an agent, sent, and decided upon."""
    sent = [secrets.token_bytes(16) for _ in range(ORDINARY)]
    running.send([span(trace, "GET /") for trace in sent])
    assert running.aftershock.wait(lambda sink: len(traces(sink, "GET /")) == ORDINARY, WAIT_S)
    time.sleep(SAMPLING_S + 2)
    return sent


def test_aftershock_hears_every_span_once_and_tempo_a_tenth_of_what_is_ordinary(
    running: Around, ordinary: list[bytes]
) -> None:
    assert Counter(trace.hex() for trace in ordinary) == traces(running.aftershock, "GET /")
    kept = traces(running.tempo, "GET /")
    assert set(kept.values()) == {1}
    assert 3 <= len(kept) <= 50  # 20 of 200, give or take six deviations


@pytest.mark.parametrize(
    "deferred",
    [
        {names.ACTION_TIER: "destructive", names.OPERATION: "execute_tool"},
        {names.ACTION_TIER: "write"},
        {names.FINDING_ID: "f1"},
        {names.RUN_ID: "r1"},
        {names.AGENT_NAME: "sre-agent"},
        {"openinference.span.kind": "TOOL"},
        {"traceloop.span.kind": "tool"},
    ],
    ids=",".join,
)
def test_what_agents_do_is_kept_though_it_ends_long_after_its_trace_was_left_out(
    running: Around, ordinary: list[bytes], deferred: dict[str, str]
) -> None:
    left_out = [t for t in ordinary if t.hex() not in traces(running.tempo, "GET /")]
    name = f"deferred {sorted(deferred)}"

    running.send([span(trace, name, deferred) for trace in left_out])

    wanted = Counter(trace.hex() for trace in left_out)
    assert running.tempo.wait(lambda sink: traces(sink, name) == wanted, WAIT_S)


def test_errors_are_kept_whenever_they_come(running: Around, ordinary: list[bytes]) -> None:
    left_out = [t for t in ordinary if t.hex() not in traces(running.tempo, "GET /")]

    running.send([span(trace, "deferred error", failed=True) for trace in left_out])

    wanted = Counter(trace.hex() for trace in left_out)
    assert running.tempo.wait(lambda sink: traces(sink, "deferred error") == wanted, WAIT_S)


def test_an_agents_trace_is_kept_whole_and_comes_once(running: Around) -> None:
    sent = [secrets.token_bytes(16) for _ in range(20)]
    risky = {names.ACTION_TIER: "provision", names.OPERATION: "execute_tool"}

    for trace in sent:
        running.send([span(trace, "execute_tool scale", risky), span(trace, "SELECT orders")])

    wanted = Counter(trace.hex() for trace in sent)
    assert running.tempo.wait(lambda sink: traces(sink, "execute_tool scale") == wanted, 1.0)
    assert running.tempo.wait(lambda sink: traces(sink, "SELECT orders") == wanted, WAIT_S)
    time.sleep(SAMPLING_S)
    assert traces(running.tempo, "execute_tool scale") == wanted


def test_what_aftershock_says_goes_to_tempo_and_loki_and_not_back(running: Around) -> None:
    trace = secrets.token_bytes(16)

    running.send([span(trace, "verdict of ours")], running.findings)
    running.log("finding of ours", running.findings)
    running.send([span(trace, "somebody's span", {names.OPERATION: "chat"})])
    running.log("somebody's event")

    assert running.tempo.wait(lambda sink: bool(traces(sink, "verdict of ours")), WAIT_S)
    for sink in (running.loki, running.aftershock):
        assert sink.wait(lambda s: "somebody's event" in {e.name for e in s.events}, WAIT_S)
    assert running.loki.wait(lambda s: "finding of ours" in {e.name for e in s.events}, WAIT_S)
    assert running.aftershock.wait(lambda sink: bool(traces(sink, "somebody's span")), WAIT_S)
    assert "finding of ours" not in {event.name for event in running.aftershock.events}
    assert not traces(running.aftershock, "verdict of ours")


def entities(sink: Sink, metric: str) -> set[str]:
    """The entities under which Aftershock files a metric."""
    places = {
        place_of(found.name, found.resource, found.attributes, called=False)
        for found in sink.metrics
        if found.name == metric
    }
    return {place.entity for place in places if place is not None}


def test_what_is_measured_is_filed_under_the_keys_that_agents_tools_name(running: Around) -> None:
    registry = CollectorRegistry()
    Gauge("queue_length", "Waiting", registry=registry).set(3)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    group = {"targets": [f"127.0.0.1:{server.server_port}"], "labels": {"job": "checkout"}}
    (running.targets / "shop.json").write_text(json.dumps([group]), encoding="utf-8")
    host = f"host/{socket.gethostname()}"

    for sink in (running.aftershock, running.prometheus):
        assert sink.wait(lambda s: entities(s, "queue_length") == {"service/checkout"}, WAIT_S)
        assert sink.wait(lambda s: entities(s, "system.cpu.utilization") == {host}, WAIT_S)
    server.shutdown()
    thread.join()


def test_a_container_would_take_its_own_interfaces_for_the_hosts(running: Around) -> None:
    assert running.aftershock.wait(
        lambda sink: bool(entities(sink, "system.memory.utilization")), WAIT_S
    )

    assert not any(found.name.startswith("system.network") for found in running.aftershock.metrics)


def test_what_waits_for_aftershock_outlives_a_kill(tmp_path: Path) -> None:
    with around(tmp_path) as running:
        trace = secrets.token_bytes(16)
        running.aftershock.server.status = 503
        running.send([span(trace, "kept on disk")])
        time.sleep(1)  # until it is out of the batch and in the queue
        running.children.named("otelcol").process.kill()
        running.aftershock.server.status = 200
        running.start()

        assert running.aftershock.wait(
            lambda sink: traces(sink, "kept on disk") == {trace.hex(): 1}, WAIT_S
        )
