"""Different calls of one tool whose answers are equal, empty or refused: loops by answers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, AnswerState, Finding, Level, Outcome, Run, Step
from aftershock.policy.tiers import is_search
from aftershock.rules.actions import (
    answers_a_question,
    changed_something,
    key_of,
    loop_finding,
)
from aftershock.rules.tail import Tail, is_one_batch, is_spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
SUBSTANTIAL_CHARS = 200  # two things may well both be "healthy", but no two pages are equal
DIFFERENT_CALLS_MIN = 2


class Sameness(StrEnum):
    """In what the answers of different calls are the same."""

    EQUAL = "returned the same answer"
    NOTHING = "found nothing"
    REFUSED = "were refused"


def same_answers(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """For the newest call's tool: its newest different calls whose answers are the same.

    Different ids ask about different things, so short equal answers and empty lists of a tool
    that does not search are no evidence. Calls with pauses between them watch something.
    """
    newest = lane[-1].action
    if newest is None or newest.result is None:
        return
    sameness = sameness_of(newest)
    if sameness is None:
        return
    steps = series(tail, lane, newest, sameness)
    calls = {key_of(step.action) for step in steps if step.action}
    warn_at = limits.same_warn - (sameness is Sameness.REFUSED)  # nobody is refused by chance
    if len(calls) < DIFFERENT_CALLS_MIN or len(steps) < warn_at:
        return
    alarm = len(steps) >= limits.same_alarm and not is_sweep(steps, sameness)
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/{sameness.name.lower()}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{len(steps)} calls of {newest.tool} with different arguments {sameness}.",
        certain_from=steps[limits.same_alarm - 1] if alarm else None,
    )


def is_sweep(steps: list[Step], sameness: Sameness) -> bool:
    """True where the same thing was looked for in one place after the other, and not found.

    Each call names another place and asks with the same words; that nothing is there may be good.
    """
    if sameness is not Sameness.NOTHING:
        return False
    asked = [asked_of(step.action.arguments.sketch) for step in steps if step.action]
    common = asked[0].arguments.intersection(*(one.arguments for one in asked))
    return (
        bool(common)
        and len({one.words for one in asked}) == 1
        and all(len(one.arguments - common) == 1 for one in asked)
    )


def sameness_of(action: Action) -> Sameness | None:
    """In what this answer could be the same as others; None: it is no evidence of a loop."""
    if action.state is AnswerState.REFUSED and action.tier.has_effect:
        return Sameness.REFUSED
    if action.outcome is Outcome.EMPTY and is_search(action.tool):
        return Sameness.NOTHING
    if not answers_a_question(action) or action.outcome is not Outcome.OK or action.result is None:
        return None
    return Sameness.EQUAL if (action.result.size or 0) >= SUBSTANTIAL_CHARS else None


def series(tail: Tail, lane: Sequence[Step], newest: Action, sameness: Sameness) -> list[Step]:
    """The tool's newest calls with the same answer, oldest first, back to anything else."""
    steps: list[Step] = []
    for step in reversed(lane):
        action = step.action
        if action is None or (step.ended_at_ns is None and action.result is None):
            continue
        if action.tool != newest.tool:
            if changed_something(action):
                break
            continue
        if not is_same(action, newest, sameness):
            break
        if steps and (is_one_batch(tail, steps[0], step) or is_spaced(tail, steps[0])):
            if is_spaced(tail, steps[0]):
                break
            continue
        steps.insert(0, step)
    return steps


def is_same(action: Action, newest: Action, sameness: Sameness) -> bool:
    """True where an answer is the same as the newest one."""
    if sameness is Sameness.REFUSED:
        return action.state is AnswerState.REFUSED
    if sameness is Sameness.NOTHING:
        return action.outcome is Outcome.EMPTY
    return (
        action.result is not None
        and newest.result is not None
        and action.result.digest == newest.result.digest
    )
