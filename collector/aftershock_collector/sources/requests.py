"""What a server offers to the intake, and what it hears back: the words between the two."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aftershock.model import Change, Step
from aftershock_collector.otlp.wire import LogEvent, Sample, Span


class Signal(StrEnum):
    """What a body is: the three things that OTLP carries, or Alertmanager's webhook."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Committed, but for `rejected` items that can never be: then it is a partial success."""

    rejected: int = 0
    message: str = ""
    suspects: Sequence[Any] = ()  # of the alerts in it, as JSON


@dataclass(frozen=True, slots=True)
class Busy:
    """Not committed; the same request may work after `retry_after_s`."""

    retry_after_s: float
    message: str
    full: bool = False  # True: it never waited, because the queue was full


@dataclass(frozen=True, slots=True)
class Refused:
    """Not committed and never will be: the body is bad, or (`ours`) we failed on it."""

    message: str
    ours: bool = False


Answer = Accepted | Busy | Refused


@dataclass(frozen=True, slots=True)
class Observations:
    """What one group of requests held, as the rest of the collector wants it."""

    arrived_ns: int
    steps: Sequence[Step] = ()
    changes: Sequence[Change] = ()
    samples: Sequence[Sample] = ()


@dataclass(slots=True)
class Batch:
    """What one body held. Spans and events go with the step that they were read as."""

    spans: list[tuple[Span, Step | None]] = field(default_factory=list[tuple[Span, Step | None]])
    events: list[tuple[LogEvent, Step | None]] = field(
        default_factory=list[tuple[LogEvent, Step | None]]
    )
    changes: list[Change] = field(default_factory=list[Change])
    samples: list[Sample] = field(default_factory=list[Sample])
    rejected: Counter[str] = field(default_factory=Counter[str])
    passed_over: int = 0  # log records that say nothing about agents: other tools keep those

    @property
    def count(self) -> int:
        """Items that were sent, whatever became of them."""
        kept = len(self.spans) + len(self.events) + len(self.changes) + len(self.samples)
        return kept + self.passed_over + self.rejected.total()

    @property
    def durable(self) -> bool:
        """Samples live in memory: a full disk is no reason to go blind."""
        return bool(self.spans or self.events or self.changes)


@dataclass(eq=False, slots=True)
class IngestRequest:
    """One body on its way to an answer."""

    signal: Signal
    body: bytes
    content_type: str
    arrived_ns: int
    future: asyncio.Future[Answer]
    abandoned: bool = False  # its sender was answered already: do not keep it any more
    settled: bool = False  # it has its answer
    judged: bool = False  # handed on once already, while the store could not write
    items: Batch = field(default_factory=Batch)

    @property
    def is_alerts(self) -> bool:
        """Alerts are answered with their suspects."""
        return self.signal is Signal.ALERTS

    def answer(self, answer: Answer) -> None:
        """Tell the sender, from any thread; raises RuntimeError where its loop is gone."""
        self.future.get_loop().call_soon_threadsafe(_resolve, self.future, answer)


def _resolve(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)
