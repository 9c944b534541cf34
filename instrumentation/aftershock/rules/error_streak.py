"""error_streak: one tool fails repeatedly with the same class of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import changed_something, loop_finding, tail_of
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "error_streak"


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION, waste=True)
def error_streak(run: Run, limits: Limits) -> Iterator[Finding]:
    """Failures of one tool with one class of error and without a success, for any arguments.

    A successful write in between may be an attempt at a repair (edit, test, edit, test). The
    streak then continues as a warning, and pages only if it reaches its length without one.
    """
    lanes = tail_of(run, limits).lanes
    yield from shared_failures(run, lanes, limits)
    for lane in lanes:
        streaks = streaks_in(lane[-limits.errors_window_actions :])
        for (tool, _), (steps, unrepaired) in streaks.items():
            if len(steps) < limits.errors_warn:
                continue
            alarm = unrepaired >= limits.errors_alarm
            yield loop_finding(
                run,
                limits,
                kind=KIND,
                subject=tool,
                level=Level.ALARM if alarm else Level.WARN,
                steps=steps,
                summary=f"{tool} failed {len(steps)} times in the same way.",
                certain_from=steps[limits.errors_alarm - 1] if alarm else None,
            )


def shared_failures(run: Run, lanes: Sequence[list[Step]], limits: Limits) -> Iterator[Finding]:
    """The same failure of one tool in several agents of the run: together they are one streak."""
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
        alarm = len(steps) >= limits.errors_alarm
        yield loop_finding(
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
