"""Reads that get nowhere: lists begun anew after each failure, searches that no edit changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprints.asked import asked_of
from aftershock.model import Action, AnswerState, Finding, Fingerprint, Level, Outcome, Run, Step
from aftershock.policy.tiers import is_search, is_shell, only_runs
from aftershock.rules.actions import answers_a_question, changed_something, key_of, loop_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
SEARCHES_WARN = 5  # what an edit changes need not be what is searched for


def reads_again(run: Run, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """What is found of the newest call, where it is a read that was made several times before."""
    newest = lane[-1].action
    if newest is None or newest.result is None or newest.outcome is not Outcome.OK:
        return
    digest = newest.arguments.digest
    times = sum(step.action is not None and step.action.arguments.digest == digest for step in lane)
    if times >= limits.retries_alarm - 1:
        yield from begun_anew(run, lane, newest, newest.result, limits)
        yield from unmoved_search(run, lane, newest, limits)


def begun_anew(
    run: Run, lane: Sequence[Step], newest: Action, shown: Fingerprint, limits: Limits
) -> Iterator[Finding]:
    """The newest read, where it is the first page of a list that failed further on each time.

    The list is read from its beginning again and again, fails in the same way after some pages,
    and nothing is changed in between.
    """
    starts = starts_of(lane, newest, shown) if answers_a_question(newest) else []
    if len(starts) < limits.retries_alarm - 1:
        return
    alarm = len(starts) >= limits.retries_alarm
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/anew/{newest.arguments.digest[:8]}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=starts,
        summary=f"{newest.tool} was started over {len(starts) - 1} times, each time after the same "
        "failure further on.",
        certain_from=starts[limits.retries_alarm - 1] if alarm else None,
    )


def starts_of(lane: Sequence[Step], newest: Action, shown: Fingerprint) -> list[Step]:
    """The calls equal to the newest one, each of which led to the same failure, oldest first.

    `shown` is what the newest one returned: the same first page, numbers aside.
    """
    starts: list[Step] = []
    failure: str | None = None
    further = ends = False  # of the round that is gone through, backwards
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if action.tool != newest.tool:
            if changed_something(action) and not answers_a_question(action):
                break
        elif action.arguments.digest == newest.arguments.digest:
            is_same = action.result is not None and action.result.sketch == shown.sketch
            if not is_same or (starts and not (further and ends)):
                break
            starts.insert(0, step)
            further = ends = False
        elif ends:
            further = True
        elif action.outcome is not Outcome.FAILED or failure not in (None, action.error_class):
            break
        else:
            failure, ends = action.error_class, True
    return starts


def unmoved_search(
    run: Run, lane: Sequence[Step], newest: Action, limits: Limits
) -> Iterator[Finding]:
    """The newest search, where it finds what it found before each of several silent edits.

    The edits are different ones of one tool and none of them said that it did anything: a pattern
    that never matches, or another file than the one that is searched.
    """
    steps = equal_searches(lane, newest) if is_search_of(newest) else []
    if len(steps) < SEARCHES_WARN:
        return
    alarm = len(steps) >= limits.repairs_alarm
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/unmoved/{key_of(newest)[1][:8]}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} found the same {len(steps)} times, with a silent change before "
        "each.",
        certain_from=steps[limits.repairs_alarm - 1] if alarm else None,
    )


def is_search_of(action: Action) -> bool:
    """True for a search; of a shell, for a command that begins with one."""
    if action.tier.has_effect:
        return False
    if is_shell(action.tool) or only_runs(action.tool):
        return bool(asked_of(action.arguments.sketch).names)
    return is_search(action.tool)


def equal_searches(lane: Sequence[Step], newest: Action) -> list[Step]:
    """The newest equal searches with the same answer and an edit before each, oldest first."""
    assert newest.result is not None
    found: list[Step] = []
    search: Step | None = None
    edits: set[tuple[str, str]] = set()
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if key_of(action) == key_of(newest):
            if action.result is None or action.result.digest != newest.result.digest:
                break
            search = step
        elif action.tier.has_effect:
            key = key_of(action)
            if not is_silent(action) or key in edits or {tool for tool, _ in edits} - {key[0]}:
                break
            edits.add(key)
            if search is not None:
                found.insert(0, search)
            search = None
    return found


def is_silent(action: Action) -> bool:
    """True for a change that printed nothing, or says that it changed nothing."""
    return action.outcome is Outcome.EMPTY or action.state is AnswerState.UNCHANGED
