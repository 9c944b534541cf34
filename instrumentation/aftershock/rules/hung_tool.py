"""hung_tool: a call runs far longer than its tool ever did, in a process that is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Run, Step
from aftershock.policy.tiers import is_shell, only_runs, waits_for_person
from aftershock.rules.polling import minutes
from aftershock.rules.rule import Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "hung_tool"


@rule(Family.ENDS, Lifetime.STATE, timing=Timing.LIVE)
def hung_tool(run: Run, limits: Limits) -> Iterator[Finding]:
    """Calls that are still open after their `max_time`, declared or learned.

    The learned one is `hung_factor` times the tool's longest call of at least `hung_calls_min`, in
    this run or in earlier ones, and never under `hung_s_min`. How long a shell's
    command takes is unknown, and so is a wait that does not say it: both may last `hung_s_max`.
    Calls that wait for a person are left out.
    """
    if run.ended_at_ns is not None:
        return
    for step in run.steps:
        action = step.action
        if action is None or step.ended_at_ns is not None:
            continue
        lasted_s = (run.now_ns - step.began_at_ns) / 1e9
        usual_s = longest_s(run, step, limits)
        most_s = most_of(action, usual_s, limits)
        if most_s is None or lasted_s < most_s:
            continue
        known = "" if usual_s is None else f"; its longest call before lasted {minutes(usual_s)}"
        if action.max_time_s is not None:
            known = f"; the policy allows {minutes(action.max_time_s)}"
        yield Finding(
            kind=KIND,
            run_id=run.id,
            subject=step.span_id,
            level=Level.ALARM,
            began_at_ns=step.began_at_ns,
            as_of_ns=run.now_ns,
            evidence=(step.span_id,),
            summary=f"{action.tool} has been running for {minutes(lasted_s)}{known}.",
            agent=step.agent or run.agent,
            trace_id=step.trace_id,
        )


def most_of(action: Action, usual_s: float | None, limits: Limits) -> float | None:
    """Seconds that an open call may last; None: for ever."""
    if action.max_time_s is not None:
        return action.max_time_s
    if action.waits_s is not None:
        says_it = action.waits_s > 0
        return None if says_it or waits_for_person(action.tool) else limits.hung_s_max
    if is_shell(action.tool) or only_runs(action.tool):
        return limits.hung_s_max
    return None if usual_s is None else max(limits.hung_s_min, limits.hung_factor * usual_s)


def longest_s(run: Run, open_step: Step, limits: Limits) -> float | None:
    """The longest call of the same tool, here or in earlier runs; None where too few ended."""
    durations = [
        (step.ended_at_ns - step.began_at_ns) / 1e9
        for step in run.steps
        if step.action is not None and step.ended_at_ns is not None and step.name == open_step.name
    ]
    if earlier_s := run.longest_s.get(open_step.name):
        return max([earlier_s, *durations])
    return max(durations) if len(durations) >= limits.hung_calls_min else None
