"""OTLP over gRPC on real sockets, with the real exporters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import SpanExportResult

from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources import otlp_grpc
from aftershock_collector.sources.requests import Accepted, Busy, Refused, Signal
from tests.collector.sources.serving import Intake, serving
from tests.support.otlp_sender import recorded_spans

CONFIG = replace(Config(Path("unused")), request_bytes_max=200_000)
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_grpc: Any = grpc


@dataclass
class Listener(Intake):
    """A listening service whose ingest queue is a list."""

    target: str = ""

    def send(self, body: bytes, **options: Any) -> bytes:
        with _grpc.insecure_channel(self.target) as channel:
            return channel.unary_unary(METHOD)(body, timeout=10, **options)

    def requests(self, answer: str) -> float:
        return self.counted("grpc", "traces", answer)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made, here = Listener(), Address("127.0.0.1", 0)
    with serving(lambda: otlp_grpc.listening(made.submit, made.telemetry, CONFIG, here)) as address:
        made.target = str(address)
        yield made


@pytest.mark.parametrize("compression", list(grpc.Compression))
def test_the_real_span_exporter_is_understood(
    listener: Listener, compression: grpc.Compression
) -> None:
    exporter: Any = OTLPSpanExporter(listener.target, insecure=True, compression=compression)
    result = exporter.export(recorded_spans(3))
    exporter.shutdown()

    assert result is SpanExportResult.SUCCESS
    ((signal, body, content_type),) = listener.submitted
    assert (Signal.TRACES, "application/x-protobuf") == (signal, content_type)
    request = ExportTraceServiceRequest.FromString(body)
    assert len(request.resource_spans[0].scope_spans[0].spans) == 3
    assert listener.requests("OK") == 1


def test_the_real_metric_and_log_exporters_are_understood(listener: Listener) -> None:
    exporter = OTLPMetricExporter(listener.target, insecure=True)
    meters = MeterProvider([PeriodicExportingMetricReader(exporter)])
    meters.get_meter("m").create_counter("c").add(1)
    meters.shutdown()
    logs = LoggerProvider()
    logs.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(listener.target, insecure=True))
    )
    logs.get_logger("l").emit(body="hello", event_name="aftershock.fact")
    logs.shutdown()

    assert {Signal.METRICS, Signal.LOGS} == {signal for signal, _, _ in listener.submitted}


@pytest.mark.parametrize("full", [True, False])
def test_the_real_exporter_comes_back_when_it_was_asked_to(listener: Listener, full: bool) -> None:
    listener.answers = [Busy(0.1, "busy", full=full)]
    exporter: Any = OTLPSpanExporter(listener.target, insecure=True)
    result = exporter.export(recorded_spans(1))
    exporter.shutdown()

    assert result is SpanExportResult.SUCCESS
    first, second = listener.submitted
    assert first == second


def test_a_sender_without_a_token_is_named_by_its_address(listener: Listener) -> None:
    listener.send(b"")

    assert listener.senders == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        ("ipv4:10.0.0.7:50000", "10.0.0.7"),
        ("ipv6:[::1]:50000", "::1"),
        ("ipv6:%5Bfe80::1%25eth0%5D:50000", "fe80::1%eth0"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
    ],
)
def test_a_peer_of_grpc_is_named_without_its_port(peer: str, name: str) -> None:
    assert otlp_grpc.sender_of_peer(peer) == name


def test_bytes_are_passed_on_as_they_came_even_if_they_are_no_protobuf(listener: Listener) -> None:
    listener.answers = [Refused("not OTLP")]
    with pytest.raises(grpc.RpcError) as caught:
        listener.send(b"\xff\xff not protobuf")

    error: Any = caught.value
    assert (grpc.StatusCode.INVALID_ARGUMENT, "not OTLP") == (error.code(), error.details())
    assert listener.submitted[0][1] == b"\xff\xff not protobuf"
    assert listener.requests("INVALID_ARGUMENT") == 1


def test_a_partial_success_says_how_many_and_why(listener: Listener) -> None:
    listener.answers = [Accepted(2, "bad id: 2")]
    response = ExportTraceServiceResponse.FromString(listener.send(b"")).partial_success

    assert (2, "bad id: 2") == (response.rejected_spans, response.error_message)


@pytest.mark.parametrize(
    ("busy", "code"),
    [
        (Busy(1.5, "the queue is full", full=True), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Busy(1.5, "the store cannot write: full"), grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_busy_says_when_to_come_back(listener: Listener, busy: Busy, code: grpc.StatusCode) -> None:
    listener.answers = [busy]
    with pytest.raises(grpc.RpcError) as caught:
        listener.send(b"")

    error: Any = caught.value
    assert (code, busy.message) == (error.code(), error.details())
    status = Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    retry = RetryInfo()
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.ToNanoseconds() == 1_500_000_000


def test_our_own_bug_is_internal_counted_and_tells_nothing(listener: Listener) -> None:
    listener.fails = True
    with pytest.raises(grpc.RpcError) as caught:
        listener.send(b"")

    error: Any = caught.value
    assert (grpc.StatusCode.INTERNAL, "internal error") == (error.code(), error.details())
    failures = listener.telemetry.registry.get_sample_value(
        "aftershock_failures_total", {"place": "grpc"}
    )
    assert failures == 1


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_what_is_or_becomes_too_large_is_refused(
    listener: Listener, compression: grpc.Compression
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        listener.send(bytes(30_000_000), compression=compression)

    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert listener.submitted == []


def test_an_address_that_is_taken_is_an_error(listener: Listener) -> None:
    async def listen_again() -> None:
        address = Address.parse(listener.target)
        async with otlp_grpc.listening(listener.submit, listener.telemetry, CONFIG, address):
            pass

    with pytest.raises(OSError, match="cannot listen"):
        asyncio.run(listen_again())
