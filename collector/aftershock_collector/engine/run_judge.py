"""RunJudge: the state of one live run, and the findings that follow from it.

To judge a run needs its own steps and the Evidence that the Correlator hands over, and nothing of
any other run. So runs can be divided between processes by run id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from aftershock.model import Claim, Closing, Impact, Run, Step, StepKind
from aftershock.policy.policy import Policy, limits_for
from aftershock.rules import (
    CLOCK_RULES,
    LIVE_RULES,
    RULES,
    STEP_RULES,
    Lifetime,
    judge,
    kinds_of,
    rules_after,
)
from aftershock.runs.expectations import LearnedExpectations, answer_requirements, expect
from aftershock.runs.fold import Window, place_of
from aftershock.runs.reconcile import (
    NO_CLAIMS,
    Claims,
    advance,
    awaits_review,
    close,
    reconcile,
)
from aftershock.runs.size import CLAIM_BYTES, LINK_BYTES, claims_size, size_of
from aftershock_collector.engine.counted_bytes import CountedBytes
from aftershock_collector.engine.eviction import LiveRun
from aftershock_collector.engine.evidence import (
    NOTHING_LEARNED,
    Evidence,
    dependencies_of,
    depends_on_others,
    is_unmeasured,
)

SKEW_IGNORED_NS = 5 * 10**9  # queues and batches delay by this much; more is a wrong clock
CHUNK_STEPS = 128  # added before the window is judged again; well under a window
NO_KINDS: frozenset[str] = frozenset()
# Kinds that live rules make and step rules do not: they open and close by themselves.
LIVE_KINDS = kinds_of(LIVE_RULES) - kinds_of(STEP_RULES)
# Kinds of findings that the run's own steps may not be enough to derive again.
USING_EVIDENCE = kinds_of(rule for rule in RULES if rule.uses_evidence)

# Kinds whose alarms stay open until a person has looked at them, or until they expire.
ACTION_KINDS = kinds_of(rule for rule in RULES if rule.lifetime is Lifetime.ACTION)

Difference = tuple[Sequence[Claim], Sequence[Claim], Sequence[Claim]]  # opened, updated, closed


class End(NamedTuple):
    """The end of a run, and whether steps from before it are no longer expected to arrive."""

    at_ns: int | None  # None: it is not known to be over
    settled: bool


class RunJudge:
    """One live run: its window of steps, the claims after each step, and what was reported."""

    def __init__(self, run_id: str, policy: Policy, *, live: bool, sender: str = "") -> None:
        self.window = Window(run_id, policy.limits)
        self.limits = policy.limits  # those of the run's agent, once it is known
        self.reported: Claims = NO_CLAIMS
        self.finished_at_ns: int | None = None  # nothing more will arrive: a recording has ended
        self.sender = sender  # who opened the run; "": not known
        self._steps_size, self._states_size = CountedBytes(), CountedBytes()
        self._policy = policy
        self._live = live
        self._before: Claims = NO_CLAIMS  # when the oldest step of the window began
        self._states: list[Claims] = []  # after each step of the window
        self._timed: Claims = NO_CLAIMS  # of live rules
        self._end_judged = End(None, settled=True)  # for which clock rules were judged
        self._restored = False  # from what an earlier process reported, and not judged since
        self._kept: Claims = NO_CLAIMS  # of these, what only that process had evidence for
        self._dirty_from: int | None = None  # first step to judge again; None: all are judged
        self._skew_ns: int | None = None  # our clock minus the agent's, at best; None: unknown
        self._lag_ns = 0  # our clock minus the agent's, at most, by what it did most recently
        self._arrived_ns: int | None = None  # newest arrival; None: of a recording, or restored
        self._now_ns = 0  # of the newest tick
        self._learned = NOTHING_LEARNED

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.window.run_id

    @property
    def clock_ns(self) -> int:
        """What to add to the agent's times to get ours: zero unless its clock is plainly wrong."""
        skew = self._skew_ns
        return skew if skew is not None and abs(skew) > SKEW_IGNORED_NS else 0

    @property
    def received_ns(self) -> int | None:
        """Newest sign of life by our clock; None: there was none."""
        if self.window.received_at_ns is None:
            return None
        received_ns = self.window.received_at_ns + self.clock_ns
        return min(received_ns, self._arrived_ns or received_ns)

    def run(self, now_ns: int, impacts: Iterable[Impact]) -> Run:
        """The run as it stands, with the attributions of its actions."""
        return replace(self.window.whole(now_ns), impacts=tuple(impacts))

    # --- Steps ---------------------------------------------------------------------------------

    def restore(self, claims: Iterable[Claim]) -> None:
        """Adopt what an earlier process reported of this run; its steps are added as usual."""
        self.reported = {claim.finding.id: claim for claim in claims}
        self._timed = {
            identity: claim
            for identity, claim in self.reported.items()
            if claim.finding.kind in LIVE_KINDS
        }
        self._restored = True

    def measure_clock(self, steps: Iterable[Step], arrived_ns: int) -> None:
        """Compare the agent's clock with ours, by what it did: a frame's end is only a claim."""
        self._arrived_ns = arrived_ns
        worked = [step.last_ns for step in steps if step.kind is not StepKind.AGENT]
        if worked:
            skew_ns = arrived_ns - max(worked)
            self._skew_ns = skew_ns if self._skew_ns is None else min(self._skew_ns, skew_ns)
            self._lag_ns = arrived_ns - min(worked)

    def overflows_with(self, steps: Sequence[Step]) -> bool:
        """True where steps could leave the window before they are judged."""
        return len(self.window) + len(steps) > self.limits.run_steps_max

    def add(self, steps: Sequence[Step]) -> None:
        """Fold steps into the window, in any order; at most CHUNK_STEPS at once."""
        shift = self.window.add(steps)
        sizes = [size_of(step) for step in steps if step.kind is not StepKind.HEARTBEAT]
        self._steps_size.add(sum(sizes), len(sizes))
        if self._steps_size.is_stale(self.window.held):
            self.measure_size()
        if shift.changed_from is None:
            return
        valid = shift.changed_from + shift.fell_out  # states up to here still fit their prefixes
        if self._dirty_from is not None:
            valid = min(valid, self._dirty_from)
        kept = min(shift.fell_out, valid)
        if kept:
            self._before = self._states[kept - 1]
        del self._states[: shift.fell_out]
        self._dirty_from = max(0, valid - shift.fell_out)

    def judge_again_since(self, time_ns: int) -> None:
        """Steps that began at a moment (event time) or later rely on what is known only now."""
        self._judge_again(self.window.position_at(time_ns))

    def finish(self, ended_at_ns: int) -> None:
        """Nothing more will arrive: a recording has ended."""
        self.finished_at_ns = ended_at_ns

    def close(self, claim: Claim) -> None:
        """Record that a person closed a finding."""
        self.reported = {**self.reported, claim.finding.id: claim}

    @property
    def live_run(self) -> LiveRun:
        """What decides when the run is evicted."""
        holder = (self.sender, self.window.service or "", self.window.agent or "")
        return LiveRun(self.run_id, holder, self._ended_at_ns is not None, self.size_bytes)

    @property
    def size_bytes(self) -> int:
        """Estimated bytes of the window and of the claims, or more."""
        others = CLAIM_BYTES * len(self.reported) + LINK_BYTES * self.window.links
        return self._steps_size.size_bytes + self._states_size.size_bytes + others

    def measure_size(self) -> None:
        """Estimate anew: steps that were replaced or fell out count no longer."""
        steps, states = self.window.steps_held(), self._states
        self._steps_size = CountedBytes(sum(map(size_of, steps)), self.window.held)
        pairs = zip((self._before, *states), states, strict=False)
        sizes = (claims_size(after, before) for before, after in pairs if after is not before)
        self._states_size = CountedBytes(sum(sizes), len(states))

    # --- Judging -------------------------------------------------------------------------------

    def is_due(self, evidence: Evidence) -> bool:
        """Judge what time and impacts alone can change; True where anything may be different."""
        self._now_ns = evidence.now_ns
        timed = self._judge_timed(evidence) if self._live else self._timed
        is_different = timed is not self._timed
        self._timed = timed
        ended_at_ns = self._ended_at_ns
        ended = ended_at_ns is not None and any(
            claim.closing is None and not awaits_review(claim, ACTION_KINDS)
            for claim in self.reported.values()
        )
        return (
            is_different
            or self._dirty_from is not None
            or ended
            or self._end_at(evidence.now_ns) != self._end_judged
            or (self._is_clocked and self._lacks_overtime(self._until_ns(evidence.now_ns)))
        )

    def dependencies(self, learned: LearnedExpectations) -> set[str]:
        """Keys of everything that others may have changed and that unjudged steps rely on."""
        self.expect(learned)
        if self._dirty_from is None:
            return set()
        keys: set[str] = set()
        steps = self._steps_as_expected()
        for length in range(self._dirty_from + 1, len(steps) + 1):
            if depends_on_others(steps[length - 1]):
                keys |= dependencies_of(steps[:length])
        return keys

    def expect(self, learned: LearnedExpectations) -> None:
        """Judge all steps again where the expectations are no longer those of before."""
        known, self._learned = self._learned, learned
        if learned.expectations != known.expectations:
            self._judge_again(0)

    def conclude(self, evidence: Evidence) -> Difference:
        """Judge what is due; returns what differs from what was reported, as reported now."""
        self.judge_steps(evidence)
        until_ns, end = self._until_ns(evidence.now_ns), self._end_at(evidence.now_ns)
        claims = {**self._keep_restored(), **self._claims}
        if self._is_clocked:
            run = self._as_ended(until_ns, settled=end.settled)
            claims = advance(claims, judge(run, self.limits, CLOCK_RULES), until_ns, NO_KINDS)
        self._end_judged = end
        if self._ended_at_ns is not None:
            claims = close(claims, self._ended_at_ns, Closing.RUN_ENDED, ACTION_KINDS)
        derived = {**claims, **self._timed}
        *difference, self.reported = reconcile(self.reported, derived, evidence.now_ns)
        opened, updated, closed = difference
        return opened, updated, closed

    def judge_steps(self, evidence: Evidence) -> None:
        """Judge every prefix of the window from the first unjudged step on."""
        self.expect(evidence.learned)
        if self._dirty_from is None:
            return
        self.limits = limits_for(self._policy, self.window.agent)
        del self._states[self._dirty_from :]
        claims = self._claims
        steps = self._steps_as_expected()
        for length in range(len(self._states) + 1, len(steps) + 1):
            rules, kinds = rules_after(steps[length - 1].kind)
            if rules:
                run = self._prefix(steps[:length], evidence)
                before = claims
                claims = advance(before, judge(run, self.limits, rules), run.now_ns, kinds)
                if claims is not before:
                    self._states_size.add(claims_size(claims, before))
            self._states.append(claims)
        self._dirty_from = None
        if self._states_size.is_stale(len(self._states)):
            self.measure_size()

    def _as_ended(self, until_ns: int, *, settled: bool) -> Run:
        """The run at its end, or as it stands, with what its answer is expected to rest on."""
        run = self.window.whole(until_ns)
        return replace(
            run, settled=settled, answer_requires=answer_requirements(self._learned, run.steps)
        )

    # --- Inside --------------------------------------------------------------------------------

    @property
    def _claims(self) -> Claims:
        """Claims after the newest judged step."""
        return self._states[-1] if self._states else self._before

    @property
    def _ended_at_ns(self) -> int | None:
        """When the run ended. An end that lies ahead of the agent's own clock is not there yet."""
        ended_ns = self.window.ended_at_ns
        latest_ns = self._now_ns - self._lag_ns + SKEW_IGNORED_NS
        is_ahead = self._live and self._now_ns > 0 and (ended_ns or 0) > latest_ns
        return self.finished_at_ns or (None if is_ahead else ended_ns)

    def _end_at(self, now_ns: int) -> End:
        """The run's end as it is known at a moment of our clock."""
        if self._ended_at_ns is None or self.finished_at_ns is not None:
            return End(self._ended_at_ns, settled=True)
        settle_ns = int(self.limits.settle_s * 1e9)
        arrives = self._arrived_ns is not None and now_ns - self._arrived_ns < settle_ns
        return End(self._ended_at_ns, settled=not arrives)

    @property
    def _is_clocked(self) -> bool:
        """True where it is known how late it is: now, or when the run ended."""
        return self._live or self._ended_at_ns is not None

    def _until_ns(self, now_ns: int) -> int:
        """The run's end, or now by the agent's clock."""
        return self._ended_at_ns or now_ns - self.clock_ns

    def _judge_again(self, position: int | None) -> None:
        """Judge the prefixes from a position of the window on again. None: there are none."""
        if position is not None:
            known = self._dirty_from
            self._dirty_from = position if known is None else min(known, position)

    def _steps_as_expected(self) -> tuple[Step, ...]:
        """The window's steps, with what their calls are expected to require."""
        steps = self.window.whole(0).steps
        if not self._learned.expectations:
            return steps
        return tuple(expect(self._learned, step) for step in steps)

    def _prefix(self, steps: tuple[Step, ...], evidence: Evidence) -> Run:
        """The run as it stood after its first steps, with what others had changed by then."""
        run = self.window.prefix(len(steps), steps)
        if not depends_on_others(steps[-1]):
            return run
        changes = evidence.changes_before(
            dependencies_of(steps), steps[-1].began_at_ns, self.limits.changes_max
        )
        return replace(run, changes=changes)

    def _judge_timed(self, evidence: Evidence) -> Claims:
        if self._ended_at_ns is not None and not evidence.impacts and not self._timed:
            return self._timed
        local_ns = evidence.now_ns - self.clock_ns
        run = replace(
            self.run(local_ns, evidence.impacts),
            ended_at_ns=self._ended_at_ns,
            longest_s=self._learned.longest_s,
        )
        if run.newest is None:
            return self._timed
        timed = advance(self._timed, judge(run, self.limits, LIVE_RULES), local_ns)
        return self._impacts_reviewed(timed, evidence.impacts)

    def _impacts_reviewed(self, timed: Claims, impacts: Iterable[Impact]) -> Claims:
        """Claims on impacts that `advance` closed, as the newest attributions want them.

        Where there is no data, nothing is withdrawn. Where the damage is over, an alarm stays open
        for a person to look at. Where a new attribution is too weak, the claim is contradicted.
        """
        newest = {impact.span_id: impact for impact in impacts}
        kept: dict[str, Claim] = {}
        for identity, claim in timed.items():
            known = self._timed.get(identity)
            if known is None or known.closing is not None or claim.closing is None:
                continue
            if known.finding.impact is None:
                continue
            impact = newest.get(known.finding.impact.span_id)
            if impact is None or is_unmeasured(known.finding.impact, impact):
                kept[identity] = known
            elif impact.recovered_at_ns is None:
                kept[identity] = replace(claim, closing=Closing.CONTRADICTED)
            elif awaits_review(known, ACTION_KINDS):
                finding = replace(known.finding, impact=impact)
                kept[identity] = (
                    known if finding == known.finding else replace(known, finding=finding)
                )
        reviewed = {**timed, **kept} if kept else timed
        return self._timed if reviewed == self._timed else reviewed

    def _lacks_overtime(self, until_ns: int) -> bool:
        """True where a finding of clock rules was not reported yet, or not at this level."""
        if self.limits.budget.wall_time_s is None:
            return False
        for finding in judge(self.window.whole(until_ns), self.limits, CLOCK_RULES):
            known = self.reported.get(finding.id)
            if known is None or (known.closing is None and known.finding.level != finding.level):
                return True
        return False

    def _keep_restored(self) -> Claims:
        """Lasting claims of an earlier process that the restored steps alone do not show."""
        if self._restored:
            derived = self._claims
            self._kept = {
                identity: claim
                for identity, claim in self.reported.items()
                if claim.closing is None
                and claim.finding.lasting
                and claim.finding.kind in USING_EVIDENCE
                and identity not in derived
            }
            self._restored = False
        return self._kept


def chunks_of(steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    """Steps in event order, in pieces that a window can hold."""
    ordered = sorted(steps, key=place_of)
    for start in range(0, len(ordered), CHUNK_STEPS):
        yield ordered[start : start + CHUNK_STEPS]
