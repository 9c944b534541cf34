"""Which attributes of an agent's telemetry our dialects read: what vanishes between versions.

Each record is read once more with attributes that remember which were found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.decoder import Readers, Signal, decode
from aftershock_collector.reading.read import read, read_event


class Request(NamedTuple):
    """What was sent in one request."""

    signal: str
    content_type: str
    body: bytes


class Observed(dict[str, Any]):
    """Attributes that remember which of them somebody asked for."""

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        if key in self:
            self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


def attributes_read(requests: Iterable[Request]) -> dict[str, set[str]]:
    """Name of each kind of record that becomes a step → its attributes that are read."""
    found: dict[str, set[str]] = {}
    for request in requests:
        if request.signal not in {"traces", "logs"}:
            continue
        signal = Signal(request.signal)
        batch = decode(request.body, signal, request.content_type, Readers.by(EMPTY), 1)
        assert not batch.failures, batch.failures
        for item in [*(span for span, _ in batch.spans), *(event for event, _ in batch.events)]:
            observed = Observed(item.attributes)
            again: Any = item._replace(attributes=observed)
            step = read(again, EMPTY) if isinstance(item, Span) else read_event(again, EMPTY)
            if step is not None:
                found.setdefault(name_of(item), set()).update(observed.read)
    return found


def name_of(item: Span | LogEvent) -> str:
    """What records of one kind have in common; models and tools may stand in a span's name."""
    own = item.attributes.get("event.name" if isinstance(item, LogEvent) else "span.type")
    return str(own) if own else item.name.partition(" ")[0]


def vanished(before: dict[str, set[str]], now: dict[str, set[str]]) -> list[str]:
    """What was read of an earlier version and does not come any more: `record: attribute`."""
    return [
        f"{record}: {key}"
        for record, keys in sorted(before.items())
        for key in sorted(keys - now.get(record, set()))
    ]
