"""error_streak: one tool fails repeatedly with the same class of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import changed_something, found, tail_of
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "error_streak"


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION, waste=True)
def error_streak(run: Run, limits: Limits) -> Iterator[Finding]:
    """Failures of one tool with one class of error and without a success, for any arguments.

    A successful write in between may be an attempt at a repair (edit, test, edit, test). The
    streak then continues as a warning, and pages only if it reaches its length without one.
    """
    for lane in tail_of(run, limits).lanes:
        streaks = streaks_in(lane[-limits.errors_window_actions :])
        for (tool, _), (steps, unrepaired) in streaks.items():
            if len(steps) < limits.errors_warn:
                continue
            alarm = unrepaired >= limits.errors_alarm
            yield found(
                run,
                limits,
                kind=KIND,
                subject=tool,
                level=Level.ALARM if alarm else Level.WARN,
                steps=steps,
                summary=f"{tool} failed {len(steps)} times in the same way.",
                certain_from=steps[limits.errors_alarm - 1] if alarm else None,
            )


def streaks_in(lane: list[Step]) -> dict[tuple[str, str], tuple[list[Step], int]]:
    """Failures by tool and class since its last success, and how many came since the last write."""
    over: set[str] = set()
    repaired = False
    steps: dict[tuple[str, str], list[Step]] = {}
    unrepaired: dict[tuple[str, str], int] = {}
    for step in reversed(lane):
        action = step.action
        if action is None or action.outcome is None:
            continue
        if action.outcome is not Outcome.FAILED:
            over.add(action.tool)
            repaired = repaired or changed_something(action)
        elif action.tool not in over:
            key = (action.tool, action.error_class or "")
            steps.setdefault(key, []).insert(0, step)
            if not repaired:
                unrepaired[key] = unrepaired.get(key, 0) + 1
    return {key: (found_steps, unrepaired.get(key, 0)) for key, found_steps in steps.items()}
