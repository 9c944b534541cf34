"""The HTTP server: OTLP, webhooks of alerts and deploys, /healthz, /readyz, /metrics and the pages.

A busy collector answers 503 with Retry-After and never 429: older exporters do not retry on 429.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from aftershock_collector.access.hosts import Hosts
from aftershock_collector.access.middleware import (
    ALERT_PATHS,
    DEPLOY_PATHS,
    SENDER,
    SIGNED_PATHS,
    Gate,
)
from aftershock_collector.access.people import Sessions
from aftershock_collector.access.rates import Rates
from aftershock_collector.access.senders import Senders
from aftershock_collector.access.tls import server_context
from aftershock_collector.access.tokens import Tokens
from aftershock_collector.config.model import Address, Config
from aftershock_collector.reading.decoder import OTLP
from aftershock_collector.reading.deploys import WEBHOOKS
from aftershock_collector.sources import openapi
from aftershock_collector.sources.arriving_bodies import ArrivingBytes
from aftershock_collector.sources.descriptors import connections_max, report_accept_failures
from aftershock_collector.sources.http_connections import HEAD_S, Connection, Connections
from aftershock_collector.sources.otlp_responses import response_json, response_of
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal, Submit
from aftershock_collector.sources.signatures import is_signed
from aftershock_collector.sources.unpacking import (
    WINDOW_BITS,
    TooLarge,
    Unpacker,
    UnpackError,
)
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.telemetry import Telemetry

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
CONTENT_TYPES = {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}
BODY_S = 20.0  # for a whole body to arrive; a slow sender holds memory all that time
KEEP_ALIVE_S = 75.0  # exporters send every 5 s and keep their connection
CLOSE_S = 5.0  # for open requests at shutdown
BACKLOG = 256  # connections that wait to be accepted; a fleet that reconnects at once fits


class _Rejected(Exception):  # noqa: N818  (never leaves this module)
    """A request that is refused; carries the answer."""

    def __init__(self, status: int, code: int, message: str, retry_after_s: float = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.retry_after_s = retry_after_s


def otlp_app(
    submit: Submit,
    telemetry: Telemetry,
    config: Config,
    degraded: Callable[[], Sequence[str]],
    routes: Sequence[BaseRoute] = (),
    *,
    sessions: Sessions | None = None,
) -> ASGIApp:
    """The app behind its gate. `degraded` returns what does not work; `routes` are the pages.

    `sessions` are those of people who signed in; None: people are known by tokens.
    """
    exports = _Exports(submit, telemetry, config)

    def export(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(
            request: Request,
        ) -> Response:  # Starlette would run a lambda in a thread
            return await exports.respond(signal, request)

        return endpoint

    async def healthz(_: Request) -> Response:
        reasons = list(degraded())  # 200 all the same: a restart would not help
        return JSONResponse({"status": "degraded" if reasons else "ok", "reasons": reasons})

    async def readyz(_: Request) -> Response:
        reasons = list(degraded())
        state = {"status": "degraded" if reasons else "ok", "reasons": reasons}
        return JSONResponse(state, status_code=503 if reasons else 200)

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        text, content_type = await asyncio.to_thread(telemetry.exposition, accept)
        return Response(text, headers={"content-type": content_type})

    async def failed(_: Request, error: Exception) -> Response:
        telemetry.failed("http", error)
        return JSONResponse({"code": code_pb2.INTERNAL, "message": "internal error"}, 500)

    app = Starlette(
        routes=[
            *(Route(f"/v1/{s}", export(s), methods=["POST"]) for s in sorted(OTLP)),
            *(
                Route(place, export(Signal.ALERTS), methods=["POST"])
                for place in sorted(ALERT_PATHS)
            ),
            *(
                Route(place, export(Signal(system)), methods=["POST"])
                for place, system in DEPLOY_PATHS.items()
            ),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/openapi.json", _description),
            *routes,
        ],
        exception_handlers={
            HTTPException: _unknown,
            StoreUnavailable: _unavailable,
            Exception: failed,
        },
    )
    return _gated(app, config, telemetry, sessions)


def _gated(
    app: Starlette, config: Config, telemetry: Telemetry, sessions: Sessions | None
) -> ASGIApp:
    """The app behind what asks each request who sends it."""
    rates = Rates(config.sender_requests_per_s_max)
    senders = Senders(
        config, Tokens(config.tokens), host=config.http.host, rates=rates, sessions=sessions
    )
    return Gate(
        app,
        hosts=Hosts.of(config),
        senders=senders,
        refused=lambda reason: telemetry.refuse("http", reason),
        signed_paths={p for p, system in SIGNED_PATHS.items() if system in config.webhook_secrets},
        routes=app.routes,
    )


async def _description(_: Request) -> Response:
    return JSONResponse(openapi.document())


async def _unknown(_: Request, error: Exception) -> Response:
    """There is no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    body = {"code": code_pb2.NOT_FOUND, "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


async def _unavailable(_: Request, error: Exception) -> Response:
    message = f"the store cannot be read: {error}"
    return JSONResponse({"code": code_pb2.UNAVAILABLE, "message": message}, 503)


class _Exports:
    """Turns HTTP requests into ingest requests, and answers into HTTP responses."""

    def __init__(self, submit: Submit, telemetry: Telemetry, config: Config) -> None:
        self._submit = submit
        self._telemetry = telemetry
        self._config = config
        self._arriving = ArrivingBytes(config.queue_bytes_max)
        self._unpacker = Unpacker()

    async def respond(self, signal: Signal, request: Request) -> Response:
        declared = request.headers.get("content-type", "")
        kind = CONTENT_TYPES.get(declared.partition(";")[0].strip().lower())
        if signal not in OTLP and kind == PROTOBUF:
            kind = None
        if kind is None:
            accepted = f"{PROTOBUF} or {JSON}" if signal in OTLP else JSON
            message = f"content type {declared[:100]!r}: send {accepted}"
            return self._counted(
                signal, _error(JSON, _Rejected(415, code_pb2.INVALID_ARGUMENT, message))
            )
        try:
            body = await self._body(request)
            sender = request.scope["state"].get(SENDER)
            if sender is None:
                sender = self._signer(signal, request, body)
            response = self._response(signal, kind, await self._submit(signal, body, kind, sender))
        except _Rejected as rejected:
            response = _error(kind, rejected)
        except ClientDisconnect:
            response = Response(status_code=400)  # for the request counter only
        return self._counted(signal, response)

    def _signer(self, signal: Signal, request: Request, body: bytes) -> str:
        """The name of the system that signed a body; a wrong signature is refused."""
        header = WEBHOOKS[signal].signature
        secret = self._config.webhook_secrets[signal]
        if not header or not is_signed(secret, request.headers.get(header), body):
            raise _Rejected(401, code_pb2.UNAUTHENTICATED, f"{header} does not fit the body")
        return signal.value

    def _counted(self, signal: Signal, response: Response) -> Response:
        self._telemetry.requests.labels("http", signal, str(response.status_code)).inc()
        return response

    def _response(self, signal: Signal, kind: str, answer: Answer) -> Response:
        match answer:
            case Busy():
                raise _Rejected(503, code_pb2.UNAVAILABLE, answer.message, answer.retry_after_s)
            case Refused(ours=True):
                raise _Rejected(500, code_pb2.INTERNAL, answer.message)
            case Refused():
                raise _Rejected(400, code_pb2.INVALID_ARGUMENT, answer.message)
            case Accepted() if signal not in OTLP:
                counted = {"rejected": answer.rejected, "message": answer.message}
                return JSONResponse({**counted, "suspects": list(answer.suspects)})
            case Accepted() if kind == JSON:
                return JSONResponse(response_json(signal, answer))
            case Accepted():
                message = response_of(signal, answer).SerializeToString()
                return Response(message, media_type=PROTOBUF)

    async def _body(self, request: Request) -> bytes:
        """The unpacked body; holds at most `request_bytes_max` of it in memory."""
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", *WINDOW_BITS}:
            supported = "gzip, deflate or none"
            raise _Rejected(
                415, code_pb2.INVALID_ARGUMENT, f"encoding {encoding[:50]!r}: send {supported}"
            )
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._config.request_bytes_max:
            raise self._too_large()
        sender = request.scope["state"].get(SENDER) or request.url.path
        held = 0
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    held += len(chunk)
                    self._arriving.add(sender, len(chunk))
                    if held > self._config.request_bytes_max:
                        raise self._too_large()
                    if self._arriving.is_full_for(sender, held):
                        message = "too many bytes arrive at once"
                        raise _Rejected(
                            503, code_pb2.UNAVAILABLE, message, self._config.retry_after_s
                        )
                    chunks.append(chunk)
            body = b"".join(chunks)
            return body if encoding == "identity" else await self._unpacked(body, encoding)
        except TimeoutError as error:
            message = f"the body took more than {BODY_S:.0f} s"
            raise _Rejected(408, code_pb2.DEADLINE_EXCEEDED, message) from error
        finally:
            self._arriving.add(sender, -held)

    async def _unpacked(self, packed: bytes, encoding: str) -> bytes:
        try:
            return await self._unpacker.unpack(packed, encoding, self._config.request_bytes_max)
        except TooLarge as error:
            raise self._too_large() from error
        except UnpackError as error:
            raise _Rejected(400, code_pb2.INVALID_ARGUMENT, str(error)) from error

    def _too_large(self) -> _Rejected:
        limit = self._config.request_bytes_max
        message = f"the body is larger than {limit} bytes: send smaller batches"
        return _Rejected(413, code_pb2.INVALID_ARGUMENT, message)


def _error(kind: str, rejected: _Rejected) -> Response:
    """A google.rpc.Status in the content type of the request, as OTLP specifies."""
    headers: dict[str, str] = {}
    if rejected.retry_after_s:
        headers["Retry-After"] = str(math.ceil(rejected.retry_after_s))  # RFC 9110: whole seconds
    if kind == JSON:
        status: dict[str, Any] = {"code": rejected.code, "message": rejected.message}
        return JSONResponse(status, rejected.status, headers)
    message = Status(code=rejected.code, message=rejected.message).SerializeToString()
    return Response(message, rejected.status, headers, media_type=PROTOBUF)


class _Server(uvicorn.Server):
    """uvicorn's server with limited connections. The process's signal handlers stay as they are."""

    def __init__(
        self, config: uvicorn.Config, tls: ssl.SSLContext | None, table: Connections
    ) -> None:
        super().__init__(config)
        self._tls = tls
        self._table = table

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the given socket; uvicorn's own way has no limits to set."""
        assert sockets, "listening binds one"
        loop = asyncio.get_running_loop()
        await self.lifespan.startup()
        server = await loop.create_server(
            lambda: Connection(self._table, self.config, self.server_state, loop),
            sock=sockets[0],
            ssl=self._tls,
            ssl_handshake_timeout=None if self._tls is None else HEAD_S,
            backlog=BACKLOG,
        )
        self.servers = [server]
        self.started = True


@asynccontextmanager
async def listening(
    app: ASGIApp, address: Address, telemetry: Telemetry, config: Config
) -> AsyncGenerator[Address]:
    """Serve inside the context; yields the bound address.

    Raises OSError if it cannot bind, and TlsError if the certificate cannot be used.
    """
    tls = server_context(config.tls)
    report_accept_failures(asyncio.get_running_loop(), telemetry)
    table = Connections(connections_max(), lambda reason: telemetry.refuse("http", reason))
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on a socket that says TCP: without it a response in two parts
    # waits 40 ms for an acknowledgement.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        settings = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=int(KEEP_ALIVE_S),
            timeout_graceful_shutdown=int(CLOSE_S),
        )
        server = _Server(settings, tls, table)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not (server.started or serving.done()):  # noqa: ASYNC110  it has no event
                await asyncio.sleep(0.005)
            if serving.done():
                await serving
            yield Address(address.host, listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
