"""A whole collector on a thread of its own, for tests whose agents block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aftershock.guard.connection import Connection
from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import Running, running

ANY = Address("127.0.0.1", 0)


class LiveCollector:
    """One that runs, and how to speak to it."""

    def __init__(self, home: Path, http: Address) -> None:
        self.home = home
        self.http = http
        self.url = f"http://{http}"

    def post(self, path: str, body: dict[str, Any], timeout_s: float = 10.0) -> dict[str, Any]:
        return Connection(self.url, {}).post(path, body, timeout_s)

    def order(self, verb: str, **scope: Any) -> dict[str, Any]:
        """Stop, pause or resume, and wait for every process."""
        return self.post("/v1/orders", {"verb": verb, "by": "ann", "because": "a test", **scope})


@contextmanager
def live_collector(
    home: Path, document: dict[str, Any] | None = None, http: Address = ANY, **settings: Any
) -> Generator[LiveCollector]:
    """A collector with this policy while inside."""
    config = Config(
        home=home, http=http, grpc=ANY, tick_s=0.05, document=document or {}, **settings
    )
    ready, stop = threading.Event(), threading.Event()
    found: list[Running | BaseException] = []

    async def live() -> None:
        async with running(config) as collector:
            found.append(collector)
            ready.set()
            await asyncio.to_thread(stop.wait)

    def work() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 (the test must see it)
            found.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(60)
        first = found[0]
        if isinstance(first, BaseException):
            raise first
        yield LiveCollector(home, first.http)
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
