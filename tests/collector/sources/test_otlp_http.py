"""OTLP over HTTP on real sockets, with the real exporters and with everything that is no OTLP."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import socket
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import SpanExportResult
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources import otlp_http
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal
from tests.collector.sources.serving import Intake, serving
from tests.support.otlp_sender import recorded_spans
from tests.support.traffic import looping_run, span_request

PROTOBUF = "application/x-protobuf"
BODY = span_request(looping_run(random.Random(1)).spans)


@dataclass
class Listener(Intake):
    """A listening app whose ingest queue is a list."""

    reasons: list[str] = field(default_factory=list[str])
    url: str = ""
    port: int = 0

    def post(
        self, path: str = "/v1/traces", content: bytes = BODY, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(
            self.url + path, content=content, headers={"content-type": PROTOBUF} | named, timeout=30
        )

    def requests(self, answer: int, signal: str = "traces") -> float:
        return self.counted("http", signal, str(answer))


@contextmanager
def listening(listener: Listener, config: Config) -> Generator[None]:
    async def hello(_: Request) -> Response:
        return PlainTextResponse("a page")

    app = otlp_http.otlp_app(
        listener.submit,
        listener.telemetry,
        config,
        lambda: listener.reasons,
        [Route("/page", hello)],
    )
    with serving(
        lambda: otlp_http.listening(app, config.http, listener.telemetry, config)
    ) as address:
        listener.url, listener.port = f"http://{address}", address.port
        yield


CONFIG = replace(Config(Path("unused")), http=Address("127.0.0.1", 0), request_bytes_max=200_000)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    with listening(made, CONFIG):
        yield made


# --- Real exporters --------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", list(Compression))
def test_the_real_span_exporter_is_understood(listener: Listener, compression: Compression) -> None:
    exporter = OTLPSpanExporter(f"{listener.url}/v1/traces", compression=compression)

    assert exporter.export(recorded_spans(3)) is SpanExportResult.SUCCESS
    ((signal, body, content_type),) = listener.submitted
    assert (Signal.TRACES, PROTOBUF) == (signal, content_type)
    request = ExportTraceServiceRequest.FromString(body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 3


def test_the_real_metric_and_log_exporters_are_understood(listener: Listener) -> None:
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{listener.url}/v1/metrics"))
    meters = MeterProvider([reader])
    meters.get_meter("m").create_counter("c").add(1)
    meters.shutdown()
    logs = LoggerProvider()
    exporter = OTLPLogExporter(f"{listener.url}/v1/logs")
    logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logs.get_logger("l").emit(body="hello", event_name="aftershock.fact")
    logs.shutdown()

    assert {Signal.METRICS, Signal.LOGS} == {signal for signal, _, _ in listener.submitted}


def test_the_real_exporter_comes_back_after_busy(listener: Listener) -> None:
    listener.answers = [Busy(0.1, "the store cannot write: locked")]
    exporter = OTLPSpanExporter(f"{listener.url}/v1/traces")

    assert exporter.export(recorded_spans(1)) is SpanExportResult.SUCCESS
    first, second = listener.submitted
    assert first == second


def test_a_sender_without_a_token_is_named_by_its_address(listener: Listener) -> None:
    listener.post()

    assert listener.senders == ["127.0.0.1"]


# --- Answers ---------------------------------------------------------------------------------------


def test_an_accepted_request_gets_an_empty_response_of_the_same_type(listener: Listener) -> None:
    protobuf, plain = listener.post(), listener.post(content=b"{}", content_type="application/json")

    assert (200, b"", PROTOBUF) == (
        protobuf.status_code,
        protobuf.content,
        protobuf.headers["content-type"],
    )
    assert (200, {}) == (plain.status_code, plain.json())
    assert [PROTOBUF, "application/json"] == [kind for _, _, kind in listener.submitted]
    assert listener.requests(200) == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/traces", "rejectedSpans"),
        ("/v1/metrics", "rejectedDataPoints"),
        ("/v1/logs", "rejectedLogRecords"),
    ],
)
def test_a_partial_success_says_how_many_and_why(listener: Listener, path: str, name: str) -> None:
    listener.answers = [Accepted(2, "bad id: 2")]
    response = listener.post(path, b"{}", content_type="application/json; charset=utf-8").json()

    assert response == {"partialSuccess": {name: "2", "errorMessage": "bad id: 2"}}


def test_a_partial_success_in_protobuf(listener: Listener) -> None:
    listener.answers = [Accepted(2, "bad id: 2")]
    response = ExportTraceServiceResponse.FromString(listener.post().content)

    assert (2, "bad id: 2") == (
        response.partial_success.rejected_spans,
        response.partial_success.error_message,
    )


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Refused("not OTLP"), 400, 3),
        (Refused("internal error", ours=True), 500, 13),
        (Busy(1.2, "the queue is full", full=True), 503, 14),
    ],
)
def test_a_refusal_is_a_status_in_the_type_of_the_request(
    listener: Listener, answer: Answer, status: int, code: int
) -> None:
    listener.answers = [answer, answer]
    protobuf, plain = listener.post(), listener.post(content=b"{}", content_type="application/json")

    assert status == protobuf.status_code == plain.status_code
    error = Status.FromString(protobuf.content)
    assert not isinstance(answer, Accepted)
    assert (code, answer.message) == (error.code, error.message)
    assert plain.json() == {"code": code, "message": answer.message}
    assert protobuf.headers.get("retry-after") == ("2" if status == 503 else None)
    assert listener.requests(status) == 2


def test_our_own_bug_is_500_counted_and_tells_nothing(listener: Listener) -> None:
    listener.fails = True
    response = listener.post()

    assert response.status_code == 500
    assert b"our bug" not in response.content
    failures = listener.telemetry.registry.get_sample_value(
        "aftershock_failures_total", {"place": "http"}
    )
    assert failures == 1


# --- What is no OTLP -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-protobuf-but-not", "\xff"])
def test_another_content_type_is_415(listener: Listener, kind: str) -> None:
    response = httpx.post(
        f"{listener.url}/v1/traces", content=b"x", headers={b"content-type": kind.encode("latin-1")}
    )

    assert response.status_code == 415
    assert listener.submitted == []


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_packed_bodies_are_unpacked(listener: Listener, pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"

    assert listener.post(content=pack(BODY), content_encoding=encoding).status_code == 200
    assert listener.submitted == [(Signal.TRACES, BODY, PROTOBUF)]


def test_a_gzip_of_several_members_is_one_body(listener: Listener) -> None:
    packed = gzip.compress(BODY[:10]) + gzip.compress(BODY[10:])

    assert listener.post(content=packed, content_encoding="gzip").status_code == 200
    assert listener.submitted[0][1] == BODY


@pytest.mark.parametrize(
    ("packed", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(BODY)[:-9], "gzip", 400),
        (gzip.compress(BODY) + b"rubbish", "gzip", 400),
        (b"", "gzip", 400),
        (BODY, "br", 415),
        (BODY, "gzip, gzip", 415),
    ],
)
def test_packing_that_cannot_be_undone_is_refused(
    listener: Listener, packed: bytes, encoding: str, status: int
) -> None:
    assert listener.post(content=packed, content_encoding=encoding).status_code == status
    assert listener.submitted == []


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)]
    return b"".join([*parts, packer.flush()])


def test_a_gzip_bomb_is_413_before_it_is_unpacked(listener: Listener) -> None:
    packed = bomb(150_000_000)
    assert len(packed) < CONFIG.request_bytes_max  # only what it becomes is too large

    assert listener.post(content=packed, content_encoding="gzip").status_code == 413
    members = gzip.compress(bytes(150_000)) * 50
    assert listener.post(content=members, content_encoding="gzip").status_code == 413
    assert listener.submitted == []


def test_a_body_that_is_too_large_is_413_declared_or_not(listener: Listener) -> None:
    def chunks() -> Iterator[bytes]:
        yield from [bytes(50_000)] * 10

    declared = listener.post(content=bytes(CONFIG.request_bytes_max + 1))
    chunked = httpx.post(
        f"{listener.url}/v1/traces", content=chunks(), headers={"content-type": PROTOBUF}
    )

    assert [413, 413] == [declared.status_code, chunked.status_code]
    assert listener.submitted == []


def test_a_sender_that_hangs_up_in_the_middle_costs_nothing(listener: Listener) -> None:
    head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PROTOBUF}\r\n"
    with socket.create_connection(("127.0.0.1", listener.port)) as sender:
        sender.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + bytes(10))

    assert listener.post().status_code == 200
    assert len(listener.submitted) == 1


def test_too_much_at_once_is_busy_and_not_memory(tmp_path: Path) -> None:
    made = Listener()
    with listening(made, replace(CONFIG, queue_bytes_max=100_000)):
        response = made.post(content=bytes(150_000))

    assert (503, "1") == (response.status_code, response.headers["retry-after"])
    assert made.submitted == []


def test_a_sender_that_trickles_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_http, "BODY_S", 0.2)
    made = Listener()
    with (
        listening(made, CONFIG),
        socket.create_connection(("127.0.0.1", made.port)) as sender,
    ):
        head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PROTOBUF}\r\n"
        sender.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + bytes(10))
        sender.settimeout(5)
        assert b"408" in sender.recv(100)


def test_get_is_not_allowed_and_nothing_else_is_there(listener: Listener) -> None:
    assert httpx.get(f"{listener.url}/v1/traces").status_code == 405
    assert httpx.post(f"{listener.url}/v1/profiles", json={}).status_code == 404


# --- About itself ----------------------------------------------------------------------------------


def test_health_is_ok_until_something_does_not_work(listener: Listener) -> None:
    def state(path: str) -> tuple[int, Sequence[str]]:
        response = httpx.get(listener.url + path)
        return response.status_code, [response.json()["status"], *response.json()["reasons"]]

    assert [(200, ["ok"])] * 2 == [state("/healthz"), state("/readyz")]
    listener.reasons = ["the store cannot write: full"]
    expected = ["degraded", "the store cannot write: full"]
    assert [(200, expected), (503, expected)] == [state("/healthz"), state("/readyz")]


def test_metrics_are_exposed_as_prometheus_reads_them(listener: Listener) -> None:
    listener.post()
    response = httpx.get(f"{listener.url}/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    assert 'aftershock_requests_total{answer="200",signal="traces",transport="http"} 1.0' in (
        response.text
    )
    assert "process_resident_memory_bytes" in response.text


def test_alertmanagers_webhook_is_passed_on_as_it_came(listener: Listener) -> None:
    body = json.dumps({"version": "4", "alerts": []}).encode()
    listener.answers = [Accepted(), Refused("not JSON"), Busy(1, "busy")]
    path = "/api/v1/alerts/alertmanager"
    answers = [listener.post(path, body, content_type="application/json") for _ in range(3)]

    assert [200, 400, 503] == [answer.status_code for answer in answers]
    assert listener.submitted[0] == (Signal.ALERTS, body, "application/json")


def test_pages_can_be_added(listener: Listener) -> None:
    assert httpx.get(f"{listener.url}/page").text == "a page"


def test_an_address_that_is_taken_is_an_error(listener: Listener) -> None:
    async def listen_again() -> None:
        app = otlp_http.otlp_app(listener.submit, listener.telemetry, CONFIG, lambda: ())
        async with otlp_http.listening(
            app, Address("127.0.0.1", listener.port), listener.telemetry, CONFIG
        ):
            pass

    with pytest.raises(OSError, match="in use"):
        asyncio.run(listen_again())
