"""OTLP over gRPC: the three Export services. Bodies are submitted as the bytes that arrived."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources.otlp_responses import response_of
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal, Submit
from aftershock_collector.telemetry import Telemetry

SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.TRACES,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": Signal.METRICS,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
}
PROTOBUF = "application/x-protobuf"
CLOSE_S = 5.0  # for open calls at shutdown

_grpc: Any = grpc  # its stubs leave half of what is used here untyped


class _Service:
    """The Export method of one signal."""

    def __init__(self, signal: Signal, submit: Submit, telemetry: Telemetry) -> None:
        self._signal = signal
        self._submit = submit
        self._telemetry = telemetry

    async def export(self, body: bytes, context: Any) -> bytes:
        try:
            answer = await self._submit(
                self._signal, body, PROTOBUF, sender_of_peer(context.peer())
            )
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


def sender_of_peer(peer: str) -> str:
    """The address in gRPC's name of a peer, without its port: `ipv4:10.0.0.1:5000`."""
    kind, _, address = unquote(peer).partition(":")
    if kind not in ("ipv4", "ipv6"):
        return peer
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


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
    """When to retry: in the specification's trailer, and in the one OpenTelemetry Python reads."""
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
    submit: Submit, telemetry: Telemetry, config: Config, address: Address
) -> AsyncGenerator[Address]:
    """Serve inside the context; yields the bound address. Raises OSError if it cannot bind."""
    server: Any = _grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", config.request_bytes_max),
            ("grpc.so_reuseport", 0),  # a second collector on this port must fail to start
        ),
        maximum_concurrent_rpcs=config.requests_max,
    )
    for name, signal in SERVICES.items():
        method = _grpc.unary_unary_rpc_method_handler(  # no deserializer: bytes as they arrived
            _Service(signal, submit, telemetry).export
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
