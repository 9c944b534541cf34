"""The one decoder: a request's bytes → a Batch of spans, events, changes and samples. Pure.

The live queue, imports, backtests, the simulation and the evaluation all decode here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from aftershock.model import Change, Step
from aftershock.policy.policy import Policy
from aftershock_collector.otlp.decode import decode_logs, decode_metrics, decode_traces
from aftershock_collector.otlp.protobuf import DecodeError
from aftershock_collector.otlp.wire import LogEvent, Sample, Span
from aftershock_collector.reading.alerts import changes_of_alerts
from aftershock_collector.reading.deploys import changes_of_deploys
from aftershock_collector.reading.internals import own_reader
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.reading.redaction import (
    redacted_change,
    redacted_event,
    redacted_span,
)

PROTOBUF = "application/x-protobuf"
NO_UNICODE = "text that is not UTF-8"

Item = TypeVar("Item")
Read = TypeVar("Read")


class Signal(StrEnum):
    """What a body is: what OTLP carries, or what another system posts in its own format."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"
    ALERTS = "alerts"
    ARGO_CD = "argocd"  # deploys by others, as three systems post them
    FLUX = "flux"
    GITHUB = "github"


OTLP = frozenset({Signal.TRACES, Signal.METRICS, Signal.LOGS})
DEPLOYS = frozenset({Signal.ARGO_CD, Signal.FLUX, Signal.GITHUB})


@dataclass(slots=True)
class Batch:
    """What one body held. Spans and events are paired with the step that they were read as."""

    spans: list[tuple[Span, Step | None]] = field(default_factory=list[tuple[Span, Step | None]])
    events: list[tuple[LogEvent, Step | None]] = field(
        default_factory=list[tuple[LogEvent, Step | None]]
    )
    changes: list[Change] = field(default_factory=list[Change])
    samples: list[Sample] = field(default_factory=list[Sample])
    rejected: Counter[str] = field(default_factory=Counter[str])  # reason → items not kept
    trimmed: Counter[str] = field(default_factory=Counter[str])  # reason → values cut, item kept
    passed_over: int = 0  # log records and internals of programs that say nothing about agents
    failures: list[Exception] = field(default_factory=list[Exception])  # of our own readers

    @property
    def count(self) -> int:
        """Items that were sent, whatever became of them."""
        kept = len(self.spans) + len(self.events) + len(self.changes) + len(self.samples)
        return kept + self.passed_over + self.rejected.total()

    @property
    def steps(self) -> list[Step]:
        """What agents did, in the order of the body."""
        return [step for rows in (self.spans, self.events) for _, step in rows if step is not None]

    def assign(self, run_of: Callable[[Step], Step]) -> None:
        """Replace each step by the same step in the run that it belongs to."""
        self.spans = [(span, step and run_of(step)) for span, step in self.spans]
        self.events = [(event, step and run_of(step)) for event, step in self.events]

    @property
    def durable(self) -> bool:
        """Samples live in memory: a full disk is no reason to stop measuring."""
        return bool(self.spans or self.events or self.changes)


@dataclass(frozen=True, slots=True)
class Readers:
    """How a span and a log event are read."""

    span: Callable[[Span], Step | None]
    event: Callable[[LogEvent], Step | Change | None]

    @classmethod
    def by(cls, policy: Policy) -> Readers:
        """Reads by a policy alone, without what the engine knows of live traces."""
        return cls(lambda span: read(span, policy), lambda event: read_event(event, policy))


def decode(
    body: bytes, signal: Signal, content_type: str, readers: Readers, arrived_ns: int
) -> Batch:
    """Decode one body.

    Items are kept redacted, and steps hold no secrets, but for the fingerprints, which are those of
    the items as they came. A reader that fails on an item
    is our own bug: the item is kept without a step, and the error is listed in `failures`.

    Args:
        body: unpacked, as it arrived.
        signal: what its sender or its path says that it is.
        content_type: of OTLP: protobuf or JSON. Alerts are always JSON.
        readers: how its items are read.
        arrived_ns: our clock; alerts that end later than that have not ended.

    Raises:
        Unreadable: the body is not of this signal or content type.
    """
    if signal is Signal.TRACES:
        return _decode_spans(body, content_type, readers)
    if signal is Signal.METRICS:
        samples = decode_metrics(body, content_type)
        return Batch(samples=samples.items, rejected=samples.rejected, trimmed=samples.trimmed)
    if signal is Signal.ALERTS:
        alerts = changes_of_alerts(body, arrived_ns)
        changes = [redacted_change(alert) for alert in alerts.items]
        return Batch(changes=changes, rejected=alerts.rejected, trimmed=alerts.trimmed)
    if signal in DEPLOYS:
        deploys = changes_of_deploys(signal, body, arrived_ns)
        return Batch(
            changes=[redacted_change(each) for each in deploys.items], rejected=deploys.rejected
        )
    return _decode_events(body, content_type, readers)


def _decode_spans(body: bytes, content_type: str, readers: Readers) -> Batch:
    spans = decode_traces(body, content_type)
    batch = Batch(rejected=spans.rejected, trimmed=spans.trimmed)
    for span in spans.items:
        step = _read(readers.span, span, batch)
        if step is None and own_reader(span) is not None:
            batch.passed_over += 1  # a thousand for ten calls would fill the store
            continue
        try:
            kept = redacted_span(span, step)
        except DecodeError:
            batch.rejected[NO_UNICODE] += 1
            continue
        if kept is not span and step is not None:
            step = _read(readers.span, kept, batch)  # its texts without secrets
        batch.spans.append((kept, step))
    return batch


def _decode_events(body: bytes, content_type: str, readers: Readers) -> Batch:
    events = decode_logs(body, content_type)
    batch = Batch(rejected=events.rejected, trimmed=events.trimmed)
    for event in events.items:
        found = _read(readers.event, event, batch)
        if isinstance(found, Change):
            batch.changes.append(redacted_change(found))
            continue
        if found is None:
            batch.passed_over += 1
            continue
        try:
            kept = redacted_event(event, found)
        except DecodeError:
            batch.rejected[NO_UNICODE] += 1
            continue
        step = found if kept is event else _read(readers.event, kept, batch)
        batch.events.append((kept, step if isinstance(step, Step) else None))
    return batch


def _read(reader: Callable[[Item], Read | None], item: Item, batch: Batch) -> Read | None:
    try:
        return reader(item)
    except Exception as error:  # noqa: BLE001  kept as it came, for a better reader
        batch.failures.append(error)
        return None
