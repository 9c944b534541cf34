"""Different calls of one tool whose answers are equal, empty or refused: loops by answers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.fingerprints.statements import CONDITION, SUBJECT
from aftershock.model import Action, AnswerState, Finding, Level, Outcome, Run, Step
from aftershock.policy.tiers import is_search, own_words, shows_state
from aftershock.policy.words import words_of
from aftershock.rules.actions import (
    REFUSALS,
    answers_a_question,
    changed_something,
    hashes_of,
    key_of,
    loop_finding,
)
from aftershock.rules.tail import Tail, is_one_batch, is_spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
SUBSTANTIAL_CHARS = 200  # two things may well both be "healthy", but no two pages are equal
PASSAGE_CHARS = 60  # of a search: six questions have no short passage for an answer in common
VIEW_CHARS = 50  # shorter views of a state are receipts
DIFFERENT_CALLS_MIN = 2
CONDITIONS_MIN = 3  # that pick rows by other columns: rows by one column are swept one by one
COMMANDS_MORE = 2  # times as many: that a list of names is used nowhere is checked with grep


# What tells how much there is of something, or in it.
MEASURING = words_of("count describe info metadata overview size stat statistics stats summary")


class Sameness(StrEnum):
    """In what the answers of different calls are the same."""

    EQUAL = "returned the same answer"
    NOTHING = "found nothing"
    REFUSED = "were refused"
    UNCHANGED = "changed nothing"


def same_answers(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """For the newest call's tool: its newest different calls whose answers are the same.

    Different ids ask about different things, so short equal answers and empty lists of a tool
    that does not search are no evidence. Calls with pauses between them watch something.
    """
    newest = lane[-1].action
    if newest is None or newest.result is None:
        return
    sameness = sameness_of(newest)
    is_view = sameness is None and shows_what_was_seen(lane, newest)
    if is_view:
        sameness = Sameness.EQUAL
    if sameness is None:
        return
    steps = series(tail, lane, newest, sameness)
    if is_view and not differ_in_one(steps):
        return  # fields of a form are filled in one after the other
    short = sameness is Sameness.EQUAL and is_passage(newest)
    if short and not are_asked_in_sentences(steps):
        return  # several names may well be found in one place
    calls = {key_of(step.action) for step in steps if step.action}
    warn_at = limits.same_warn - (sameness is Sameness.REFUSED)  # nobody is refused by chance
    if len(calls) < DIFFERENT_CALLS_MIN:
        return
    by_command = newest.state is AnswerState.NONE_FOUND
    alarm_at = limits.same_alarm * (COMMANDS_MORE if by_command else 1)
    warn_at = max(warn_at, alarm_at // 2) if by_command else warn_at
    swept = is_sweep(steps, sameness) and not holds_nothing(lane, steps, sameness)
    silent = by_command or sameness is Sameness.UNCHANGED
    if len(steps) < warn_at or (silent and swept):
        return
    alarm = len(steps) >= alarm_at and not swept
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/{sameness.name.lower()}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{len(steps)} calls of {newest.tool} with different arguments {sameness}.",
        certain_from=steps[alarm_at - 1] if alarm else None,
    )


def is_sweep(steps: list[Step], sameness: Sameness) -> bool:
    """True where the same was asked of one thing after the other, and all are alike.

    Each call names another thing and asks with the same words. That nothing is there may be good,
    and so is that ten services answer alike. Another part of the same list is no other thing, and
    whoever is asked to sign in at ten addresses is not let in.
    """
    actions = [step.action for step in steps if step.action]
    stems = {action.arguments.stem for action in actions}
    asks_for_pages = len(stems) == 1 and None not in stems
    if sameness is Sameness.UNCHANGED:
        conditions = {condition_of(action) for action in actions}
        return len(conditions) < CONDITIONS_MIN
    if sameness is Sameness.REFUSED or actions[-1].state is AnswerState.BARRED or asks_for_pages:
        return False
    asked = [asked_of(action.arguments.sketch) for action in actions]
    if actions[-1].state is AnswerState.NONE_FOUND:
        places = {one.names for one in asked}
        return len(places) > 1 or frozenset() in places
    common = asked[0].arguments.intersection(*(one.arguments for one in asked))
    return (
        (bool(common) or is_report(steps[-1], sameness))
        and len({one.words for one in asked}) == 1
        and differ_in_one(steps)
    )


def differ_in_one(steps: list[Step]) -> bool:
    """True for calls that have all arguments but one in common."""
    asked = [asked_of(step.action.arguments.sketch) for step in steps if step.action]
    common = asked[0].arguments.intersection(*(one.arguments for one in asked))
    return all(len(one.arguments - common) <= 1 for one in asked)


def is_report(step: Step, sameness: Sameness) -> bool:
    """True for equal answers that say in which state something is: many are in the same one."""
    state = step.action.state if step.action else None
    return sameness is Sameness.EQUAL and state in {AnswerState.SETTLED, AnswerState.UNCHANGED}


def shows_what_was_seen(lane: Sequence[Step], newest: Action) -> bool:
    """True for an act that answers with what another tool showed before it: nothing moved."""
    result = newest.result
    if result is None or (result.size or 0) < VIEW_CHARS or newest.outcome is not Outcome.OK:
        return False
    return answers_a_question(newest) and any(
        step.action.result is not None
        and step.action.result.digest == result.digest
        and step.action.tool != newest.tool
        and shows_state(step.action.tool)
        for step in lane
        if step.action
    )


def sameness_of(action: Action) -> Sameness | None:
    """In what this answer could be the same as others; None: it is no evidence of a loop."""
    if action.state in REFUSALS and action.tier.has_effect:
        return Sameness.REFUSED
    if action.state is AnswerState.UNCHANGED and condition_of(action) is not None:
        return Sameness.UNCHANGED
    if action.outcome is Outcome.EMPTY:
        # That no row is wrong is what a check of a database wants to see.
        asks = statement_of(action) is not None or is_search(action.tool)
        return Sameness.NOTHING if asks or action.state is AnswerState.NONE_FOUND else None
    if action.state is AnswerState.BARRED:
        return Sameness.EQUAL
    if not answers_a_question(action) or action.outcome is not Outcome.OK or action.result is None:
        return None
    is_long = (action.result.size or 0) >= SUBSTANTIAL_CHARS
    return Sameness.EQUAL if is_long or is_passage(action) else None


def is_passage(action: Action) -> bool:
    """True for a short text that a search found, and that says of no state."""
    size = (action.result.size if action.result else None) or 0
    is_short = PASSAGE_CHARS <= size < SUBSTANTIAL_CHARS
    return is_short and action.state is None and is_search(action.tool)


def are_asked_in_sentences(steps: Sequence[Step]) -> bool:
    """True where most calls ask in words of prose, and not for a name."""
    asked = [asked_of(step.action.arguments.sketch) for step in steps if step.action]
    return 2 * sum(bool(one.words) for one in asked) > len(asked)


def holds_nothing(lane: Sequence[Step], steps: Sequence[Step], sameness: Sameness) -> bool:
    """True where the place that all these searches have in common is known to be empty.

    Another tool, which tells how much there is, said so before.
    """
    if sameness is not Sameness.NOTHING:
        return False
    actions = [step.action for step in steps if step.action]
    place = hashes_of(actions[0]).intersection(*map(hashes_of, actions))
    return bool(place) and any(
        step.action.outcome is Outcome.EMPTY
        and own_words(step.action.tool) & MEASURING
        and not place.isdisjoint(hashes_of(step.action))
        for step in lane
        if step.action
    )


def statement_of(action: Action) -> str | None:
    """What a SQL statement asks or does, whatever its spelling; None for any other call."""
    return subject_named(action, SUBJECT)


def condition_of(action: Action) -> str | None:
    """By which columns an UPDATE or a DELETE picks its rows; None for any other call."""
    return subject_named(action, CONDITION)


def subject_named(action: Action, name: str) -> str | None:
    """The subject of a call that has this name."""
    named = f"{name}="
    return next((subject for subject in action.subjects if subject.startswith(named)), None)


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
        return action.state in REFUSALS
    if sameness in (Sameness.NOTHING, Sameness.UNCHANGED):
        same = statement_of(action) == statement_of(newest)
        return sameness_of(action) is sameness and same
    return (
        action.result is not None
        and newest.result is not None
        and action.result.digest == newest.result.digest
    )
