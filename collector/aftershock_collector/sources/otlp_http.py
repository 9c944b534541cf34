"""The HTTP server: OTLP, Alertmanager's webhooks, /healthz, /readyz, /metrics and the pages.

A busy collector answers 503 with Retry-After and never 429: older exporters do not retry on 429.
"""

from __future__ import annotations

import asyncio
import math
import socket
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from aftershock_collector.config.model import Address, Config
from aftershock_collector.sources.otlp_responses import response_json, response_of
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal, Submit
from aftershock_collector.telemetry import Telemetry

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
CONTENT_TYPES = {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
BODY_S = 20.0  # for a whole body to arrive; a slow sender holds memory all that time
KEEP_ALIVE_S = 75.0  # exporters send every 5 s and keep their connection
CLOSE_S = 5.0  # for open requests at shutdown


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
) -> Starlette:
    """The app. `degraded` returns what does not work, in words; `routes` are the pages."""
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

    return Starlette(
        routes=[
            *(Route(f"/v1/{s}", export(s), methods=["POST"]) for s in _OTLP),
            *(Route(place, export(Signal.ALERTS), methods=["POST"]) for place in _ALERTS),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *routes,
        ],
        exception_handlers={Exception: failed},
    )


# Alertmanager's webhook, and the API by which Prometheus sends alerts to an Alertmanager.
_ALERTS = ("/api/v1/alerts/alertmanager", "/api/v2/alerts")
_OTLP = (Signal.TRACES, Signal.METRICS, Signal.LOGS)


class _Exports:
    """Turns HTTP requests into ingest requests, and answers into HTTP responses."""

    def __init__(self, submit: Submit, telemetry: Telemetry, config: Config) -> None:
        self._submit = submit
        self._telemetry = telemetry
        self._config = config
        self._arriving_bytes = 0  # of all incomplete bodies

    async def respond(self, signal: Signal, request: Request) -> Response:
        declared = request.headers.get("content-type", "")
        kind = CONTENT_TYPES.get(declared.partition(";")[0].strip().lower())
        if signal is Signal.ALERTS:
            kind = JSON
        if kind is None:
            message = f"content type {declared[:100]!r}: send {PROTOBUF} or {JSON}"
            return self._counted(
                signal, _error(JSON, _Rejected(415, code_pb2.INVALID_ARGUMENT, message))
            )
        try:
            body = await self._body(request)
            response = self._response(
                signal, kind, await self._submit(signal, body, kind, _sender_of(request))
            )
        except _Rejected as rejected:
            response = _error(kind, rejected)
        except ClientDisconnect:
            response = Response(status_code=400)  # for the request counter only
        return self._counted(signal, response)

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
            case Accepted() if signal is Signal.ALERTS:
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
        held = 0
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    held += len(chunk)
                    self._arriving_bytes += len(chunk)
                    if held > self._config.request_bytes_max:
                        raise self._too_large()
                    if self._arriving_bytes > self._config.queue_bytes_max:
                        message = "too many bytes arrive at once"
                        raise _Rejected(
                            503, code_pb2.UNAVAILABLE, message, self._config.retry_after_s
                        )
                    chunks.append(chunk)
        except TimeoutError as error:
            message = f"the body took more than {BODY_S:.0f} s"
            raise _Rejected(408, code_pb2.DEADLINE_EXCEEDED, message) from error
        finally:
            self._arriving_bytes -= held
        body = b"".join(chunks)
        return body if encoding == "identity" else self._unpacked(body, WINDOW_BITS[encoding])

    def _unpacked(self, packed: bytes, window_bits: int) -> bytes:
        """The unpacked body; stops at the limit."""
        limit = self._config.request_bytes_max
        parts: list[bytes] = []
        size = 0
        member = zlib.decompressobj(window_bits)
        try:
            while packed:  # gzip allows several members one after another
                member = zlib.decompressobj(window_bits)
                part = member.decompress(packed, limit + 1 - size)
                size += len(part)
                if size > limit:
                    raise self._too_large()
                parts.append(part)
                packed = member.unused_data if member.eof else b""
        except zlib.error as error:
            message = f"the body cannot be unpacked: {error}"
            raise _Rejected(400, code_pb2.INVALID_ARGUMENT, message) from error
        if not (parts and member.eof):
            message = "the packed body ends too early"
            raise _Rejected(400, code_pb2.INVALID_ARGUMENT, message)
        return b"".join(parts)

    def _too_large(self) -> _Rejected:
        limit = self._config.request_bytes_max
        message = f"the body is larger than {limit} bytes: send smaller batches"
        return _Rejected(413, code_pb2.INVALID_ARGUMENT, message)


def _sender_of(request: Request) -> str:
    return request.client.host if request.client else ""


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
    """Leaves the process's signal handlers alone."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def listening(app: Starlette, address: Address) -> AsyncGenerator[Address]:
    """Serve inside the context; yields the bound address. Raises OSError if it cannot bind."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_keep_alive=int(KEEP_ALIVE_S),
                timeout_graceful_shutdown=int(CLOSE_S),
            )
        )
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
