"""What the collector's bounds turned away between two ticks, and who holds most of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.agent_telemetry import AgentTelemetry
from aftershock_collector.impact.fair_shares import Holding, most_of
from aftershock_collector.notify.fullness import REASONS, Bound, Overflow
from aftershock_collector.store.interface import Store

Refused = tuple[int, str, float]  # as IngestQueue.refused has it


class Overflows:
    """Belongs to the worker thread."""

    def __init__(self, engine: Engine, store: Store, agents: AgentTelemetry) -> None:
        self._engine = engine
        self._store = store
        self._agents = agents
        self._counted: Counter[Bound] = Counter()
        self._labels: Holding | None = None
        self._series_lost = 0  # of the tick, as far as senders were told apart
        self._series_by: Counter[str] = Counter()  # sender → what was not kept of its series

    def add(self, dropped: Mapping[str, int]) -> None:
        """Items that were dropped, by reason."""
        for reason, count in dropped.items():
            bound = REASONS.get(reason)
            if bound is not None:
                self._counted[bound] += count
        if dropped.get("metric_labels_full"):
            self._labels = self._agents.most()

    def measured(self, sender: str) -> None:
        """The series of one sender were recorded."""
        lost = self._engine.correlator.unkept_samples
        if lost > self._series_lost:
            self._series_by[sender] += lost - self._series_lost
            self._series_lost = lost

    def since_last(self, refused: Refused) -> Iterator[Overflow]:
        """Everything since the last tick, by bound."""
        if self._store.trouble is not None:
            yield Overflow(Bound.STORE, 1, why=self._store.trouble)
        requests, sender, share = refused
        if requests:
            yield Overflow(
                Bound.QUEUE, requests, Holding(sender, "", "", share) if sender else None
            )
        evicted, holding = self._engine.evicted()
        if evicted:
            yield Overflow(Bound.MEMORY, evicted, holding)
        actions = self._engine.correlator.observer.most
        series = most_of((one, "", "", float(lost)) for one, lost in self._series_by.items())
        by_bound = {Bound.ACTIONS: actions, Bound.SERIES: series, Bound.LABELS: self._labels}
        for bound, holder in by_bound.items():
            if self._counted[bound]:
                yield Overflow(bound, self._counted[bound], holder)
        self._counted.clear()
        self._series_by.clear()
        self._series_lost = 0
