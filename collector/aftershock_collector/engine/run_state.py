"""Memory: everything that the engine keeps of one live run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aftershock.limits import Limits
from aftershock.model import Claim, Closing, Finding, Impact, Step
from aftershock.rules import RULES, kinds_of
from aftershock.runs.expectations import LearnedExpectations, expect
from aftershock.runs.fold import Window
from aftershock.runs.reconcile import NO_CLAIMS, Claims
from aftershock_collector.engine.baseline import NOTHING_LEARNED

SKEW_IGNORED_NS = 5 * 10**9  # queues and batches delay by this much; more is a wrong clock
# Kinds of findings that the run's own steps may not be enough to derive again.
USING_EVIDENCE = kinds_of(rule for rule in RULES if rule.uses_evidence)


@dataclass(slots=True)
class RunState:
    """Everything kept of one live run."""

    window: Window
    limits: Limits
    before: Claims = field(
        default_factory=lambda: NO_CLAIMS
    )  # claims as they stood when the oldest step of the window began
    states: list[Claims] = field(default_factory=list[Claims])  # after each step of the window
    timed: Claims = field(
        default_factory=lambda: NO_CLAIMS
    )  # claims of the rules that time makes true
    reported: Claims = field(default_factory=lambda: NO_CLAIMS)
    impacts: dict[str, Impact] = field(default_factory=dict[str, Impact])
    dirty_from: int | None = None
    skew_ns: int | None = None  # our clock minus the agent's, at best; None: not measured
    finished_at_ns: int | None = None  # said from outside: nothing more will come
    learned: LearnedExpectations = NOTHING_LEARNED  # what was custom when the run began
    restored: bool = False  # brought back, and not judged since
    kept: Claims = field(
        default_factory=lambda: NO_CLAIMS
    )  # lasting claims that rest on what only an earlier process knew

    @property
    def claims(self) -> Claims:
        """Claims after the newest step."""
        return self.states[-1] if self.states else self.before

    @property
    def clock_ns(self) -> int:
        """What to add to the agent's times to get ours: zero unless its clock is plainly wrong."""
        skew = self.skew_ns
        return skew if skew is not None and abs(skew) > SKEW_IGNORED_NS else 0

    def honest(self, timed: Claims) -> Claims:
        """A claim on impact that was given up while nothing recovered was contradicted."""
        wrong: dict[str, Claim] = {}
        for identity, claim in timed.items():
            impact, known = claim.finding.impact, self.timed.get(identity)
            closes = claim.closing is Closing.RECOVERED and known is not None and not known.closing
            now = None if impact is None else self.impacts.get(impact.span_id)
            if closes and now is not None and now.recovered_at_ns is None:
                wrong[identity] = replace(claim, closing=Closing.CONTRADICTED)
        return {**timed, **wrong} if wrong else timed

    def judge_again(self, position: int | None) -> None:
        """The window's prefixes from a position on read differently now. None: no step does."""
        if position is not None:
            known = self.dirty_from
            self.dirty_from = position if known is None else min(known, position)

    def follow(self, learned: LearnedExpectations) -> None:
        """What was custom when the run began, as far as is known now."""
        if learned.expectations != self.learned.expectations:
            self.learned = learned
            self.judge_again(0)

    def expected(self) -> tuple[Step, ...]:
        """The window's steps with what custom adds to them; nothing where there is no custom."""
        if not self.learned.expectations:
            return ()
        return tuple(expect(self.learned, step) for step in self.window.whole(0).steps)

    def lacks(self, true_now: Iterable[Finding]) -> bool:
        """True where one of these was not reported yet, or not at this level."""
        for finding in true_now:
            known = self.reported.get(finding.id)
            if known is None or (known.closing is None and known.finding.level != finding.level):
                return True
        return False

    def remember(self) -> Claims:
        """Lasting claims of an earlier process that a restored run's own steps do not show."""
        if self.restored:
            self.restored = False
            derived = self.claims
            self.kept = {
                identity: claim
                for identity, claim in self.reported.items()
                if claim.closing is None
                and claim.finding.lasting
                and claim.finding.kind in USING_EVIDENCE
                and identity not in derived
            }
        return self.kept
