"""Learned expectations: which reads usually precede an action or an answer, from past runs.

A read and a write about the same thing carry the same id. Past runs show which reads precede a
write that carries such an id in an argument. Expectations are learned by argument name, so that a
rare tool is compared with tools that use the same argument. What runs of an agent read before they
answered is learned in the same way. Expectations only warn: they record what other runs did, not
what an owner requires.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING

from aftershock.limits import DEFAULTS, Limits
from aftershock.model import Fact, Outcome, Requirement, Step
from aftershock.runs.endings import answer_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aftershock.model import Action

ARGUMENTS_MAX = 1_000  # different argument names that are counted; a fleet has a few hundred
Z = 1.96  # two-sided 95 % confidence
ANSWER = "answer of "  # and an agent: what samples of its answers have in place of an argument
ANYTHING = "any tool"  # in place of a tool: something was read, whatever it was


@dataclass(frozen=True, slots=True)
class Expectation:
    """One read that usually precedes actions that carry the same id."""

    source: str  # the tool that is read from
    support: int  # past actions
    confidence: float  # share of them that read it first


@dataclass(frozen=True, slots=True)
class LearnedExpectations:
    """Expectations by the name of the argument that carries the id."""

    expectations: Mapping[str, tuple[Expectation, ...]] = field(
        default_factory=dict[str, tuple[Expectation, ...]]
    )
    sources: frozenset[str] = frozenset()  # every tool that an expectation names
    longest_s: Mapping[str, float] = field(default_factory=dict[str, float])  # calls by tool


# One observation: the argument that carried an id, and the tools that were read with it before.
Sample = tuple[str, frozenset[str]]


def learn_expectations(
    runs: Iterable[Sequence[Step]], limits: Limits = DEFAULTS
) -> LearnedExpectations:
    """Expectations learned from past runs; each run is its steps in event order."""
    return expectations_from((sample for steps in runs for sample in samples_of(steps)), limits)


def samples_of(steps: Sequence[Step]) -> list[Sample]:
    """The samples of one run: one for each argument of each action that succeeded.

    A read counts only if its answer was not empty, failed or truncated.
    """
    samples: list[Sample] = []
    read_by: defaultdict[str, set[str]] = defaultdict(set)  # id → tools that were read with it
    for step in steps:
        action = step.action
        if action is None or action.outcome in (None, Outcome.FAILED):
            continue
        named = [split(subject) for subject in action.subjects]
        if not action.tier.has_effect:
            if action.outcome is Outcome.OK:
                for _, identifier in named:
                    read_by[identifier].add(action.tool)
            continue
        sources: defaultdict[str, set[str]] = defaultdict(set)
        for name, identifier in named:
            sources[name] |= read_by.get(identifier, set())
        samples += [(name, frozenset(tools)) for name, tools in sorted(sources.items())]
    if answer_of(steps) is not None:
        sources_read = sources_of(steps)
        samples.insert(
            0, (answer_key(steps), sources_read | {ANYTHING} if sources_read else sources_read)
        )
    return samples


def answer_key(steps: Sequence[Step]) -> str:
    """What stands for the answers of the agent of a run."""
    return ANSWER + next((step.agent for step in steps if step.agent), "")


def answer_requirements(
    learned: LearnedExpectations, steps: Sequence[Step]
) -> tuple[Requirement, ...]:
    """What runs of this agent read before they answered."""
    return tuple(
        Requirement(
            expected.source,
            ANYTHING,
            learnt_support=expected.support,
            learnt_confidence=expected.confidence,
            sources=(expected.source,),
        )
        for expected in learned.expectations.get(answer_key(steps), ())
    )


def expectations_from(samples: Iterable[Sample], limits: Limits = DEFAULTS) -> LearnedExpectations:
    """Expectations learned from samples."""
    acted: Counter[str] = Counter()
    preceded: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, tools in samples:
        if name in acted or len(acted) < ARGUMENTS_MAX:
            acted[name] += 1
            preceded[name].update(tools)
    expectations = {
        name: found
        for name, count in sorted(acted.items())
        if (found := tuple(expectations_of(count, preceded[name], share_min(name, limits))))
    }
    sources = {
        one.source
        for name, found in expectations.items()
        for one in found
        if not name.startswith(ANSWER)  # reads by argument provide facts; these are only counted
    }
    return LearnedExpectations(expectations, frozenset(sources))


def share_min(name: str, limits: Limits) -> float:
    """The share of earlier cases that makes an expectation; every run is judged at its answer."""
    return limits.answer_share_min if name.startswith(ANSWER) else limits.expectation_share_min


def expectations_of(count: int, preceded: Counter[str], share: float) -> list[Expectation]:
    """Reads that precede at least this share of actions, with 95 % confidence."""
    return [
        Expectation(source, count, seen / count)
        for source, seen in sorted(preceded.items())
        if at_least(seen, count) >= share
    ]


def at_least(seen: int, count: int) -> float:
    """The lower bound of Wilson's confidence interval for the share `seen / count`.

    Few cases give a low bound, so that few cases make no expectation.
    """
    share, z2 = seen / count, Z * Z / count
    return (share + z2 / 2 - Z * sqrt((share * (1 - share) + z2 / 4) / count)) / (1 + z2)


def split(subject: str) -> tuple[str, str]:
    """The argument's name and the hashed id of one subject."""
    name, _, identifier = subject.rpartition("=")
    return name, identifier


def expect(learned: LearnedExpectations, step: Step) -> Step:
    """A step with the facts that a read provided, or the learned requirements of an action.

    An action whose policy declares requirements gets no learned ones.
    """
    action = step.action
    if action is None or not action.subjects:
        return step
    if not action.tier.has_effect:
        if action.tool not in learned.sources or step.ended_at_ns is None:
            return step
        return replace(step, facts=(*step.facts, *facts_from(step, action, step.ended_at_ns)))
    if action.requires:
        return step
    requires = tuple(
        Requirement(
            expected.source,
            identifier,
            learnt_support=expected.support,
            learnt_confidence=expected.confidence,
            sources=(expected.source,),
        )
        for name, identifier in sorted(map(split, action.subjects))
        for expected in learned.expectations.get(name, ())
    )
    return replace(step, action=replace(action, requires=requires)) if requires else step


def facts_from(step: Step, action: Action, ended_at_ns: int) -> list[Fact]:
    """One fact for each id that a read carried."""
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


def durations_of(steps: Sequence[Step]) -> dict[str, tuple[int, float]]:
    """How many calls of each tool ended in a run, and the seconds of the longest of them."""
    found: dict[str, tuple[int, float]] = {}
    for step in steps:
        if step.action is None or step.ended_at_ns is None or step.action.waits_s is not None:
            continue
        count, longest_s = found.get(step.name, (0, 0.0))
        lasted_s = (step.ended_at_ns - step.began_at_ns) / 1e9
        found[step.name] = count + 1, max(longest_s, lasted_s)
    return found


def longest_of(
    runs: Iterable[Mapping[str, tuple[int, float]]], limits: Limits = DEFAULTS
) -> dict[str, float]:
    """The longest call of each tool of which enough calls are known, over many runs."""
    calls: Counter[str] = Counter()
    longest_s: dict[str, float] = {}
    for durations in runs:
        for tool, (count, lasted_s) in durations.items():
            calls[tool] += count
            longest_s[tool] = max(lasted_s, longest_s.get(tool, 0.0))
    return {
        tool: longest_s[tool] for tool, count in calls.items() if count >= limits.hung_calls_min
    }
