"""The types between the servers and the ingest queue: a request, its batch and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aftershock.model import Change, Step
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.reading.decoder import Batch, Signal


@dataclass(frozen=True, slots=True)
class Accepted:
    """Committed. `rejected` items never can be: then the answer is a partial success."""

    rejected: int = 0
    message: str = ""
    suspects: Sequence[Any] = ()  # JSON objects: suspects of the alerts in the body


@dataclass(frozen=True, slots=True)
class Busy:
    """Not committed; the same request may work after `retry_after_s`."""

    retry_after_s: float
    message: str
    full: bool = False  # the queue had no room for the request


@dataclass(frozen=True, slots=True)
class Refused:
    """Not committed and never will be: the body is bad, or the collector failed (`ours`)."""

    message: str
    ours: bool = False


Answer = Accepted | Busy | Refused
# Submits a body: signal, bytes, content type, and the name of whoever sent it.
Submit = Callable[[Signal, bytes, str, str], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Observations:
    """What the requests of one sender held, decoded and read."""

    arrived_ns: int
    sender: str = ""  # its token's name, its certificate's subject, or its address; "": ourselves
    steps: Sequence[Step] = ()
    changes: Sequence[Change] = ()
    samples: Sequence[Sample] = ()


@dataclass(eq=False, slots=True)
class IngestRequest:
    """One body that waits for its answer."""

    signal: Signal
    body: bytes
    content_type: str
    sender: str
    arrived_ns: int
    future: asyncio.Future[Answer]
    abandoned: bool = False  # answered already, for lack of time: it must not be committed
    settled: bool = False  # it has its answer
    judged: bool = False  # consumed once, while the store could not write
    items: Batch = field(default_factory=Batch)

    @property
    def is_alerts(self) -> bool:
        """Whether the answer carries suspects."""
        return self.signal is Signal.ALERTS

    def answer(self, answer: Answer) -> None:
        """Answer the sender. Any thread may call it; raises RuntimeError if its loop is closed."""
        self.future.get_loop().call_soon_threadsafe(_resolve, self.future, answer)


def _resolve(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def observations_of(sender: str, requests: Sequence[IngestRequest]) -> Observations:
    """Join the batches of requests that one sender sent."""
    found = [request.items for request in requests]
    return Observations(
        arrived_ns=max(request.arrived_ns for request in requests),
        sender=sender,
        steps=[step for items in found for step in items.steps],
        changes=[change for items in found for change in items.changes],
        samples=[sample for items in found for sample in items.samples],
    )
