"""OTLP over gRPC: the three Export services. Bodies are submitted as the bytes that arrived."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from aftershock_collector.access.hosts import Refused as Rejected
from aftershock_collector.access.rates import Rates
from aftershock_collector.access.senders import Credentials, Senders, bearer_token
from aftershock_collector.access.tls import NAMELESS, read_pem
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources.arriving_bodies import Bodies
from aftershock_collector.sources.descriptors import connections_max
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
HANDSHAKE_MS = 10_000  # from a connection to a usable one; half-open ones are closed then
IDLE_MS = 300_000  # without a call; exporters connect again by themselves
METADATA_BYTES_MAX = 16_384
STREAMS_MAX = 100  # calls at once on one connection; exporters make one
CODES = {401: StatusCode.UNAUTHENTICATED, 403: StatusCode.PERMISSION_DENIED}

_grpc: Any = grpc  # its stubs leave half of what is used here untyped


class _Service:
    """The Export method of one signal."""

    def __init__(
        self, signal: Signal, submit: Submit, telemetry: Telemetry, senders: Senders, bodies: Bodies
    ) -> None:
        self._signal = signal
        self._submit = submit
        self._telemetry = telemetry
        self._senders = senders
        self._bodies = bodies

    async def export(self, messages: AsyncIterator[bytes], context: Any) -> bytes:
        """One call. It has one message, which is not received before its sender is admitted."""
        try:
            sender = self._senders.admit(_credentials(context), Scope.INGEST)
        except Rejected as rejected:
            self._telemetry.refuse("grpc", rejected.reason)
            await self._reject(context, rejected)
            raise AssertionError("abort always raises") from rejected
        try:
            body = await self._bodies.receive(sender, messages)
            answer = (
                await self._submit(self._signal, body, PROTOBUF, sender)
                if isinstance(body, bytes)
                else body
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

    async def _reject(self, context: Any, rejected: Rejected) -> None:
        code = CODES.get(rejected.status, StatusCode.UNAVAILABLE)
        self._telemetry.requests.labels("grpc", self._signal, code.name).inc()
        seconds = rejected.headers.get("Retry-After")
        busy = Busy(float(seconds), rejected.message) if seconds else None
        trailers = _retry_trailers(code, busy) if busy else ()
        await context.abort(code, rejected.message, trailers)


def _credentials(context: Any) -> Credentials:
    headers: dict[str, Any] = dict(context.invocation_metadata() or ())
    authorization = headers.get("authorization")
    names: dict[str, list[bytes]] = context.auth_context()
    certificate = None
    if names.get("x509_subject") or names.get("x509_common_name"):
        alternative = names.get("x509_subject_alternative_name") or [NAMELESS.encode()]
        certificate = (names.get("x509_common_name") or alternative)[0].decode("utf-8", "replace")
    return Credentials(sender_of_peer(context.peer()), bearer_token(authorization), certificate)


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
    """Serve inside the context; yields the bound address.

    Raises OSError if it cannot bind, and TlsError if the certificate cannot be used.
    """
    senders = Senders(
        config,
        Tokens(config.tokens),
        host=address.host,
        rates=Rates(config.sender_requests_per_s_max),
    )
    server: Any = _grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", config.request_bytes_max),
            ("grpc.max_allowed_incoming_connections", connections_max()),
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
            ("grpc.max_connection_idle_ms", IDLE_MS),
            ("grpc.max_metadata_size", METADATA_BYTES_MAX),
            ("grpc.max_concurrent_streams", STREAMS_MAX),
            ("grpc.http2.bdp_probe", 0),  # it would let ever more of a body in before it is wanted
            ("grpc.so_reuseport", 0),  # a second collector on this port must fail to start
        ),
        maximum_concurrent_rpcs=config.requests_max,
    )
    bodies = Bodies(config)
    for name, signal in SERVICES.items():
        # A stream of one message is the same on the wire. The message is received when it is asked
        # for, and not before. No deserializer: bytes as they arrived.
        method = _grpc.stream_unary_rpc_method_handler(
            _Service(signal, submit, telemetry, senders, bodies).export
        )
        handler = _grpc.method_handlers_generic_handler(name, {"Export": method})
        server.add_generic_rpc_handlers((handler,))
    try:
        port = _add_port(server, str(address), config)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    await server.start()
    try:
        yield Address(address.host, port)
    finally:
        await server.stop(CLOSE_S)


def _add_port(server: Any, place: str, config: Config) -> int:
    pem = read_pem(config.tls)
    if pem is None:
        return int(server.add_insecure_port(place))
    key, certificate, authority = pem
    credentials = _grpc.ssl_server_credentials(
        [(key, certificate)], authority, require_client_auth=authority is not None
    )
    return int(server.add_secure_port(place, credentials))
