"""The same attempt again, and the same failure after it: a job that is submitted as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aftershock.model import Action, AnswerState, Finding, Level, Outcome, Step
from aftershock.policy.reports import only_reports
from aftershock.policy.tiers import is_shell, only_runs
from aftershock.rules.actions import (
    Call,
    answers_a_question,
    changed_something,
    key_of,
    loop_finding,
)
from aftershock.rules.polling import WRONG

if TYPE_CHECKING:
    from aftershock.limits import Limits
    from aftershock.model import Run

KIND = "repeated_action"


class Round(NamedTuple):
    """What came between an attempt and the next one."""

    attempt: Step
    failures: frozenset[tuple[str, frozenset[int]]]  # tool and words of what was seen to fail
    checks: frozenset[Call]  # the calls that showed it
    undoing: frozenset[Call]  # what else was changed


def fruitless_attempts(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest call, where it is an attempt whose last rounds all failed in the same words.

    Nothing else was changed in between but what each round changes in the same way, such as a
    rollback: with it, one round fewer pages.
    """
    newest = lane[-1].action
    if newest is None or not is_attempt(newest):
        return
    of_tool = sum(step.action is not None and step.action.tool == newest.tool for step in lane)
    if of_tool < limits.retries_alarm - 2:
        return
    rounds = same_rounds(list(rounds_of(lane, key_of(newest))))
    alarm_at = limits.retries_alarm - (1 if rounds and rounds[-1].undoing else 0)
    attempts = len(rounds) + 1
    if attempts < alarm_at - 1:
        return
    alarm = attempts >= alarm_at
    steps = [*(one.attempt for one in rounds), lane[-1]]
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/attempt/{key_of(newest)[1][:8]}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} was called {attempts} times in the same way, and each time the "
        "same failure was seen afterwards.",
        certain_from=steps[alarm_at - 1] if alarm else None,
    )


def failed_by_own_word(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest call, where it is an act whose answers said each time that it had failed.

    The same failing job each hour is one thing, however much time lies between. A repair in
    between begins anew; a message about the failure is none.
    """
    newest = lane[-1].action
    if newest is None or newest.state is not AnswerState.ENDED_WRONG or not is_act(newest):
        return
    steps: list[Step] = []
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if key_of(action) == key_of(newest):
            if not is_same_failure(action, newest):
                break
            steps.insert(0, step)
        elif is_repair(action):
            break
    if len(steps) < limits.errors_warn:
        return
    alarm = len(steps) >= limits.errors_alarm
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/{key_of(newest)[1][:8]}",  # as of calls that are identical
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} was called {len(steps)} times in the same way, and its answer said "
        "each time that it had failed.",
        certain_from=steps[limits.errors_alarm - 1] if alarm else None,
    )


def is_act(action: Action) -> bool:
    """True for a call that is to do something; its error status would be a streak of errors."""
    failed = action.outcome is Outcome.FAILED
    return not answers_a_question(action) and not action.polls and not failed


def is_same_failure(action: Action, newest: Action) -> bool:
    """True for two answers with the same words, numbers aside, that both say of a failure."""
    if action.state is not AnswerState.ENDED_WRONG or not (action.result and newest.result):
        return False
    return action.result.sketch == newest.result.sketch


def is_repair(action: Action) -> bool:
    """True for a call that may have changed why another one fails."""
    changes = changed_something(action) and not is_failure(action)
    return changes and not answers_a_question(action) and not only_reports(action.tool)


def is_attempt(action: Action) -> bool:
    """True for a call that is to change something and says itself of no failure."""
    return (
        not answers_a_question(action)
        and changed_something(action)
        and not action.polls
        and not is_failure(action)
    )


def is_failure(action: Action) -> bool:
    """True for an answer that shows that something failed."""
    return action.outcome is Outcome.FAILED or action.state in WRONG


def rounds_of(lane: Sequence[Step], attempt: Call) -> Iterator[Round]:
    """The complete rounds of an attempt, oldest first."""
    begun: Step | None = None
    between: list[Action] = []
    for step in lane:
        action = step.action
        if action is None:
            continue
        if key_of(action) == attempt:
            if begun is not None:
                yield round_of(begun, between)
            begun, between = step, []
        else:
            between.append(action)


def round_of(attempt: Step, between: Sequence[Action]) -> Round:
    """One round."""
    failing = [action for action in between if is_failure(action)]
    return Round(
        attempt,
        frozenset((one.tool, one.result.sketch if one.result else frozenset()) for one in failing),
        frozenset(map(key_of, failing)),
        frozenset(
            key_of(one)
            for one in between
            if not is_failure(one) and not answers_a_question(one) and changed_something(one)
        ),
    )


def same_rounds(rounds: Sequence[Round]) -> list[Round]:
    """The newest rounds that failed alike, oldest first.

    Whether a shell's command changes something is often unknown, so there each round must also be
    about a thing of its own: what was submitted has a new number, and a poll asks for the old one.
    """
    found: list[Round] = []
    for one in reversed(rounds):
        if not one.failures:
            break
        if found and (one.failures != found[0].failures or one.undoing != found[0].undoing):
            break
        action = one.attempt.action
        assert action is not None
        by_command = is_shell(action.tool) or only_runs(action.tool)
        if by_command and any(one.checks & later.checks for later in found):
            break
        found.insert(0, one)
    return found
