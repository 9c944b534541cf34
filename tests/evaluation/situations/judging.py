"""Situations through the engine as live traffic: which false pages, misses and late findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aftershock.model import Finding, Level
from aftershock_collector.engine.engine import Engine
from tests.evaluation.situations.writing import START, S, Situation, Want

TICKS_MAX = 24  # in one gap without events
TICK_S = 15
SETTLED_S = 30  # after the last event: a run that has ended is judged by then


@dataclass
class Outcome:
    """What the engine reported of one situation."""

    situation: Situation
    alarms: list[tuple[int, Finding]] = field(default_factory=list[tuple[int, Finding]])
    warns: list[tuple[int, Finding]] = field(default_factory=list[tuple[int, Finding]])

    @property
    def false_page(self) -> bool:
        """A page that nobody wants: any of a healthy run."""
        return self.situation.want is Want.NOTHING and bool(self.alarms)

    @property
    def reported(self) -> list[tuple[int, Finding]]:
        """Findings at the wanted level."""
        return self.alarms if self.situation.want is Want.ALARM else self.alarms + self.warns

    @property
    def missed(self) -> bool:
        """Nothing at the wanted level."""
        return self.situation.want is not Want.NOTHING and not self.reported

    @property
    def overdue(self) -> bool:
        """Reported after more calls than wanted."""
        by = self.situation.by_call
        return bool(self.reported) and by is not None and min(at for at, _ in self.reported) > by

    @property
    def kinds(self) -> set[str]:
        """Kinds of all findings."""
        return {finding.kind for _, finding in (*self.alarms, *self.warns)}

    def __str__(self) -> str:
        what = [f"{level} {kind}@{at}" for level, found in (("A", self.alarms), ("w", self.warns))
                for at, kind in sorted({(at, one.kind) for at, one in found})]  # fmt: skip
        flags = "".join(
            mark
            for mark, so in (("F", self.false_page), ("M", self.missed), ("L", self.overdue))
            if so
        )
        return f"{flags:<2} {self.situation.want:<8}{self.situation.name:<34}{' '.join(what[:6])}"


def ticks(since_ns: int, until_ns: int) -> Iterator[int]:
    """Moments between two events at which time alone is judged."""
    step = max(TICK_S * S, (until_ns - since_ns) // TICKS_MAX)
    yield from range(since_ns + step, until_ns, step)


def judge_situation(situation: Situation, off: frozenset[str] = frozenset()) -> Outcome:
    """Play one situation; findings of the kinds in `off` are left out."""
    script = situation.script()
    engine = Engine(script.policy)
    outcome = Outcome(situation)
    seen: set[tuple[str, Level]] = set()
    calls: set[str] = set()

    def conclude(now_ns: int) -> None:
        report = engine.conclude(now_ns)
        for claim in (*report.opened, *report.updated):
            finding = claim.finding
            if finding.kind in off or (finding.id, finding.level) in seen:
                continue
            seen.add((finding.id, finding.level))
            kept = outcome.alarms if finding.level is Level.ALARM else outcome.warns
            kept.append((len(calls), finding))

    clock_ns = int(START.timestamp()) * S
    for at_ns, step in script.events():
        for tick_ns in ticks(clock_ns, at_ns):
            conclude(tick_ns)
        if step.action is not None:
            calls.add(step.span_id)
        engine.observe([step], at_ns)
        conclude(at_ns)
        clock_ns = max(clock_ns, at_ns)
    until_ns = int((START.timestamp() + script.at_s + SETTLED_S) * S)
    for tick_ns in (*ticks(clock_ns, until_ns), until_ns):
        conclude(tick_ns)
    return outcome


def summary(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many of each kind of mistake, and of how many."""
    counts: Counter[str] = Counter()
    for one in outcomes:
        healthy = one.situation.want is Want.NOTHING
        counts["healthy" if healthy else "sick"] += 1
        counts["false pages"] += one.false_page
        counts["healthy warns"] += healthy and bool(one.warns)
        counts["missed"] += one.missed
        counts["late"] += one.overdue
    return counts
