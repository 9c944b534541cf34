"""silent_failure: a tool fails by its answers, its spans show no error, and the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run, Step
from aftershock.rules.endings import ending_finding, failed_silently, is_over
from aftershock.rules.rule import CALLS, Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "silent_failure"


@rule(Family.ENDS, Lifetime.ACTION, after=CALLS, timing=Timing.CLOCK)
def silent_failure(run: Run, limits: Limits) -> Iterator[Finding]:
    """Tools whose newest calls failed in words only, and never succeeded afterwards.

    It pages from `silent_failures_alarm` such calls of one tool on. Fewer warn once the run has
    ended, because until then the agent may still repair it.
    """
    for tool, steps in unrepaired(run).items():
        alarm = len(steps) >= limits.silent_failures_alarm
        if alarm or is_over(run):
            calls = "call" if len(steps) == 1 else f"{len(steps)} calls"
            yield ending_finding(
                run,
                limits,
                steps,
                kind=KIND,
                level=Level.ALARM if alarm else Level.WARN,
                summary=f"The last {calls} of {tool} returned a failure that is recorded as a "
                "success.",
            )


def unrepaired(run: Run) -> dict[str, list[Step]]:
    """Silent failures of each tool since its last success, oldest first."""
    found: dict[str, list[Step]] = {}
    over: set[str] = set()
    for step in reversed(run.steps):
        action = step.action
        if action is None or action.outcome is None or action.tool in over:
            continue
        if failed_silently(step):
            found.setdefault(action.tool, []).insert(0, step)
        else:
            over.add(action.tool)
    return found
