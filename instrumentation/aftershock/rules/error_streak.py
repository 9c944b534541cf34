"""error_streak: one tool fails repeatedly with the same class of error."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from aftershock.model import Action, AnswerState, Finding, Level, Outcome, Run, Step
from aftershock.policy.tiers import is_shell
from aftershock.rules.actions import (
    NOT_THERE,
    changed_something,
    key_of,
    loop_finding,
)
from aftershock.rules.polling import failed_polls
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule
from aftershock.rules.tail import Tail, tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "error_streak"
FIELD = "'…':"  # of a JSON object, as error classes have it
NAMED = "'…'"  # what an error names, as its class has it
ENDED = frozenset({AnswerState.SETTLED, AnswerState.ENDED_WRONG})
RECORD_FIELDS_MIN = 3  # fewer are a status and a message
# What was guessed where it is not there.
GUESSED = re.compile(
    r"\b(?:file|directory|path|column|relation|table|field|function|command|module|tool)\b",
    re.IGNORECASE,
)


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION, waste=True)
def error_streak(run: Run, limits: Limits) -> Iterator[Finding]:
    """Failures of one tool with one class of error and without a success, for any arguments.

    A successful write in between may be an attempt at a repair (edit, test, edit, test). The
    streak then continues as a warning. It pages if it reaches its length without one, or if many
    repairs in a row left the failure as it was, to the letter. Reads that are tried again after a
    pause wait for something and are judged by time (`polling`), and reads of one thing after the
    other that is not there only warn.
    """
    tail = tail_of(run, limits)
    lanes = tail.working_lanes
    shared = shared_failures(run, lanes, limits)
    is_paged = any(finding.level is Level.ALARM for finding in shared)
    yield from shared if is_paged else nowhere_served(run, lanes, limits) or shared
    for lane in lanes:
        found = streaks_in(lane[-limits.errors_window_actions :])
        streaks = {key: found[key] for key in found if len(found[key][0]) >= limits.errors_warn}
        if not streaks and (again := same_command(run, tail, lane, limits)) is not None:
            yield again
        waits = failed_polls(tail, lane) if streaks else frozenset[str]()
        for (tool, _), (streak, unrepaired) in streaks.items():
            steps, alarm_at = streak, limits.errors_alarm
            counted = [step for step in streak[-unrepaired:] if step.span_id not in waits]
            alarm = unrepaired > 0 and len(counted) >= alarm_at and not are_answers(counted)
            same = [] if alarm else unmoved(lane, streak)
            same = [step for step in same if step.span_id not in waits]
            same = [] if are_answers(same) else same
            if len(same) >= limits.repairs_alarm:
                alarm, steps, alarm_at = True, same, limits.repairs_alarm
            yield loop_finding(
                run,
                limits,
                kind=KIND,
                subject=tool,
                level=Level.ALARM if alarm else Level.WARN,
                steps=steps,
                summary=f"{tool} failed {len(steps)} times in the same way.",
                certain_from=steps[alarm_at - 1] if alarm else None,
            )


def same_command(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Finding | None:
    """The newest command, where it failed to the letter as often as repairs in between allow.

    A shell runs everything, so that another command that works ends no streak of this one.
    """
    newest = lane[-1].action
    if newest is None or newest.outcome is not Outcome.FAILED or not is_shell(newest.tool):
        return None
    equal = [step for step in lane if step.action and key_of(step.action) == key_of(newest)]
    if len(equal) < limits.repairs_alarm or newest.result is None:
        return None
    waits, digest = failed_polls(tail, lane), newest.result.digest
    same = list(takewhile(lambda step: has_failed_with(step, digest), reversed(equal)))[::-1]
    same = [step for step in same if step.span_id not in waits]
    if len(same) < limits.repairs_alarm:
        return None
    return loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/{key_of(newest)[1][:8]}",
        level=Level.ALARM,
        steps=same,
        summary=f"The same command of {newest.tool} failed {len(same)} times with the same output.",
        certain_from=same[limits.repairs_alarm - 1],
    )


def has_failed_with(step: Step, digest: str) -> bool:
    """True for a call that failed with this very answer, its numbers included."""
    action = step.action
    if action is None or action.outcome is not Outcome.FAILED or action.result is None:
        return False
    return action.result.digest == digest


def are_answers(steps: Sequence[Step]) -> bool:
    """True for reads of different things that say what is wrong with each: it was asked for.

    It is not there, or it is something that failed: a record with a state and a few more fields.
    Where all name the same thing, such as a namespace, that is what is wrong.
    """
    actions = [step.action for step in steps if step.action]
    results = {action.result.digest for action in actions if action.result}
    if len(actions) > 1 and len(results) == 1 and NAMED in (actions[0].error_class or ""):
        return False
    return len({key_of(action) for action in actions}) == len(actions) and all(
        not action.tier.has_effect and (is_absence(action) or is_record(action))
        for action in actions
    )


def is_absence(action: Action) -> bool:
    """True where what was asked for is not there, and was not guessed."""
    words = action.error_class or ""
    return NOT_THERE.search(words) is not None and not GUESSED.search(words)


def is_record(action: Action) -> bool:
    """True for an answer that describes something that failed."""
    words = action.error_class or ""
    fields = words.count(FIELD) if words.startswith("{") else 0
    return action.state in ENDED and fields >= RECORD_FIELDS_MIN


def unmoved(lane: Sequence[Step], streak: list[Step]) -> list[Step]:
    """The newest failures of a call that are the same to the letter; a repair changed nothing.

    Numbers count: "3 failed", then "2 failed" is progress. Of an error whose message has none, the
    lines of code where it was raised do not count.
    """
    newest = streak[-1].action
    assert newest is not None
    numbered = "#" in (newest.error_class or "#")
    found: list[Step] = []
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None or action.tool != newest.tool:
            continue
        if action.outcome is not Outcome.FAILED or action.error_class != newest.error_class:
            break
        if not is_same_text(action, newest, numbered=numbered):
            break
        found.insert(0, step)
    return found


def is_same_text(action: Action, other: Action, *, numbered: bool) -> bool:
    """True where two failures say the same; an exception has no result, but its words are known."""
    if action.result is not None and other.result is not None:
        if numbered:
            return action.result.digest == other.result.digest
        return action.result.sketch == other.result.sketch
    return action.words is not None and action.words == other.words


def nowhere_served(run: Run, lanes: Sequence[Sequence[Step]], limits: Limits) -> list[Finding]:
    """Tools that fail for many agents of the run and work for none, however it is worded."""
    if len(lanes) < limits.errors_alarm:
        return []
    served: set[str] = set()
    failed: dict[str, list[Step]] = {}
    agents: dict[str, set[str | None]] = {}
    for lane in lanes:
        for step in lane:
            action = step.action
            if action is None or action.outcome is None:
                continue
            if action.outcome is not Outcome.FAILED:
                served.add(action.tool)
                continue
            failed.setdefault(action.tool, []).append(step)
            agents.setdefault(action.tool, set()).add(step.agent)
    found: list[Finding] = []
    for tool, steps in failed.items():
        if tool in served or len(agents[tool]) < limits.errors_alarm or are_answers(steps):
            continue
        steps.sort(key=lambda step: (step.began_at_ns, step.span_id))
        found.append(
            loop_finding(
                run,
                limits,
                kind=KIND,
                subject=f"{tool}/agents",
                level=Level.ALARM,
                steps=steps,
                summary=f"{tool} failed in each of {len(agents[tool])} agents of the run, and "
                "worked in none.",
                certain_from=steps[limits.errors_alarm - 1],
                together=True,
            )
        )
    return found


def shared_failures(run: Run, lanes: Sequence[Sequence[Step]], limits: Limits) -> list[Finding]:
    """The same failure of one tool in several agents of the run: together they are one streak."""
    found: list[Finding] = []
    shared: dict[tuple[str, str], list[list[Step]]] = {}
    for lane in lanes if len(lanes) >= limits.errors_warn else ():
        for key, (steps, _) in streaks_in(lane[-limits.errors_window_actions :]).items():
            shared.setdefault(key, []).append(steps)
    for (tool, _), streaks in shared.items():
        steps = sorted(
            (step for streak in streaks for step in streak),
            key=lambda step: (step.began_at_ns, step.span_id),
        )
        if len(streaks) < limits.errors_warn or len(steps) < limits.errors_warn:
            continue
        alarm = len(steps) >= limits.errors_alarm and not are_answers(steps)
        found.append(
            loop_finding(
                run,
                limits,
                kind=KIND,
                subject=f"{tool}/agents",
                level=Level.ALARM if alarm else Level.WARN,
                steps=steps,
                summary=f"{tool} failed {len(steps)} times in the same way, "
                f"in {len(streaks)} agents of the run.",
                certain_from=steps[limits.errors_alarm - 1] if alarm else None,
                together=True,
            )
        )
    return found


def streaks_in(lane: Sequence[Step]) -> dict[tuple[str, str], tuple[list[Step], int]]:
    """Failures by tool and class since its last success, and how many came since the last write."""
    over: set[str] = set()
    repaired = False
    steps: dict[tuple[str, str], list[Step]] = {}
    unrepaired: dict[tuple[str, str], int] = {}
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if action.outcome is Outcome.FAILED and action.state is AnswerState.UNCHANGED:
            continue  # what is to be there is there already
        if action.outcome is not Outcome.FAILED:
            over.add(action.tool)
            repaired = repaired or changed_something(action)
        elif action.tool not in over:
            key = (action.tool, action.error_class or "")
            steps.setdefault(key, []).insert(0, step)
            if not repaired:
                unrepaired[key] = unrepaired.get(key, 0) + 1
    return {key: (found_steps, unrepaired.get(key, 0)) for key, found_steps in steps.items()}
