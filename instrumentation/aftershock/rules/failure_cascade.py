"""failure_cascade: failures spread across tools: whatever the agent tries, it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import found, tail_of
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "failure_cascade"


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION)
def failure_cascade(run: Run, limits: Limits) -> Iterator[Finding]:
    """Different tools of one worker that failed when they were last called, in its newest calls.

    One tool that fails is that tool's trouble, or the agent's. Several at once are more often what
    is behind them: credentials, a network, a service that all of them need. It pages when they fail
    one after the other and nothing works in between.
    """
    for lane in tail_of(run, limits).lanes:
        steps = failing(lane[-limits.errors_window_actions :])
        if len(steps) < limits.cascade_tools_warn:
            continue
        tools = sorted({step.name for step in steps})
        streak = unbroken(lane[-limits.errors_window_actions :])
        alarm = len({step.name for step in streak}) >= limits.cascade_tools_alarm
        yield found(
            run,
            limits,
            kind=KIND,
            subject="tools",
            level=Level.ALARM if alarm else Level.WARN,
            steps=steps,
            summary=f"{len(tools)} different tools fail: {', '.join(tools)}.",
        )


def unbroken(lane: list[Step]) -> list[Step]:
    """The newest calls, as far back as all of them failed."""
    streak: list[Step] = []
    for step in reversed(lane):
        if step.action is None or step.action.outcome is None:
            continue
        if step.action.outcome is not Outcome.FAILED:
            break
        streak.append(step)
    return streak


def failing(lane: list[Step]) -> list[Step]:
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
