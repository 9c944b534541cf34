"""Serves the demo's Starlette applications on loopback, each in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

BACKLOG = 256  # connections; the load generator opens one for each customer
IDLE_S = 15  # a silent connection is closed
START_S = 10.0
DRAIN_S = 2  # requests that a stopping service has accepted are still answered


def listen(port: int = 0) -> socket.socket:
    """A listening socket on loopback that several processes may accept from."""
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listener.setblocking(False)  # a process that lost the race for a connection must not hang
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listener."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """An application that answers a request with missing or wrong values with 400."""
    handlers = dict.fromkeys((KeyError, TypeError, ValueError), bad_request)
    return Starlette(routes=routes, exception_handlers=handlers)


async def bad_request(_request: Request, error: Exception) -> Response:
    """What was wrong, as JSON."""
    return JSONResponse({"error": f"bad request: {error!r}"}, 400)


def metrics_route(registry: CollectorRegistry) -> Route:
    """`/metrics`, for a scrape."""

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics)


@contextmanager
def served(app: Starlette, listener: socket.socket | None = None) -> Generator[str]:
    """Serve until the context is left; yields the address. Open requests are answered first."""
    own = listener if listener is not None else listen()
    url = url_of(own)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            backlog=BACKLOG,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )
    thread = threading.Thread(target=server.run, args=([own],), daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise OSError(f"the service at {url} did not start")
        time.sleep(0.01)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(timeout=DRAIN_S + 3)
