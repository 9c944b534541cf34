"""The HTTP server that every service of the demo is made of: threads, routes, JSON in and out."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CollectorRegistry, generate_latest

IDLE_S = 15.0  # a silent connection gives its thread back


@dataclass(frozen=True, slots=True)
class Request:
    """What a route is given."""

    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route returns: JSON, or text where `text` is set."""

    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    status: int = 200
    text: bytes | None = None

    @property
    def raw(self) -> bytes:
        """The bytes of the body."""
        return json.dumps(dict(self.body)).encode() if self.text is None else self.text


Route = Callable[[Request], Answer]
Routes = Mapping[str, Route]  # "GET /path" → what answers it


def listen(port: int = 0) -> socket.socket:
    """A listening socket on loopback that several processes may accept from."""
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    listener.setblocking(False)  # a process that lost the race for a connection must not hang
    return listener


def metrics_of(registry: CollectorRegistry) -> Route:
    """The route that answers a scrape."""
    return lambda _request: Answer(text=generate_latest(registry))


class Responder(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for headers and body
    disable_nagle_algorithm = True
    timeout = IDLE_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (theirs)
        """Say nothing for each request: metrics do."""

    def respond(self) -> None:
        """Find the route, run it, write its answer."""
        parts = urlsplit(self.path)
        server = self.server
        assert isinstance(server, RoutedServer)
        route = server.routes.get(f"{self.command} {parts.path}")
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        if route is None:
            answer = Answer({"error": f"no such path: {self.command} {parts.path}"}, 404)
        else:
            try:
                body: Any = json.loads(raw) if raw else {}
                answer = route(Request(dict(parse_qsl(parts.query)), body))
            except (KeyError, TypeError, ValueError) as error:
                answer = Answer({"error": f"bad request: {error!r}"}, 400)
        self.send_response(answer.status)
        kind = "application/json" if answer.text is None else "text/plain; charset=utf-8"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer.raw)))
        self.end_headers()
        self.wfile.write(answer.raw)

    do_GET = respond  # noqa: N815 (theirs)
    do_POST = respond  # noqa: N815


class RoutedServer(ThreadingHTTPServer):
    """A thread for each connection of a listener that may be shared between processes."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, routes: Routes) -> None:
        super().__init__(("127.0.0.1", 0), Responder, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.routes = routes
        self.open = 0  # connections
        self.lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; what is accepted blocks, although the listener does not."""
        connection, address = super().get_request()
        connection.setblocking(True)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, counted from here on."""
        with self.lock:
            self.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """One connection is over."""
        super().shutdown_request(request)
        with self.lock:
            self.open -= 1

    def drain(self, seconds: float) -> None:
        """Let open connections finish."""
        deadline = time.monotonic() + seconds
        while self.open and time.monotonic() < deadline:
            time.sleep(0.02)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is not worth a line; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class HttpService:
    """A running service: `with HttpService(routes) as service: service.url`."""

    def __init__(
        self, routes: Routes, listener: socket.socket | None = None, drain_s: float = 0.0
    ) -> None:
        self.drain_s = drain_s
        self.server = RoutedServer(listener or listen(), routes)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.drain(self.drain_s)
        self.server.server_close()
        self.thread.join(timeout=5)
