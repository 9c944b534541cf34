"""Listening apps that serve in a thread of their own, before an ingest queue that is a list."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field

from aftershock_collector.config.model import Address
from aftershock_collector.sources.requests import Accepted, Answer, Signal
from aftershock_collector.telemetry import Telemetry


@dataclass
class Intake:
    """Keeps what is submitted and answers as it is told."""

    answers: list[Answer] = field(default_factory=list[Answer])
    submitted: list[tuple[Signal, bytes, str]] = field(
        default_factory=list[tuple[Signal, bytes, str]]
    )
    senders: list[str] = field(default_factory=list[str])
    fails: bool = False
    telemetry: Telemetry = field(default_factory=Telemetry)

    async def submit(self, signal: Signal, body: bytes, content_type: str, sender: str) -> Answer:
        if self.fails:
            raise RuntimeError("our bug")
        self.submitted.append((signal, body, content_type))
        self.senders.append(sender)
        return self.answers.pop(0) if self.answers else Accepted()

    def counted(self, transport: str, signal: str, answer: str) -> float:
        labels = {"transport": transport, "signal": signal, "answer": answer}
        return self.telemetry.registry.get_sample_value("aftershock_requests_total", labels) or 0


@contextmanager
def serving(listen: Callable[[], AbstractAsyncContextManager[Address]]) -> Generator[Address]:
    """Serve in a thread of its own, as an application under test is elsewhere."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    bound: list[Address] = []

    async def serve() -> None:
        async with listen() as address:
            bound.append(address)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield bound[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
