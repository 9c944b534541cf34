"""observe · learn · conclude: live runs, each with its RunJudge, joined by one Correlator. Pure.

Live traffic, imports, backtests and evaluations all go through this one class. It only routes:
a run is judged in `RunJudge`, what crosses runs is known in `Correlator`, and `Evidence` is all
that passes from the second to the first.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aftershock.model import Change, Claim, Report, Run, Step, StepKind
from aftershock.policy.policy import EMPTY, Policy
from aftershock.runs.fold import Window
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.correlator import Correlator
from aftershock_collector.engine.cross_run import may_overtake
from aftershock_collector.engine.eviction import runs_to_evict
from aftershock_collector.engine.evidence import Evidence
from aftershock_collector.engine.run_judge import RunJudge, chunks_of
from aftershock_collector.impact.fair_shares import Holding, most_of
from aftershock_collector.impact.observation import OBSERVATION_WINDOW_S
from aftershock_collector.metrics.series import SERIES_MAX

EARLY_RUNS_MAX = 1_000  # traces whose outgoing calls wait for the tool call around them
BYTES_MAX = 192_000_000  # of a process of 512 MB: see memory_share
SILENT_NS = 600 * 10**9  # an open run that was heard of since then is still judged as it happens
UNNAMED_MAX = 64  # actions of one run that are observed again once somebody says whose they are
EARLY_STEPS_MAX = 16  # of one such trace: more targets than a tool call has


class Engine:
    """Steps and changes in, Reports out.

    Args:
        policy: limits, and per agent what differs from them.
        live: whether there is a running system beside it: silence and degradations are judged
            against the time of the tick.
        baseline: what earlier runs showed to be usual, where others share it.
        bytes_max: of the steps of all live runs together, estimated.
    """

    def __init__(
        self,
        policy: Policy = EMPTY,
        *,
        series_max: int = SERIES_MAX,
        observation_window_s: float = OBSERVATION_WINDOW_S,
        topology: Mapping[str, Sequence[str]] | None = None,
        live: bool = True,
        patience_s: float = 0.0,
        baseline: Baseline | None = None,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self.policy = policy
        self._bytes_max = bytes_max
        self.limits = policy.limits
        self.live = live
        self.correlator = Correlator(
            policy.limits,
            series_max=series_max,
            observation_window_s=observation_window_s,
            topology=topology,
            patience_s=patience_s,
            baseline=baseline,
        )
        self._judges: OrderedDict[str, RunJudge] = OrderedDict()  # least recently active first
        self._early: OrderedDict[str, list[Step]] = OrderedDict()
        self._unnamed: defaultdict[str, list[Step]] = defaultdict(list)  # run → its actions
        self._dropped: Counter[str] = Counter()
        self._evicted = 0  # open runs that were at work, since `evicted` was asked
        self._filled_by: Holding | None = None  # then

    # --- In ------------------------------------------------------------------------------------

    def knows(self, run_id: str) -> bool:
        """False where a run must be restored from the store before its new steps are observed."""
        return run_id in self._judges

    def observe(
        self, steps: Iterable[Step], arrived_ns: int | None = None, sender: str = ""
    ) -> None:
        """Record steps, in any order.

        Args:
            steps: of any runs.
            arrived_ns: our clock, which shows which clocks are wrong; None: of a recording.
            sender: who sent them; a run belongs to the sender that opened it.
        """
        by_run: dict[str, list[Step]] = {}
        for step in steps:
            by_run.setdefault(step.run_id, []).append(step)
        for run_id, batch in by_run.items():
            if self.knows(run_id) or opens_run(batch):
                early = [one for one in self._early.pop(run_id, []) if one.sender == sender]
                self._record(self._judge_of(run_id, sender), early + batch, arrived_ns)
            else:
                self._hold(run_id, batch)

    def restore(self, run_id: str, steps: Iterable[Step], claims: Iterable[Claim]) -> None:
        """Bring back a run that was evicted or that an earlier process knew."""
        known = list(steps)
        judge = self._judge_of(run_id, next((step.sender for step in known if step.sender), ""))
        judge.restore(claims)
        self.correlator.restore_impacts(
            run_id, (c.finding.impact for c in judge.reported.values() if c.finding.impact)
        )
        self._record(judge, known, None)

    def learn(self, change: Change, now_ns: int) -> None:
        """Record something that changed outside the agents; an alert gets its suspects."""
        self._judge_again(self.correlator.record_change(change, now_ns), change.began_at_ns)

    def learn_logged(self, changes: Iterable[Change], now_ns: int) -> None:
        """Record what logs say was done for traces, as far as these are agents'."""
        for change in self.correlator.record_logged(changes, now_ns):
            self.learn(change, now_ns)

    def close(self, claim: Claim) -> None:
        """Record that a person closed a finding."""
        judge = self._judges.get(claim.finding.run_id)
        if judge is not None:
            judge.close(claim)

    # --- Out -----------------------------------------------------------------------------------

    def conclude(self, now_ns: int) -> Report:
        """Judge what is new, and what time alone made true; report only differences."""
        if self.live:
            for change in self.correlator.changes_due(now_ns):
                self.learn(change, now_ns)
        impacts = self.correlator.score(now_ns, self._judges) if self.live else []
        opened: list[Claim] = []
        updated: list[Claim] = []
        closed: list[Claim] = []
        for judge in self._judges.values():
            evidence = self.correlator.evidence(judge.run_id, now_ns)
            if not judge.is_due(evidence):
                continue
            new, different, over = judge.conclude(self._complete(evidence, judge))
            opened += new
            updated += different
            closed += over
            if judge.window.ended_at_ns is not None:
                self.correlator.baseline.learn_from(judge.window, judge.window.ended_at_ns)
        self._evict(now_ns)
        return Report(
            now_ns=now_ns,
            opened=tuple(opened),
            updated=tuple(updated),
            closed=tuple(closed),
            impacts=tuple(impacts),
            changes=self.correlator.newly_linked(),
            drops=self._drops(),
        )

    def complete(self) -> Report:
        """Judge a recording that has ended: nothing more will arrive of any of its runs."""
        baseline = self.correlator.baseline
        newest_ns = 0
        for judge in self._judges.values():
            received_ns = judge.window.received_at_ns or 0
            newest_ns = max(newest_ns, received_ns)
            judge.finish(received_ns)
            baseline.learn_from(judge.window, received_ns)
        baseline.unsettle()
        for judge in self._judges.values():
            judge.expect(baseline.learned_at(judge.window.began_at_ns or 0))
        return self.conclude(newest_ns)

    def run(self, run_id: str, now_ns: int) -> Run | None:
        """A live run as it stands, or None where it is not in memory."""
        judge = self._judges.get(run_id)
        return None if judge is None else judge.run(now_ns, self.correlator.impacts_of(run_id))

    def window(self, run_id: str) -> Window | None:
        """A live run's window, or None where it is not in memory."""
        judge = self._judges.get(run_id)
        return None if judge is None else judge.window

    def evicted(self) -> tuple[int, Holding | None]:
        """Open runs at work that left memory since the last time, and who held most then."""
        evicted, self._evicted = self._evicted, 0
        return evicted, self._filled_by

    def allow(self, bytes_max: int) -> None:
        """From now on the steps of all live runs together may take so much."""
        self._bytes_max = bytes_max

    @property
    def is_full(self) -> bool:
        """True where runs must be evicted before more of them fit."""
        return len(self._judges) >= self.limits.runs_max or self.size_bytes > self._bytes_max

    @property
    def size_bytes(self) -> int:
        """Estimated bytes of the steps of all live runs."""
        return sum(judge.size_bytes for judge in self._judges.values())

    def judges(self) -> Iterable[RunJudge]:
        """The judge of every live run."""
        return self._judges.values()

    def __len__(self) -> int:
        return len(self._judges)

    # --- Inside --------------------------------------------------------------------------------

    def _judge_of(self, run_id: str, sender: str = "") -> RunJudge:
        judge = self._judges.get(run_id)
        if judge is None:
            judge = RunJudge(run_id, self.policy, live=self.live, sender=sender)
            self._judges[run_id] = judge
        self._judges.move_to_end(run_id)
        return judge

    def _complete(self, evidence: Evidence, judge: RunJudge) -> Evidence:
        """Evidence with everything that the unjudged steps of a run depend on."""
        learned = self.correlator.baseline.learned_at(judge.window.began_at_ns or 0)
        return self.correlator.evidence_with(
            evidence, judge.run_id, learned, judge.dependencies(learned)
        )

    def _hold(self, run_id: str, batch: list[Step]) -> None:
        """Keep outgoing calls for the run that may open around them."""
        held = self._early.setdefault(run_id, [])
        held.extend(batch[: EARLY_STEPS_MAX - len(held)])
        while len(self._early) > EARLY_RUNS_MAX:
            self._early.popitem(last=False)

    def _record(self, judge: RunJudge, steps: Sequence[Step], arrived_ns: int | None) -> None:
        if arrived_ns is not None:
            judge.measure_clock(steps, arrived_ns)
        for chunk in chunks_of(steps):
            if judge.overflows_with(chunk):
                judge.judge_steps(self._complete(Evidence(now_ns=0), judge))
            judge.add(chunk)
        self._dropped.update(judge.window.dropped)
        judge.window.dropped.clear()
        for step in steps:
            resolved = judge.window.find(step) if may_overtake(step) else None
            if resolved is not None:
                again = self.correlator.record_action(resolved)
                self._judge_again(again, resolved.last_ns)
        if self.live:
            self._observe_actions(judge, steps, arrived_ns)

    def _observe_actions(
        self, judge: RunJudge, steps: Sequence[Step], arrived_ns: int | None
    ) -> None:
        """Observe whatever can have an effect on the infrastructure from now on."""
        known = [(judge.window.find(s) or s) if s.records else s for s in steps]
        self.correlator.record_traces(known, judge.clock_ns)
        is_named = any(step.kind in {StepKind.AGENT, StepKind.HAND_OFF} for step in steps)
        again = self._unnamed.pop(judge.run_id, []) if is_named else []
        for step in (*again, *known):
            if step.action is None or not step.action.tier.has_effect:
                continue
            resolved = judge.window.find(step)
            if resolved is None:
                continue
            if resolved.agent is None:  # a frame may still say whose it is
                unnamed = self._unnamed[judge.run_id]
                unnamed[:] = [*unnamed, step][-UNNAMED_MAX:]
            facts = judge.window.facts_before(resolved)
            self.correlator.observe(resolved, facts, judge.clock_ns)
        now_ns = arrived_ns or max(step.last_ns for step in known)
        for change in self.correlator.changes_waiting_for(steps, now_ns):
            self.learn(change, now_ns)

    def _judge_again(self, run_ids: Iterable[str], since_ns: int) -> None:
        """What these runs did since a moment depends on something that is known only now."""
        for run_id in run_ids:
            judge = self._judges.get(run_id)
            if judge is not None:
                judge.judge_again_since(since_ns)

    def _evict(self, now_ns: int) -> None:
        """Drop runs that have been silent for long, or that do not fit; the store keeps them."""
        idle_ns = int(self.limits.run_idle_s * 1e9)
        for judge in list(self._judges.values()):
            received_ns = judge.received_ns or now_ns
            if not self.live or now_ns - received_ns < idle_ns:
                break
            self._drop(judge, now_ns)
        if self.size_bytes > self._bytes_max:
            for judge in self._judges.values():
                judge.measure_size()
        if len(self._judges) <= self.limits.runs_max and self.size_bytes <= self._bytes_max:
            return
        runs = [judge.live_run for judge in self._judges.values()]
        self._filled_by = most_of((*run.holder, float(run.size_bytes)) for run in runs)
        for run in runs_to_evict(runs, self.limits.runs_max, self._bytes_max):
            reason = "runs_full" if len(self._judges) > self.limits.runs_max else "memory_full"
            self._dropped[reason] += 1
            received_ns = self._judges[run.run_id].received_ns or 0
            self._evicted += not run.ended and now_ns - received_ns < SILENT_NS
            self._drop(self._judges[run.run_id], now_ns)

    def _drop(self, judge: RunJudge, now_ns: int) -> None:
        ended_at_ns = judge.window.received_at_ns or now_ns
        self.correlator.baseline.learn_from(judge.window, ended_at_ns)
        self.correlator.forget_run(judge.run_id)
        self._unnamed.pop(judge.run_id, None)
        del self._judges[judge.run_id]

    def _drops(self) -> dict[str, int]:
        """What was dropped since the last time, by reason."""
        dropped = self.correlator.drops() + self._dropped
        self._dropped.clear()
        return {reason: count for reason, count in dropped.items() if count}


def opens_run(steps: Iterable[Step]) -> bool:
    """Outgoing calls and parts of apps alone open no run: most are of services, not of agents."""
    return any(step.kind is not StepKind.OUTGOING and not step.is_part for step in steps)
