"""The local on-call receiver: a webhook that passes on each page once, when it opens."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.demo.serving import application, served

Page = Mapping[str, Any]


class OnCall:
    """Whoever is on call: keeps every delivery; reports a page, and each time that it says more."""

    def __init__(self, on_page: Callable[[Page, bool], None]) -> None:
        self.on_page = on_page
        self.deliveries: list[Page] = []
        self.received: dict[str, tuple[int, Page]] = {}
        self._read: dict[str, set[str]] = {}  # page → rules that it named when it was reported

    @property
    def pages(self) -> list[tuple[int, Page]]:
        """When each page first arrived (ns), and the page; in order, each once."""
        return list(self.received.values())

    @contextmanager
    def listening(self) -> Generator[str]:
        """Serve the webhook; yields its address."""
        with served(application([Route("/page", self.receive, methods=["POST"])])) as url:
            yield url

    async def receive(self, request: Request) -> Response:
        """One delivery of the collector's webhook."""
        page: Page = await request.json()
        self.deliveries.append(page)
        key, kinds = page["key"], set(page["kinds"])
        if page["state"] != "closed" and not kinds <= self._read.get(key, set()):
            is_update = key in self.received
            self.received.setdefault(key, (time.time_ns(), page))
            self._read[key] = kinds
            self.on_page(page, is_update)
        return JSONResponse({"received": True})
