"""Why a finding was made: its evidence, explained to a person from what the store has of the run.

The calls side by side, what happened between them, the facts that the action needed and the tools
that provide them, and what the run spent after the finding was certain.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from aftershock.limits import Limits
from aftershock.model import Outcome, Run, Step, StepKind
from aftershock.policy.policy import limits_for, providers_of
from aftershock.rules import RULES, kinds_of
from aftershock.rules.context import requirements_of
from aftershock.rules.dropped_fact import results_of, seen_by
from aftershock.rules.stale_fact import reason_of
from aftershock.runs.fold import Window, place_of
from aftershock_collector.review.comparison import Call, Content, side_by_side
from aftershock_collector.review.spending import Saving, histories_of, once, saving_of
from aftershock_collector.wording import step_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftershock.model import Claim, Fact, Requirement
    from aftershock.policy.policy import Policy
    from aftershock.rules.context import Known

READS_MAX = 5  # of one fact, or calls of one tool that provides it: the newest
BETWEEN_MAX = 6  # kinds of steps between the calls that are named
# Findings about how well an action's required facts were known.
ABOUT_FACTS = kinds_of(rule for rule in RULES if rule.about_facts)
# Recorded inside another span, whose id they carry: that span is the evidence.
NOTES = {StepKind.FACT, StepKind.DECISION, StepKind.APPROVAL}


class State(StrEnum):
    """How well a fact was known when the action began."""

    KNOWN = "known"
    NEVER = "never asked for"
    ELSEWHERE = "asked about something else only"
    FAILED = "asked for, and the answer failed"
    EMPTY = "asked for, and the answer was empty"
    TRUNCATED = "asked for, and the answer was cut off"
    OUTDATED = "known, and no longer true or too old"
    DROPPED = "read, and cut from the messages before this was decided"


UNUSABLE = {
    Outcome.FAILED: State.FAILED,
    Outcome.EMPTY: State.EMPTY,
    Outcome.TRUNCATED: State.TRUNCATED,
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A tool that provides a fact, and the run's calls of it."""

    tool: str  # a name, or a pattern as the policy has it
    before: tuple[Step, ...]  # calls that began before the action, the newest ones
    after: tuple[Step, ...]  # calls that began after it


@dataclass(frozen=True, slots=True)
class Need:
    """One fact that the action needed."""

    requirement: Requirement
    state: State
    why: str  # what made it outdated, in words; "" for everything else
    reads: tuple[Fact, ...]  # of that kind that the run had been shown, oldest first
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """What the run did between the first and the last step of the evidence, apart from it."""

    words: tuple[tuple[str, int], ...]  # what was done, how often
    others: int  # further kinds of things, not named
    effects: int  # calls among them that could change something and did not fail


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that supports one claim."""

    claim: Claim
    calls: tuple[Call, ...]  # the evidence in event order
    lost: int  # spans of the evidence that the store no longer has
    between: Between
    needs: tuple[Need, ...]
    saving: Saving | None


def explain(
    claim: Claim, steps: Sequence[Step], contents: Mapping[str, Content], policy: Policy
) -> Explanation:
    """The evidence of one claim.

    Args:
        claim: what is claimed.
        steps: all that is known of its run; open and ended versions of one step may both be there.
        contents: by span id, what spans recorded of their calls.
        policy: the facts that tools require, the tools that provide them, the agent's limits.
    """
    known = settled(steps)
    evidence = set(claim.finding.evidence)
    shown = [step for step in known if step.span_id in evidence and step.kind not in NOTES]
    shown += [
        step for step in known if step.span_id in evidence - {other.span_id for other in shown}
    ]
    shown.sort(key=place_of)
    return Explanation(
        claim,
        side_by_side(shown, contents),
        len(evidence - {step.span_id for step in shown}),
        between(known, shown),
        needs_of(claim, known, policy),
        saving_of(claim, steps, histories_of(steps, policy), policy),
    )


def settled(steps: Sequence[Step]) -> list[Step]:
    """Each step once, ended where its end is known, its agent and its targets named, in order."""
    if not steps:
        return []
    known = once(steps)
    window = Window(steps[0].run_id, Limits(run_steps_max=len(known) + 1))
    window.add(known)
    return list(window.whole(0).steps)


def between(known: Sequence[Step], shown: Sequence[Step]) -> Between:
    """What was done between the first and the last step of the evidence, apart from it."""
    evidence = {step.span_id for step in shown}
    first, last = (place_of(shown[0]), place_of(shown[-1])) if shown else ((0, "", ""),) * 2
    inside = [
        step
        for step in known
        if first < place_of(step) < last
        and step.span_id not in evidence
        and step.kind is not StepKind.OUTGOING  # part of the tool call that made it
    ]
    words = Counter(step_words(step) for step in inside)
    effects = [
        step
        for step in inside
        if step.action is not None
        and step.action.tier.has_effect
        and step.action.outcome is not Outcome.FAILED
    ]
    return Between(
        tuple(words.most_common(BETWEEN_MAX)), max(0, len(words) - BETWEEN_MAX), len(effects)
    )


# --- Facts that the action needed ------------------------------------------------------------


def needs_of(claim: Claim, known: Sequence[Step], policy: Policy) -> tuple[Need, ...]:
    """The facts that the action of a finding required, and how well each was known."""
    if claim.finding.kind not in ABOUT_FACTS:
        return ()
    places = [at for at, step in enumerate(known) if step.span_id == claim.finding.evidence[0]]
    places = [at for at in places if known[at].action is not None]
    if not places:
        return ()
    run = Run(claim.finding.run_id, tuple(known[: places[0] + 1]), known[places[0]].last_ns)
    asked = requirements_of(run)
    if asked is None:
        return ()
    action_step, _, facts = asked
    limits = limits_for(policy, claim.finding.agent)
    return tuple(
        Need(
            one.requirement,
            *state_of(run, action_step, one, limits),
            reads_of(one),
            tuple(
                provider_of(pattern, action_step, known)
                for pattern in one.requirement.sources or providers_of(policy, one.requirement.kind)
            ),
        )
        for one in facts
    )


def reads_of(one: Known) -> tuple[Fact, ...]:
    """The newest facts of that kind, about the required subject and about others."""
    reads = sorted((*one.facts, *one.others), key=lambda fact: fact.observed_at_ns)
    return tuple(reads[-READS_MAX:])


def state_of(run: Run, action_step: Step, one: Known, limits: Limits) -> tuple[State, str]:
    """How well a fact was known, by the functions of the rules themselves; why it was outdated."""
    if not one.facts:
        return (State.ELSEWHERE if one.others else State.NEVER), ""
    if one.usable is None:
        return UNUSABLE[one.facts[-1].outcome], ""
    reason = reason_of(run, action_step, one, one.usable, limits)
    if reason is not None:
        return State.OUTDATED, reason[0]
    seen = seen_by(run, action_step, limits)
    if seen is not None and seen.cut_of(results_of(run, one)):
        return State.DROPPED, ""
    return State.KNOWN, ""


def provider_of(pattern: str, action_step: Step, known: Sequence[Step]) -> Provider:
    """Calls of one tool that provides a fact, before the action and after it."""
    calls = [
        step
        for step in known
        if step.action is not None
        and step.span_id != action_step.span_id
        and fnmatchcase(step.action.tool, pattern)
    ]
    before = [step for step in calls if step.began_at_ns < action_step.began_at_ns]
    after = [step for step in calls if step.began_at_ns >= action_step.began_at_ns]
    return Provider(pattern, tuple(before[-READS_MAX:]), tuple(after[:READS_MAX]))
