"""From what arrived to what is recorded and told: the engine with its store and its messengers.

Runs on the intake's thread only. It owns no clock: `tick` is told what time it is.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from aftershock.model import Change, Report, Step
from aftershock_collector.edges.sqlite import Delivery, Store, StoreUnavailable
from aftershock_collector.edges.sqlite_reading import Reader
from aftershock_collector.engine import Engine
from aftershock_collector.impact.events import CHANGES_MAX, FIRING_S
from aftershock_collector.offers import Arrived
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.wire import Sample

PENDING_MAX = 1_000  # reports that wait for a store that is full or locked; hours of incidents
MET_MAX = 100_000  # run ids remembered; 10 MB
RESTORED_MAX = 2_000  # runs brought back at start: as many as the engine holds

Tell = Callable[[Report], Iterable[Delivery]]


class Judging:
    """Hands arrivals to the engine, asks it what changed, keeps the answer."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        reader: Reader,
        telemetry: Telemetry,
        tell: Tell,
    ) -> None:
        self.engine = engine
        self._store = store
        self._reader = reader
        self._telemetry = telemetry
        self._tell = tell
        self._pending: deque[tuple[Report, tuple[Delivery, ...]]] = deque()
        self._met: OrderedDict[str, None] = OrderedDict()  # runs this process has seen
        self._older_runs = reader.newest_run()  # rows up to here were made by an earlier process

    def resume(self, now_ns: int) -> None:
        """Bring back what an earlier process knew and was watching when it ended."""
        self._learn(self._reader.changes(now_ns - int(FIRING_S * 1e9), now_ns, CHANGES_MAX))
        since_ns = now_ns - int(self.engine.limits.run_idle_s * 1e9)
        for run_id in reversed(self._reader.live_since(since_ns, RESTORED_MAX)):
            self._restore(run_id)

    def consume(self, arrived: Arrived) -> None:
        """Take in what the intake read and committed."""
        self._observe(arrived.steps, arrived.arrived_ns)
        self._learn(arrived.changes)
        self.measure(arrived.samples)

    def measure(self, samples: Iterable[Sample]) -> None:
        """Take in what was measured: pushed over OTLP, scraped, or read from this host."""
        self.engine.measure(samples)

    def tick(self, now_ns: int) -> Report:
        """Judge, record and queue what must be told."""
        began_s = time.perf_counter()
        report = self.engine.conclude(now_ns)
        self._telemetry.judge.observe(time.perf_counter() - began_s)
        self._telemetry.concluded(report, runs=len(self.engine), series=len(self.engine.series))
        if report.opened or report.updated or report.closed or report.impacts:
            self._pending.append((report, tuple(self._tell(report))))
        if len(self._pending) > PENDING_MAX:
            self._pending.popleft()
            self._telemetry.drop({"report_unrecorded": 1})
        self._record(now_ns)
        return report

    def _record(self, now_ns: int) -> None:
        while self._pending:
            report, deliveries = self._pending[0]
            try:
                self._store.record(report, deliveries, now_ns)
            except StoreUnavailable as error:
                self._telemetry.store_unavailable(error.reason, str(error))
                return
            self._pending.popleft()

    def _observe(self, steps: Iterable[Step], arrived_ns: int) -> None:
        steps = list(steps)
        for run_id in {step.run_id for step in steps}:
            if not self.engine.knows(run_id) and self._put_away(run_id):
                self._restore(run_id)
        self.engine.observe(steps, arrived_ns)

    def _put_away(self, run_id: str) -> bool:
        """True where the store knows more of a run than the engine does."""
        if run_id in self._met:
            return True
        self._met[run_id] = None
        if len(self._met) > MET_MAX:
            self._met.popitem(last=False)
        row = self._reader.run_row(run_id)
        return row is not None and row <= self._older_runs

    def _restore(self, run_id: str) -> None:
        """What the store knows of a run that is not in memory, as after a restart."""
        claims = self._reader.claims(run_id)[::-1]  # a finding's newest life is the one that counts
        steps = self._reader.steps(run_id, self.engine.policy)
        if steps or claims:
            self.engine.restore(run_id, steps, claims)

    def _learn(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.engine.learn(change)
