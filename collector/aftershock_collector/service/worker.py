"""From what arrived to what is recorded and told: the engine with its store and its messengers.

Runs on the intake's thread only. It owns no clock: `tick` is told what time it is.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from aftershock.attributes import SERVICE_NAME
from aftershock.model import Change, ChangeKind, Report, Step
from aftershock.runs.fold import Window
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.agent_telemetry import AgentTelemetry, Hear
from aftershock_collector.impact.events import CHANGES_MAX, FIRING_S
from aftershock_collector.impact.feedback import decided
from aftershock_collector.impact.priors import prior_of
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.wire import LogEvent, Sample
from aftershock_collector.reading.decoder import Readers
from aftershock_collector.reading.dialects import text_in
from aftershock_collector.reading.links import read_error
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.interface import Delivery, Store, StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.views.timeline_json import suspects_json

ANSWERED_MAX = 100  # alerts of one webhook that are answered with their suspects
PENDING_MAX = 1_000  # reports that wait for a store that is full or locked; hours of incidents
MET_MAX = 100_000  # run ids remembered; 10 MB
RESTORED_MAX = 2_000  # runs brought back at start: as many as the engine holds
LEARNT_RUNS_MAX = 1_000  # newest runs whose customs are learnt again at start, ...
LEARNT_STEPS_MAX = 20_000  # ... until this many steps were read: about two seconds

Tell = Callable[[Report], Iterable[Delivery]]
Draw = Callable[[Iterable[Step], int], Iterable[Delivery]]  # steps that are new, and now
Accuse = Callable[[Suspects], Iterable[Delivery]]


class Told(NamedTuple):
    """What one conclusion changed, until it is recorded."""

    report: Report
    suspects: tuple[Suspects, ...]
    deliveries: tuple[Delivery, ...]
    votes: tuple[int, ...] = ()  # rows of people's verdicts that this tells of


def nobody_hears(_suspects: Suspects) -> Iterable[Delivery]:
    """Where suspects are recorded and nobody is told."""
    return ()


class Worker:
    """Hands arrivals to the engine, asks it what changed, keeps the answer."""

    def __init__(  # noqa: PLR0917
        self,
        engine: Engine,
        store: Store,
        reader: Reader,
        telemetry: Telemetry,
        tell: Tell,
        rank_suspects: Accuse = nobody_hears,
        hear: Hear | None = None,
        draw: Draw | None = None,
    ) -> None:
        self.engine = engine
        self._store = store
        self._reader = reader
        self._telemetry = telemetry
        self._tell = tell
        self._accuse = rank_suspects
        self._draw = draw
        self._fleet = AgentTelemetry(engine, telemetry.registry, hear)
        self._pending: deque[Told] = deque()
        self._met: OrderedDict[str, None] = OrderedDict()  # runs this process has seen
        self._voted = 0  # newest row of a person's verdict that was taken in
        self._older_runs = reader.newest_run()  # rows up to here were made by an earlier process

    def resume(self, now_ns: int) -> None:
        """Bring back what an earlier process knew and was watching when it ended."""
        since_ns = now_ns - int(FIRING_S * 1e9)
        self._learn(self._reader.changes(since_ns, now_ns, CHANGES_MAX), now_ns)
        since_ns = now_ns - int(self.engine.limits.run_idle_s * 1e9)
        self.engine.correlator.set_prior(prior_of(self._reader.feedback()))
        for run_id in reversed(self._reader.live_since(since_ns, RESTORED_MAX)):
            self._restore(run_id)
        restore_baseline(self.engine, self._reader)

    def consume(self, arrived: Observations) -> None:
        """Take in what the intake read and committed."""
        self._observe(arrived.steps, arrived.arrived_ns)
        self._learn(arrived.changes, arrived.arrived_ns)
        self.measure(arrived.samples)

    @property
    def readers(self) -> Readers:
        """How items are read beside this engine: by its policy, and by the traces it knows."""
        policy = self.engine.policy
        return Readers(lambda span: read(span, policy), self.read_event)

    def read_event(self, event: LogEvent) -> Step | Change | None:
        """What a log tells; a service's error counts where an agent's trace came back in it."""
        found = read_event(event, self.engine.policy)
        if found is not None:
            return found
        error = read_error(event)
        if error is None:
            return None
        service = text_in(event.resource, SERVICE_NAME)
        if self.engine.correlator.links.knows(error.trace_id, service):
            return error
        self.engine.correlator.links.wait(error)
        return None

    def answer(self, changes: Iterable[Change], now_ns: int) -> list[dict[str, Any]]:
        """What whoever sent alerts is answered: their suspects, before a person sees them."""
        alerts = [c for c in changes if c.kind is ChangeKind.ALERT and c.ended_at_ns is None]
        return [
            suspects_json(self.engine.correlator.suspects(a, now_ns)) for a in alerts[:ANSWERED_MAX]
        ]

    def measure(self, samples: Iterable[Sample]) -> None:
        """Take in what was measured: pushed over OTLP, scraped, or read from this host."""
        self.engine.correlator.measure(samples)

    def tick(self, now_ns: int) -> Report:
        """Judge, record and queue what must be told."""
        self._take_feedback(now_ns)
        began_s = time.perf_counter()
        report = self.engine.conclude(now_ns)
        self._telemetry.judge.observe(time.perf_counter() - began_s)
        self._concluded(report)
        suspects = tuple(self.engine.correlator.rank_suspects(now_ns))
        news = (report.opened, report.updated, report.closed, report.impacts, report.changes)
        if any(news) or suspects:
            deliveries = [*self._tell(report), *(d for s in suspects for d in self._accuse(s))]
            self._wait(Told(report, suspects, tuple(deliveries)))
        self._record(now_ns)
        return report

    def _take_feedback(self, now_ns: int) -> None:
        """What people decided since the last tick, in this process or another one."""
        try:
            untold = [one for one in self._reader.unreported_feedback() if one[0] > self._voted]
            prior = prior_of(self._reader.feedback()) if untold else None
        except StoreUnavailable as error:
            self._telemetry.store_unavailable(error.reason, str(error))
            return
        if prior is None:
            return
        closed = [decided(claim, feedback) for _, feedback, claim in untold]
        for claim in closed:
            self.engine.close(claim)
        self.engine.correlator.set_prior(prior)
        report = Report(now_ns, closed=tuple(closed))
        self._concluded(report)
        rows = tuple(row for row, *_ in untold)
        self._voted = rows[-1]
        self._wait(Told(report, (), tuple(self._tell(report)), rows))

    def _concluded(self, report: Report) -> None:
        self._fleet.concluded(report)
        self._telemetry.concluded(
            report, runs=len(self.engine), series=len(self.engine.correlator.series)
        )
        self._telemetry.drop(self._fleet.dropped())

    def _wait(self, told: Told) -> None:
        """Until it is recorded."""
        self._pending.append(told)
        if len(self._pending) > PENDING_MAX:
            self._pending.popleft()
            self._telemetry.drop({"report_unrecorded": 1})

    def _record(self, now_ns: int) -> None:
        while self._pending:
            told = self._pending[0]
            try:
                report, suspects, deliveries, votes = told
                self._store.record(report, deliveries, now_ns, suspects, votes)
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
        firsts = self._fleet.saw(steps, arrived_ns)
        drawn = () if self._draw is None else tuple(self._draw(firsts, arrived_ns))
        if drawn:
            self._wait(Told(Report(arrived_ns), (), drawn))

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

    def _learn(self, changes: Iterable[Change], now_ns: int) -> None:
        for change in changes:
            self.engine.learn(change, now_ns)


def restore_baseline(engine: Engine, reader: Reader) -> None:
    """What past runs showed of custom: an earlier process knew it, and forgot it as it ended."""
    read = 0
    for past in reader.runs(limit=LEARNT_RUNS_MAX):
        if engine.knows(past.run_id):
            continue  # it lives, or has ended just now: the engine learns from it by itself
        window = Window(past.run_id, engine.limits)
        steps = reader.steps(past.run_id, engine.policy)
        window.add(steps)
        engine.correlator.baseline.learn_from(window, past.ended_at_ns or past.last_ns)
        read += len(steps)
        if read >= LEARNT_STEPS_MAX:
            return
