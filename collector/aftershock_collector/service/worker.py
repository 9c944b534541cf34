"""The worker: hands what arrived to the engine, records its reports, and queues notifications.

Runs on the ingest queue's thread only. It owns no clock: `tick` is given the time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aftershock.attributes import SERVICE_NAME
from aftershock.model import Change, ChangeKind, Impact, Report, Step
from aftershock.runs.fold import Window
from aftershock_collector.access.senders import is_authenticated
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.agent_telemetry import AgentTelemetry, SendLogs
from aftershock_collector.impact.events import CHANGES_MAX, FIRING_S
from aftershock_collector.impact.feedback import decided
from aftershock_collector.impact.open_actions import ObserverState
from aftershock_collector.impact.priors import prior_of
from aftershock_collector.notify import fullness_page
from aftershock_collector.notify.fullness import Bound, Fullness
from aftershock_collector.notify.notifications import Notifications, Settings
from aftershock_collector.notify.recurrence import REMEMBERED_S
from aftershock_collector.otlp.wire import LogEvent, Sample
from aftershock_collector.reading.decoder import Readers
from aftershock_collector.reading.dialects import text_in
from aftershock_collector.reading.links import read_error
from aftershock_collector.reading.logs import read_logged
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.reading.redaction import redacted_change, redacted_event
from aftershock_collector.service.overflows import Overflows, Refused
from aftershock_collector.service.unrecorded import Unrecorded, UnrecordedReports
from aftershock_collector.sources.log_files import LogsRead, Places
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.interface import Delivery, Store, StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.serialization import from_bytes, to_bytes
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.views.timeline_json import suspects_json

ANSWERED_MAX = 100  # alerts of one webhook that are answered with their suspects
MET_MAX = 100_000  # runs remembered, by a hash; 13 MB
RESTORED_MAX = 2_000  # runs brought back at start: as many as the engine holds
RESTORED_STEPS_MAX = 2_048  # newest of one run: four windows, so that budgets count further back
LEARNT_RUNS_MAX = 1_000  # newest runs that the baseline is learned from at start, ...
LEARNT_STEPS_MAX = 20_000  # ... until this many steps were read: about two seconds

SNAPSHOT = "observer"  # name in the store
LOG_PLACES = "followed logs"  # likewise
PLACES_EVERY_NS = 5_000_000_000  # lines of these seconds are read again after a crash
SNAPSHOT_EVERY_NS = 5_000_000_000  # a crash loses no more rounds than these
EXPIRY_EVERY_NS = 60_000_000_000  # how often open findings are compared with their greatest age


class Worker:
    """Hands observations to the engine, asks it what changed, and records the answer."""

    def __init__(  # noqa: PLR0917
        self,
        engine: Engine,
        store: Store,
        reader: Reader,
        telemetry: Telemetry,
        notifications: Notifications | None = None,
        send_logs: SendLogs | None = None,
        send_now: Callable[[Delivery], None] = lambda _delivery: None,
    ) -> None:
        self.on_arrival: Callable[[Observations], None] = lambda _arrived: None
        # Steps that begin or end for the first time, and when they arrived.
        self.on_new_steps: Callable[[list[Step], int], None] = lambda _steps, _arrived_ns: None
        # Attributions that are new or different.
        self.on_impacts: Callable[[Sequence[Impact]], None] = lambda _impacts: None
        self.engine = engine
        self.deleted_rows_max: int | None = None  # in one statement that a log shows
        self._store = store
        self._reader = reader
        self._telemetry = telemetry
        self._notifications = notifications or Notifications(Settings())
        self._agents = AgentTelemetry(engine, telemetry.registry, send_logs)
        self._overflows = Overflows(engine, store, self._agents)
        self._fullness = Fullness()
        self._send_now = send_now  # past the store, which may be what is full
        self._sent_now = ""  # the page that went so
        self._unrecorded = UnrecordedReports()
        self._met: OrderedDict[int, None] = OrderedDict()  # hashes of runs this process has seen
        self._newest_feedback = 0  # row of the newest that was applied
        self._newest_response = 0
        self._expired_ns = 0  # when ages were compared last
        self._saved_ns = 0  # when observations were saved last
        self._places_saved_ns = 0
        self._observed = False  # whether there were any then
        self._older_runs = reader.newest_run()  # rows up to here were made by an earlier process

    def resume(self, now_ns: int) -> None:
        """Restore what an earlier process knew and observed when it ended."""
        since_ns = now_ns - int(FIRING_S * 1e9)
        self._learn(self._reader.changes(since_ns, now_ns, CHANGES_MAX), now_ns)
        self._restore_observations()  # before the runs: their actions are known then
        since_ns = now_ns - int(self.engine.limits.run_idle_s * 1e9)
        self.engine.correlator.set_prior(prior_of(self._reader.feedback()))
        for run_id in reversed(self._reader.live_since(since_ns, RESTORED_MAX)):
            self._restore(run_id)
        restore_baseline(self.engine, self._reader)
        reader = self._reader
        self._notifications.set_mutes(reader.mutes(now_ns))
        self._notifications.resume(
            reader.claims(open_only=True),
            reader.newest_incident(),
            [(one, reader.claims_of(one.number)) for one in reader.incidents(open_only=True)],
            reader.incidents(since_ns=now_ns - int(REMEMBERED_S * 1e9)),
        )
        unclosed = reader.unclosed(f"{fullness_page.KIND}/")
        if unclosed is not None:
            self._fullness.resume(unclosed, int(unclosed.partition("/")[2]), now_ns)

    def _restore_observations(self) -> None:
        """Open actions and their series, as an earlier process had them."""
        body = self._reader.snapshot(SNAPSHOT)
        if body is None:
            return
        correlator = self.engine.correlator
        try:
            correlator.restore_observations(from_bytes(ObserverState, body))
        except ValueError as error:  # of another version: what is observed begins anew
            self._telemetry.failed("restore observations", error)

    def _save_observations(self, now_ns: int, *, changed: bool) -> None:
        """Keep open actions and their series, so that a restart takes nothing back."""
        correlator = self.engine.correlator
        observes = len(correlator.observer) > 0
        is_due = changed or now_ns - self._saved_ns >= SNAPSHOT_EVERY_NS
        if not is_due or not (observes or self._observed):
            return
        self._saved_ns, self._observed = now_ns, observes
        state = correlator.observations(now_ns)
        try:
            self._store.save_snapshot(SNAPSHOT, to_bytes(state), now_ns)
        except StoreUnavailable as error:
            self._telemetry.store_unavailable(error.reason, str(error))

    def owner(self, run_id: str) -> str:
        """The sender that opened a run, as an earlier process recorded it; "" if none is known."""
        try:
            return self._reader.owner(run_id)
        except (StoreUnavailable, UnicodeError):
            return ""

    def consume(self, arrived: Observations) -> None:
        """Consume what the ingest queue decoded and committed."""
        self._observe(arrived.steps, arrived.arrived_ns, arrived.sender)
        self._learn(arrived.changes, arrived.arrived_ns)
        self.measure(arrived.samples)
        self._overflows.measured(arrived.sender)
        self.on_arrival(arrived)

    @property
    def notices(self) -> list[str]:
        """What every page says while the collector is full. Any thread may ask."""
        bounds = self._fullness.bounds
        return [fullness_page.title_of(bounds)] if bounds else []

    def readers(self, sender: str) -> Readers:
        """How a sender's items are read: by the engine's policy, and by the traces it knows."""
        policy, vouched = self.engine.policy, is_authenticated(sender)
        return Readers(
            lambda span: read(span, policy), lambda event: self.read_event(event, vouched=vouched)
        )

    def read_event(self, event: LogEvent, *, vouched: bool) -> Step | Change | None:
        """Read a log event; a service's error counts where it names the trace of an agent."""
        found = read_event(event, self.engine.policy)
        if found is not None:
            return found
        logged = read_logged(event, self.deleted_rows_max)
        error = logged or read_error(event)
        if error is None:
            return None
        service = text_in(event.resource, SERVICE_NAME)
        if logged is None:
            error = read_error(redacted_event(event)) or error
        error = redacted_change(error)
        if self.engine.correlator.links.knows(error.trace_id, service):
            return error
        self.engine.correlator.links.hold(replace(error, vouched=error.vouched and vouched))
        return None

    def read_logs(self, read: LogsRead) -> None:
        """What followed files say was done for traces of agents, and how far they were read."""
        changes = [redacted_change(change) for change in read.changes]
        self.engine.learn_logged(changes, read.arrived_ns)
        if read.arrived_ns - self._places_saved_ns < PLACES_EVERY_NS and not changes:
            return
        self._places_saved_ns = read.arrived_ns
        try:
            self._store.save_snapshot(LOG_PLACES, to_bytes(read.places), read.arrived_ns)
        except StoreUnavailable as error:
            self._telemetry.store_unavailable(error.reason, str(error))

    def log_places(self) -> Places | None:
        """How far an earlier process read the files that it followed."""
        body = self._reader.snapshot(LOG_PLACES)
        try:
            return None if body is None else from_bytes(Places, body)
        except ValueError as error:  # of another version: files are read from their end
            self._telemetry.failed("restore places of logs", error)
            return None

    def answer(self, changes: Iterable[Change], now_ns: int) -> list[dict[str, Any]]:
        """The suspects of alerts, for the answer to whoever posted them."""
        alerts = [c for c in changes if c.kind is ChangeKind.ALERT and c.ended_at_ns is None]
        return [
            suspects_json(self.engine.correlator.suspects(a, now_ns)) for a in alerts[:ANSWERED_MAX]
        ]

    def measure(self, samples: Iterable[Sample]) -> None:
        """Record samples: pushed over OTLP, scraped, or read from this host."""
        self.engine.correlator.measure(samples)

    def tick(self, now_ns: int, refused: Refused = (0, "", 0.0)) -> Report:
        """Apply what people decided, judge, and record both with the pages about them.

        `refused`: what `IngestQueue.refused` says.
        """
        self._apply_decisions(now_ns)
        began_s = time.perf_counter()
        report = self.engine.conclude(now_ns)
        self._telemetry.judge.observe(time.perf_counter() - began_s)
        self._concluded(report)
        if report.impacts:
            self.on_impacts(report.impacts)
        suspects = tuple(self.engine.correlator.rank_suspects(now_ns))
        changed = (report.opened, report.updated, report.closed, report.impacts, report.changes)
        notified = self._notifications.notify(report)
        for ranking in suspects:
            notified += self._notifications.rank_suspects(ranking)
        if any(changed) or suspects or notified.incidents:
            self._wait(Unrecorded(report, notified, suspects))
        self._report_fullness(now_ns, refused)
        self._record(now_ns)
        self._save_observations(now_ns, changed=bool(report.impacts))
        return report

    def _report_fullness(self, now_ns: int, refused: Refused) -> None:
        about = self._fullness.tick(self._overflows.since_last(refused), now_ns)
        bounds = self._fullness.bounds
        self._telemetry.fill({one: any(one is f.bound for f in bounds) for one in Bound})
        if about is None:
            return
        notified = self._notifications.report_fullness(about, now_ns)
        if self._store.trouble is None and about.subject != self._sent_now:
            self._wait(Unrecorded(Report(now_ns), notified))
            return
        self._sent_now = about.subject
        for delivery in notified.deliveries:
            self._send_now(delivery)

    def _apply_decisions(self, now_ns: int) -> None:
        """What people decided since the last tick, in any process, and what expired."""
        try:
            given = [
                one for one in self._reader.unreported_feedback() if one[0] > self._newest_feedback
            ]
            responses = [
                one for one in self._reader.unapplied_responses() if one[0] > self._newest_response
            ]
            self._notifications.set_mutes(self._reader.mutes(now_ns))
            prior = prior_of(self._reader.feedback()) if given else None
        except StoreUnavailable as error:
            self._telemetry.store_unavailable(error.reason, str(error))
            return
        closed = [decided(claim, feedback) for _, feedback, claim in given]
        is_due = now_ns - self._expired_ns >= EXPIRY_EVERY_NS
        if given or responses or is_due:
            self._expired_ns = now_ns
            asked = [response for _, response in responses]
            closed += self._notifications.closings(closed, asked, now_ns)
        if not (closed or responses):
            return
        for claim in closed:
            self.engine.close(claim)
            if claim.feedback is not None and claim.finding.impact is not None:
                self.engine.correlator.observer.assessed(claim.finding.impact, now_ns)
        if prior is not None:
            self.engine.correlator.set_prior(prior)
        report = Report(now_ns, closed=tuple(closed))
        self._concluded(report)
        notified = self._notifications.notify(report, [response for _, response in responses])
        rows = tuple(row for row, *_ in given)
        applied = tuple(row for row, _ in responses)
        self._newest_feedback = max((self._newest_feedback, *rows))
        self._newest_response = max((self._newest_response, *applied))
        self._wait(Unrecorded(report, notified, (), rows, applied))

    def _concluded(self, report: Report) -> None:
        self._agents.record_report(report)
        self._telemetry.concluded(
            report, runs=len(self.engine), series=len(self.engine.correlator.series)
        )
        self._overflows.add(report.drops)
        self._drop(self._agents.dropped())

    def _wait(self, unrecorded: Unrecorded) -> None:
        """Keep a report until the store has recorded it."""
        dropped = self._unrecorded.append(unrecorded)
        if dropped:
            self._drop({"report_unrecorded": dropped})

    def _drop(self, reasons: Mapping[str, int]) -> None:
        self._overflows.add(reasons)
        self._telemetry.drop(reasons)

    def _record(self, now_ns: int) -> None:
        while self._unrecorded:
            report, notified, suspects, feedback, responses = self._unrecorded.oldest
            deliveries, incidents = notified.deliveries, notified.incidents
            try:
                self._store.record(
                    report, deliveries, now_ns, suspects, feedback, incidents, responses
                )
            except StoreUnavailable as error:
                self._telemetry.store_unavailable(error.reason, str(error))
                return
            self._unrecorded.popleft()

    def _observe(self, steps: Iterable[Step], arrived_ns: int, sender: str) -> None:
        steps = list(steps)
        for run_id in {step.run_id for step in steps}:
            if not self.engine.knows(run_id) and self._was_evicted(run_id):
                self._restore(run_id)
        self.engine.observe(steps, arrived_ns, sender)
        new_steps = self._agents.record_steps(steps, arrived_ns)
        self.on_new_steps(new_steps, arrived_ns)
        drawn = self._notifications.draw(new_steps, arrived_ns)
        if drawn.deliveries:
            self._wait(Unrecorded(Report(arrived_ns), drawn))
        self._telemetry.drop(self._notifications.dropped())

    def _was_evicted(self, run_id: str) -> bool:
        """True where the store knows more of a run than the engine does."""
        mark = hash(run_id)  # where two are equal, the store is asked in vain
        if mark in self._met:
            return True
        self._met[mark] = None
        if len(self._met) > MET_MAX:
            self._met.popitem(last=False)
        row = self._reader.run_row(run_id)
        return row is not None and row <= self._older_runs

    def _restore(self, run_id: str) -> None:
        """What the store knows of a run that is not in memory, as after a restart."""
        claims = self._reader.claims(run_id)[::-1]  # a finding's newest life is the one that counts
        steps = self._reader.steps(run_id, self.engine.policy, RESTORED_STEPS_MAX)
        if steps or claims:
            self.engine.restore(run_id, steps, claims)

    def _learn(self, changes: Iterable[Change], now_ns: int) -> None:
        for change in changes:
            self.engine.learn(change, now_ns)


def restore_baseline(engine: Engine, reader: Reader) -> None:
    """Learn the baseline again from stored runs: it is kept in memory only."""
    read = 0
    for past in reader.runs(limit=LEARNT_RUNS_MAX):
        if engine.knows(past.run_id):
            continue  # it is live: the engine learns from it when it ends
        window = Window(past.run_id, engine.limits)
        steps = reader.steps(past.run_id, engine.policy, RESTORED_STEPS_MAX)
        window.add(steps)
        engine.correlator.baseline.learn_from(window, past.ended_at_ns or past.last_ns)
        read += len(steps)
        if read >= LEARNT_STEPS_MAX:
            return
