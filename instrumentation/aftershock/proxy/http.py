"""Streamable HTTP: a reverse proxy before one MCP server, for any number of clients.

Each request goes to the same path of the server's origin. Bodies of responses pass as they arrive;
what answers a call is recorded on the way.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from aftershock.proxy.admitting import (
    MESSAGE_BYTES_MAX,
    Passing,
    admit,
    record_request,
    record_response,
)
from aftershock.proxy.events import EventReader
from aftershock.proxy.http_requests import (
    LOOPBACK,
    OWN,
    NotServed,
    check_caller,
    is_message,
    passed_on,
)
from aftershock.proxy.json_rpc import Message, Unreadable, each, encoded, error_answer, read
from aftershock.proxy.sessions import CANCELLED, NO_ANSWER, Client, Session, Settings
from aftershock.recorder.drop_counters import count_drop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from starlette.requests import Request

    from aftershock.recorder.process_gate import ProcessGate

SESSION = "mcp-session-id"
EVENTS, JSON = "text/event-stream", "application/json"
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"]
KEPT_MAX = 1_000  # sessions, and clients without one; the least recently used one is closed
TIMEOUT = httpx.Timeout(30.0, read=None)  # a tool may work for as long as its client waits
LIMITS = httpx.Limits(max_connections=None)  # a stream of each client stays open
CLIENT_GONE = 499  # as nginx writes it; no client reads it


class HttpProxy:
    """Between any number of clients and one server."""

    def __init__(
        self, url: str, gate: ProcessGate, chosen: Settings, hosts: frozenset[str] | None
    ) -> None:
        """`hosts`: names by which clients may ask for us; None: any.

        The server sees its own name in place of ours, so that it cannot notice a web page that
        reaches us by a name of its own (DNS rebinding).
        """
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._gate = gate
        self._chosen = chosen
        self._hosts = hosts
        self._http = httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._clients: OrderedDict[str, Client] = OrderedDict()  # without a session, by their name

    async def answer(self, request: Request) -> Response:
        """One request of a client."""
        try:
            check_caller(request.headers, self._hosts)
            body = await body_of(request)
            holds_message = is_message(request.headers, body)
        except NotServed as error:
            return Response(f"aftershock mcp-proxy: {error}\n", error.status)
        named = request.headers.get(SESSION)
        if holds_message:
            return await self._post(request, body, named)
        session = self._session(named, None)
        if request.method == "DELETE" and named is not None:
            self._close(named)
        return await self._forward(request, session, Passing(body))

    async def close(self) -> None:
        """The proxy ends."""
        for named in list(self._sessions):
            self._close(named)
        for client in self._clients.values():
            client.close()
        await self._http.aclose()

    async def _post(self, request: Request, body: bytes, named: str | None) -> Response:
        try:
            message = read(body)
        except Unreadable as error:
            return Response(encoded(error_answer(error)), 400, media_type=JSON)
        session = self._session(named, message)
        record_request(session, message)
        admitting = asyncio.create_task(admit(session, message, body, request.headers))
        gone = asyncio.create_task(disconnected(request))
        await asyncio.wait({admitting, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not admitting.done():  # nothing of it was sent on, and no one waits for it
            admitting.cancel()
            return Response(status_code=CLIENT_GONE)
        passing = admitting.result()
        if passing.forward is not None:
            return await self._forward(request, session, passing)
        if not passing.answers:  # a call that the client took back, or a notification
            return Response(status_code=202)
        return answered(passing.answers, is_batch=isinstance(message, list))

    async def _forward(self, request: Request, session: Session, passing: Passing) -> Response:
        """Ask the server, and hand its answer on while it arrives."""
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = self._http.build_request(
            request.method,
            self._origin + path,
            headers=passed_on(request, passing.carried),
            content=passing.forward or None,
        )
        try:
            response = await self._http.send(asked, stream=True)
        except httpx.HTTPError as error:
            session.close("unreachable")
            text = f"aftershock mcp-proxy: {self._origin} does not answer: {error!r}\n"
            return Response(text, 502)
        if (opened := response.headers.get(SESSION)) and opened not in self._sessions:
            client = Client(self._chosen, session.client.name)
            self._keep(opened, Session(self._gate, client, opened))
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if passing.answers and kind != EVENTS:
            return await self._joined(response, session, passing.answers)
        first = b"data: " + encoded(passing.answers) + b"\n\n" if passing.answers else b""
        stream = StreamingResponse(pieces(response, session, kind, first), response.status_code)
        stream.raw_headers = [
            (name.lower(), value)
            for name, value in response.headers.raw
            if name.lower().decode("latin-1") not in OWN
        ]
        return stream

    async def _joined(
        self, response: httpx.Response, session: Session, ours: list[Message]
    ) -> Response:
        """The server's answers to a batch, whole, and ours to the calls that it did not get."""
        whole = bytearray()
        async for piece in pieces(response, session, JSON, b""):
            whole += piece
            if len(whole) > MESSAGE_BYTES_MAX:
                count_drop("message_bytes")
                session.close("message_too_large")
                return Response("aftershock mcp-proxy: the answer is too large\n", 502)
        try:
            theirs = each(read(bytes(whole))) if whole else []
        except Unreadable as error:
            return Response(f"aftershock mcp-proxy: the server's answer is {error}\n", 502)
        return answered([*theirs, *ours], is_batch=True)

    def _session(self, named: str | None, message: Any) -> Session:
        """The session that a request names; without one, the request is one of its own."""
        if named is None:
            client = Client(self._chosen)
            for one in each(message):
                client.learn_name(one)
            client = self._clients.setdefault(client.name, client)
            self._clients.move_to_end(client.name)
            if len(self._clients) > KEPT_MAX:
                self._clients.popitem(last=False)[1].close()
            return Session(self._gate, client)
        if (known := self._sessions.get(named)) is None:
            known = Session(self._gate, Client(self._chosen), named)
        self._keep(named, known)
        return known

    def _keep(self, named: str, session: Session) -> None:
        self._sessions[named] = session
        self._sessions.move_to_end(named)
        if len(self._sessions) > KEPT_MAX:
            self._close(next(iter(self._sessions)))

    def _close(self, named: str) -> None:
        session = self._sessions.pop(named)
        session.close()
        session.client.close()


async def pieces(
    response: httpx.Response, session: Session, kind: str, first: bytes
) -> AsyncIterator[bytes]:
    """The body of a response as it arrives; its answers to calls are recorded before they pass."""
    if first:
        yield first
    events, body = EventReader(), bytearray()
    reason = CANCELLED  # of calls of a client that goes away first
    try:
        async for piece in response.aiter_raw():
            if kind == EVENTS:
                for data in events.feed(piece):
                    record_response(session, data)
            elif kind == JSON and len(body) <= MESSAGE_BYTES_MAX:
                body += piece
            yield piece
        reason = NO_ANSWER if response.is_success else f"{response.status_code}"
        if body and len(body) <= MESSAGE_BYTES_MAX:
            record_response(session, bytes(body))
    except httpx.HTTPError:
        reason = NO_ANSWER  # the server broke off, and the client sees the same
        raise
    finally:
        await response.aclose()
        # Answers within a session may come later, on another stream; others cannot.
        if session.is_one_request or not response.is_success:
            session.close(reason)


async def body_of(request: Request) -> bytes:
    """The body of a request. Raises NotServed."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MESSAGE_BYTES_MAX:
            count_drop("message_bytes")
            raise NotServed(413, f"more than {MESSAGE_BYTES_MAX} bytes")
    return bytes(body)


async def disconnected(request: Request) -> None:
    """Returns when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answered(messages: list[Any], *, is_batch: bool) -> Response:
    """A response of ours."""
    return Response(encoded(messages if is_batch else messages[0]), media_type=JSON)


class Server(uvicorn.Server):
    """One that ends at a signal and lets us go on: uvicorn's own dies by it afterwards."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Ask for the end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def relay_http(url: str, listen: str, gate: ProcessGate, chosen: Settings) -> int:
    """Stand before a server until a signal ends it. Returns an exit code."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port.isdigit():
        sys.stderr.write(f"aftershock mcp-proxy: {url} or {listen} is not an address\n")
        return 2
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, int(port)))
    except OSError as error:
        sys.stderr.write(f"aftershock mcp-proxy: cannot listen on {listen}: {error.strerror}\n")
        return 1
    port = bound.getsockname()[1]
    proxy = HttpProxy(url, gate, chosen, LOOPBACK if host in LOOPBACK else None)
    app = Starlette(routes=[Route("/{path:path}", proxy.answer, methods=METHODS)])
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    named = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"aftershock mcp-proxy: http://{named}:{port}{parts.path} is {url}\n")
    sys.stderr.flush()
    await Server(config).serve(sockets=[bound])
    await proxy.close()
    return 0
