"""Recorded runs judged again under two policies, and what differs between them.

Each run goes through the live engine, one at a time. Only counts and a few examples are kept, so
that any number of runs fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from aftershock.model import Claim, Finding, Impact, Level, Step, StepKind
from aftershock.policy.policy import Policy, limits_for
from aftershock.rules import judge
from aftershock.rules.agent_impact import agent_impact
from aftershock.rules.stalled_run import stalled_run
from aftershock_collector.engine.engine import Engine

EXAMPLES_MAX = 3  # of each rule and level that was gained or lost
DAY_NS = 86_400 * 10**9
QUIET = {StepKind.AGENT, StepKind.HEARTBEAT}  # not things that were done

Key = tuple[str, Level]  # rule, level
Move = tuple[str, Level | None, Level | None]  # rule, level today, level with the other policy


@dataclass(frozen=True, slots=True)
class Example:
    """One finding that one policy makes and the other does not, or at another level."""

    finding: Finding
    today: Level | None  # None: not found
    other: Level | None


@dataclass(slots=True)
class Backtest:
    """What today's policy finds in the runs so far, what the other one does, what differs."""

    runs: int = 0
    steps: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    today: Counter[Key] = field(default_factory=Counter[Key])
    other: Counter[Key] = field(default_factory=Counter[Key])
    gained: Counter[Key] = field(default_factory=Counter[Key])
    lost: Counter[Key] = field(default_factory=Counter[Key])
    days: set[int] = field(default_factory=set[int])  # on which a run was at work
    pages_today: Counter[int] = field(default_factory=Counter[int])  # by day
    pages_other: Counter[int] = field(default_factory=Counter[int])
    moved: Counter[Move] = field(default_factory=Counter[Move])
    examples: dict[Move, list[Example]] = field(default_factory=dict[Move, list[Example]])

    def add(self, steps: Sequence[Step], today: Sequence[Claim], other: Sequence[Claim]) -> None:
        """Count one run: its steps, and what the two policies find in it."""
        self.runs += 1
        self.steps += len({step.span_id for step in steps if step.kind not in QUIET})
        began, ended = min(s.began_at_ns for s in steps), max(s.last_ns for s in steps)
        self.first_ns = began if self.first_ns is None else min(self.first_ns, began)
        self.last_ns = ended if self.last_ns is None else max(self.last_ns, ended)
        self.days |= {began // DAY_NS, ended // DAY_NS}
        for claims, found, pages in (
            (today, self.today, self.pages_today),
            (other, self.other, self.pages_other),
        ):
            for claim in claims:
                found[claim.finding.kind, claim.finding.level] += 1
                if claim.finding.level is Level.ALARM:
                    pages[claim.opened_at_ns // DAY_NS] += 1
        self._compare(
            {claim.finding.id: claim.finding for claim in today},
            {claim.finding.id: claim.finding for claim in other},
        )

    def _compare(self, today: dict[str, Finding], other: dict[str, Finding]) -> None:
        for identity in dict.fromkeys((*today, *other)):
            before, after = today.get(identity), other.get(identity)
            levels = (before.level if before else None, after.level if after else None)
            if levels[0] is levels[1]:
                continue
            if before is not None:
                self.lost[before.kind, before.level] += 1
            if after is not None:
                self.gained[after.kind, after.level] += 1
            shown = after or before
            assert shown is not None, "an id comes from one of the two"
            self.moved[shown.kind, *levels] += 1
            alike = self.examples.setdefault((shown.kind, *levels), [])
            other_run = all(one.finding.run_id != shown.run_id for one in alike)
            if len(alike) < EXAMPLES_MAX and other_run:
                alike.append(Example(shown, *levels))

    @property
    def keys(self) -> list[Key]:
        """Every rule and level that either policy found, alarms first."""
        found = {*self.today, *self.other}
        return sorted(found, key=lambda key: (key[1] is not Level.ALARM, key[0]))


def rejudge(
    steps: Sequence[Step],
    policy: Policy,
    impacts: Sequence[Impact] = (),
    until_ns: int | None = None,
) -> list[Claim]:
    """Everything that would have been found in one run.

    Args:
        steps: all that is known of the run; open and ended versions of one step may both be there.
        policy: what tools need, and the limits.
        impacts: attributions as they were recorded; metrics are not kept, so only thresholds
            can be tried again.
        until_ns: when the silence after the newest step ended; None: the recording ended with it.
    """
    engine = Engine(policy, live=False)
    found: dict[str, Claim] = {}
    waiting: list[Step] = []
    for step, silence in by_arrival(steps, policy, until_ns):
        waiting.append(step)
        if silence:
            engine.observe(waiting)
            waiting.clear()
            for claim in stalls(engine, step.run_id, step.last_ns, silence):
                found[claim.finding.id] = claim
    engine.observe(waiting)
    report = engine.complete()
    found |= {claim.finding.id: claim for claim in report.opened}
    run = engine.run(steps[0].run_id, report.now_ns) if impacts and steps else None
    if run is not None:
        # Damage that is over by now was found all the same.
        hurt = tuple(replace(impact, recovered_at_ns=None) for impact in impacts)
        limits = limits_for(policy, run.agent)
        for finding in judge(replace(run, impacts=hurt), limits, (agent_impact,)):
            found[finding.id] = Claim(finding, opened_at_ns=finding.as_of_ns)
    return list(found.values())


def by_arrival(
    steps: Sequence[Step], policy: Policy, until_ns: int | None
) -> Iterator[tuple[Step, int]]:
    """Steps as they became known, each with the silence after it (ns) where that may be a stall."""
    ordered = sorted(steps, key=lambda step: (step.last_ns, step.began_at_ns))
    shortest_ns = int(shortest_stall_s(policy) * 1e9)
    for step, following in pairwise(ordered):
        silence = following.last_ns - step.last_ns
        yield step, silence if silence >= shortest_ns else 0
    if ordered:
        silence = 0 if until_ns is None else until_ns - ordered[-1].last_ns
        yield ordered[-1], silence if silence >= shortest_ns else 0


def shortest_stall_s(policy: Policy) -> float:
    """The shortest silence that any agent's limits call a stall."""
    agent_limits = (
        value for agent in policy.agents for name, value in agent.limits if name == "stall_s"
    )
    return min((policy.limits.stall_s, *agent_limits))


def stalls(engine: Engine, run_id: str, received_ns: int, silence_ns: int) -> Iterator[Claim]:
    """Findings that a tick in the middle of a silence would have made."""
    run = engine.run(run_id, received_ns)
    if run is None:
        return
    limits = limits_for(engine.policy, run.agent)
    now_ns = received_ns + int(limits.stall_s * 1e9)
    if now_ns - received_ns > silence_ns:
        return
    for finding in judge(replace(run, now_ns=now_ns), limits, (stalled_run,)):
        yield Claim(finding, opened_at_ns=now_ns)
