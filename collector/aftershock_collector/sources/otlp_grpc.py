"""OTLP over gRPC: the three Export services, handing bodies on as the bytes that arrived."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources.otlp_responses import response_of
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal
from aftershock_collector.telemetry import Telemetry

SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.TRACES,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": Signal.METRICS,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
}
PROTOBUF = "application/x-protobuf"
CLOSE_S = 5.0  # for calls that are on their way when we stop

Offering = Callable[[Signal, bytes, str], Awaitable[Answer]]
_grpc: Any = grpc  # its stubs leave the half that is used here untyped


class _Service:
    """One signal's Export."""

    def __init__(self, signal: Signal, offer: Offering, telemetry: Telemetry) -> None:
        self._signal = signal
        self._offer = offer
        self._telemetry = telemetry

    async def export(self, body: bytes, context: Any) -> bytes:
        try:
            answer = await self._offer(self._signal, body, PROTOBUF)
        except Exception as error:  # noqa: BLE001  a sender must not read our tracebacks
            self._telemetry.failed("grpc", error)
            answer = Refused("internal error", ours=True)
        code = _code_of(answer)
        self._telemetry.requests.labels("grpc", self._signal, code.name).inc()
        if isinstance(answer, Accepted):
            return response_of(self._signal, answer).SerializeToString()
        trailers = _retry_trailers(code, answer) if isinstance(answer, Busy) else ()
        await context.abort(code, answer.message, trailers)
        raise AssertionError("abort always raises")


def _code_of(answer: Answer) -> StatusCode:
    match answer:
        case Accepted():
            return StatusCode.OK
        case Busy(full=True):
            return StatusCode.RESOURCE_EXHAUSTED  # with RetryInfo, which makes it retryable
        case Busy():
            return StatusCode.UNAVAILABLE
        case Refused(ours=True):
            return StatusCode.INTERNAL
        case Refused():
            return StatusCode.INVALID_ARGUMENT


def _retry_trailers(code: StatusCode, busy: Busy) -> tuple[tuple[str, bytes], ...]:
    """When to come back: as the specification says it, and as OpenTelemetry Python reads it."""
    delay = Duration()
    delay.FromNanoseconds(int(busy.retry_after_s * 1e9))
    retry = RetryInfo(retry_delay=delay)
    detail = AnyMessage()
    detail.Pack(retry)
    number: int = code.value[0]
    status = Status(code=number, message=busy.message, details=[detail])
    return (
        ("grpc-status-details-bin", status.SerializeToString()),
        ("google.rpc.retryinfo-bin", retry.SerializeToString()),
    )


@asynccontextmanager
async def listening(
    offer: Offering, telemetry: Telemetry, config: Config, address: Address
) -> AsyncGenerator[Address]:
    """Serve while inside; yields where. Raises OSError where the address cannot be had."""
    server: Any = _grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", config.request_bytes_max),
            ("grpc.so_reuseport", 0),  # a second collector on this port must hear that it is taken
        ),
        maximum_concurrent_rpcs=config.requests_max,
    )
    for name, signal in SERVICES.items():
        method = _grpc.unary_unary_rpc_method_handler(  # no deserializer: bytes as they came
            _Service(signal, offer, telemetry).export
        )
        handler = _grpc.method_handlers_generic_handler(name, {"Export": method})
        server.add_generic_rpc_handlers((handler,))
    try:
        port = server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    await server.start()
    try:
        yield Address(address.host, port)
    finally:
        await server.stop(CLOSE_S)
