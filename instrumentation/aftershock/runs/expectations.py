"""Practice: what agents customarily read before they act, learnt from past runs.

No policy says which tool tells what about what. But a read and a write that are about the same
thing carry the same id, and past runs show which reads precede a write with such an argument. It
is learnt by argument, so that a rare tool is expected to rest on what its neighbours rest on. A
custom only ever warns: it is what others did, not what somebody wants.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING

from aftershock.limits import Limits
from aftershock.model import Fact, Outcome, Requirement, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aftershock.model import Action

DEFAULTS = Limits()
ARGUMENTS_MAX = 1_000  # different argument names that are counted; a fleet has some hundred
Z = 1.96  # 95 % sure


@dataclass(frozen=True, slots=True)
class Expectation:
    """One read that customarily precedes actions that carry the same id."""

    source: str  # the tool that is read from
    support: int  # past actions
    confidence: float  # share of them that read it first


@dataclass(frozen=True, slots=True)
class LearnedExpectations:
    """Customs by the name of the argument that carries the id."""

    expectations: Mapping[str, tuple[Expectation, ...]] = field(
        default_factory=dict[str, tuple[Expectation, ...]]
    )
    sources: frozenset[str] = frozenset()  # every tool that some custom reads from


# What one action of a past run shows: the argument that named a thing, and who had told about it.
Lesson = tuple[str, frozenset[str]]


def learn_expectations(
    runs: Iterable[Sequence[Step]], limits: Limits = DEFAULTS
) -> LearnedExpectations:
    """The customs that past runs show: steps of each run in event order."""
    return expectations_from((lesson for steps in runs for lesson in lessons_of(steps)), limits)


def lessons_of(steps: Sequence[Step]) -> list[Lesson]:
    """What one run shows.

    Only actions that worked count, and only answers that held something.
    """
    lessons: list[Lesson] = []
    told: defaultdict[str, set[str]] = defaultdict(set)  # id → tools that told about it
    for step in steps:
        action = step.action
        if action is None or action.outcome in (None, Outcome.FAILED):
            continue
        named = [split(subject) for subject in action.subjects]
        if not action.tier.has_effect:
            if action.outcome is Outcome.OK:
                for _, identifier in named:
                    told[identifier].add(action.tool)
            continue
        sources: defaultdict[str, set[str]] = defaultdict(set)
        for name, identifier in named:
            sources[name] |= told.get(identifier, set())
        lessons += [(name, frozenset(tools)) for name, tools in sorted(sources.items())]
    return lessons


def expectations_from(lessons: Iterable[Lesson], limits: Limits = DEFAULTS) -> LearnedExpectations:
    """The customs that lessons show."""
    acted: Counter[str] = Counter()
    preceded: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, tools in lessons:
        if name in acted or len(acted) < ARGUMENTS_MAX:
            acted[name] += 1
            preceded[name].update(tools)
    expectations = {
        name: found
        for name, count in sorted(acted.items())
        if (found := tuple(expectations_of(count, preceded[name], limits)))
    }
    return LearnedExpectations(
        expectations, frozenset(one.source for found in expectations.values() for one in found)
    )


def expectations_of(count: int, preceded: Counter[str], limits: Limits) -> list[Expectation]:
    """The reads that surely precede most of so many actions."""
    return [
        Expectation(source, count, seen / count)
        for source, seen in sorted(preceded.items())
        if at_least(seen, count) >= limits.expectation_share_min
    ]


def at_least(seen: int, count: int) -> float:
    """The share that so many of so many cases prove at least (Wilson's lower bound).

    Ten of ten prove less than a hundred of a hundred: few cases make no custom.
    """
    share, z2 = seen / count, Z * Z / count
    return (share + z2 / 2 - Z * sqrt((share * (1 - share) + z2 / 4) / count)) / (1 + z2)


def split(subject: str) -> tuple[str, str]:
    """The argument's name and the hashed id of one subject."""
    name, _, identifier = subject.rpartition("=")
    return name, identifier


def expect(learned: LearnedExpectations, step: Step) -> Step:
    """A step with what practice adds: facts that a read told, facts that an action should rest on.

    Requirements that a policy declares stand alone: an owner knows better than custom.
    """
    action = step.action
    if action is None or not action.subjects:
        return step
    if not action.tier.has_effect:
        if action.tool not in learned.sources or step.ended_at_ns is None:
            return step
        return replace(step, facts=(*step.facts, *told_by(step, action, step.ended_at_ns)))
    if action.requires:
        return step
    requires = tuple(
        Requirement(
            custom.source,
            identifier,
            learnt_support=custom.support,
            learnt_confidence=custom.confidence,
            sources=(custom.source,),
        )
        for name, identifier in sorted(map(split, action.subjects))
        for custom in learned.expectations.get(name, ())
    )
    return replace(step, action=replace(action, requires=requires)) if requires else step


def told_by(step: Step, action: Action, ended_at_ns: int) -> list[Fact]:
    """One fact for each thing that a read was about."""
    return [
        Fact(
            kind=action.tool,
            subject=identifier,
            source=action.tool,
            observed_at_ns=ended_at_ns,
            outcome=action.outcome or Outcome.OK,
            span_id=step.span_id,
            digest=action.result.digest if action.result else None,
        )
        for identifier in sorted({split(subject)[1] for subject in action.subjects})
    ]
