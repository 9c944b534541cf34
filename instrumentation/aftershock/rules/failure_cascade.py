"""failure_cascade: different tools of one agent fail at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import loop_finding
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule
from aftershock.rules.tail import tail_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "failure_cascade"


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION)
def failure_cascade(run: Run, limits: Limits) -> Iterator[Finding]:
    """Different tools of one agent whose newest call failed, among its newest calls.

    If several tools fail at once, the reason is more often something that all of them need, such
    as credentials, a network or a service. It pages if they fail one after the other and no call
    succeeds in between.
    """
    for lane in tail_of(run, limits).working_lanes:
        steps = failing(lane[-limits.errors_window_actions :])
        if len(steps) < limits.cascade_tools_warn:
            continue
        tools = sorted({step.name for step in steps})
        streak = unbroken(lane[-limits.errors_window_actions :])
        alarm = len({step.name for step in streak}) >= limits.cascade_tools_alarm
        yield loop_finding(
            run,
            limits,
            kind=KIND,
            subject="tools",
            level=Level.ALARM if alarm else Level.WARN,
            steps=steps,
            summary=f"{len(tools)} different tools fail: {', '.join(tools)}.",
        )


def unbroken(lane: Sequence[Step]) -> list[Step]:
    """The newest calls back to the last one that did not fail."""
    streak: list[Step] = []
    for step in reversed(lane):
        if step.action is None or step.action.outcome is None:
            continue
        if step.action.outcome is not Outcome.FAILED:
            break
        streak.append(step)
    return streak


def failing(lane: Sequence[Step]) -> list[Step]:
    """The newest call of each tool that failed, oldest first."""
    last: dict[str, Step] = {}
    for step in lane:
        action = step.action
        if action is not None and action.outcome is not None:
            last[action.tool] = step
    return sorted(
        (step for step in last.values() if step.action and step.action.outcome is Outcome.FAILED),
        key=lambda step: (step.began_at_ns, step.span_id),
    )
