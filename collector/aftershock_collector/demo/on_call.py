"""The local on-call receiver: a webhook that hands on each page once, when its finding opens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from aftershock_collector.demo.http_service import Answer, HttpService, Request

Page = Mapping[str, Any]


class OnCall:
    """Whoever is on call: keeps everything that was delivered, hears of each finding once."""

    def __init__(self, on_page: Callable[[Page], None]) -> None:
        self.on_page = on_page
        self.lock = threading.Lock()
        self.deliveries: list[Page] = []
        self.received: dict[str, tuple[int, Page]] = {}
        self.service = HttpService({"POST /page": self.receive})

    @property
    def pages(self) -> list[tuple[int, Page]]:
        """When each page first arrived (ns), and the page; in order, each once."""
        return list(self.received.values())

    def receive(self, request: Request) -> Answer:
        """One delivery of the collector's webhook."""
        page = request.body
        with self.lock:
            self.deliveries.append(page)
            new = page["state"] == "opened" and page["key"] not in self.received
            if new:
                self.received[page["key"]] = (time.time_ns(), page)
        if new:
            self.on_page(page)
        return Answer({"received": True})
