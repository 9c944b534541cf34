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

    def __init__(self, hear: Callable[[Page], None]) -> None:
        self.hear = hear
        self.lock = threading.Lock()
        self.deliveries: list[Page] = []
        self.heard: dict[str, tuple[int, Page]] = {}
        self.service = HttpService({"POST /page": self.receive})

    @property
    def pages(self) -> list[tuple[int, Page]]:
        """When each page first arrived (ns), and the page; in order, each once."""
        return list(self.heard.values())

    def receive(self, request: Request) -> Answer:
        """One delivery of the collector's webhook."""
        page = request.body
        with self.lock:
            self.deliveries.append(page)
            new = page["state"] == "opened" and page["key"] not in self.heard
            if new:
                self.heard[page["key"]] = (time.time_ns(), page)
        if new:
            self.hear(page)
        return Answer({"received": True})
