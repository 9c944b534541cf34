"""Rounds that end in the same failure after the same calls: work that is begun anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import Call, changed_something, key_of, loop_finding
from aftershock.rules.polling import STEADY_INTERVAL_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits
    from aftershock.rules.tail import Tail

KIND = "repeated_action"
ROUNDS_LONG = 3  # failures after rounds longer than `cycle_period_max`: nobody means to do that


def failed_rounds(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """The newest call, where it failed as it did after the same calls before.

    Each round has a call that changed something, and all rounds have the same calls in the same
    order, such as a rollback, or a batch from its beginning: so nothing in them is a repair.
    """
    newest = lane[-1].action
    if newest is None or newest.outcome is not Outcome.FAILED:
        return
    steps, between = equal_failures(lane, newest)
    if len(steps) < ROUNDS_LONG or not between or waits(tail, lane, steps[0]):
        return
    is_long = len(between) > limits.cycle_period_max
    alarm_at = ROUNDS_LONG if is_long else limits.retries_alarm
    if len(steps) < alarm_at - 1:
        return
    alarm = len(steps) >= alarm_at
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{newest.tool}/round/{key_of(newest)[1][:8]}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{newest.tool} failed {len(steps)} times in the same way, each time after the "
        f"same {len(between)} calls.",
        certain_from=steps[alarm_at - 1] if alarm else None,
    )


def equal_failures(lane: Sequence[Step], newest: Action) -> tuple[list[Step], tuple[Call, ...]]:
    """The newest calls that failed like this one, oldest first, and the calls of each round."""
    steps: list[Step] = []
    rounds: tuple[Call, ...] | None = None
    current: list[Step] = []
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if not is_equal_failure(action, newest):
            current.append(step)
            continue
        if steps:
            calls = tuple(key_of(one.action) for one in current if one.action)
            if rounds not in (None, calls) or not any(map(has_changed, current)):
                break
            rounds = calls
        steps.insert(0, step)
        current = []
    return steps, rounds or ()


def is_equal_failure(action: Action, newest: Action) -> bool:
    """True for the same call with the same class of error."""
    return (
        action.outcome is Outcome.FAILED
        and action.error_class == newest.error_class
        and key_of(action) == key_of(newest)
    )


def has_changed(step: Step) -> bool:
    """True for a call that changed something."""
    return step.action is not None and changed_something(step.action)


def waits(tail: Tail, lane: Sequence[Step], first: Step) -> bool:
    """True where the agent paused for long since this step: it may wait for a repair by others."""
    gaps = (tail.gap_before(step) for step in lane if step.began_at_ns > first.began_at_ns)
    return any(gap.idle_s + (gap.waited_s or 0.0) >= STEADY_INTERVAL_S for gap in gaps)
