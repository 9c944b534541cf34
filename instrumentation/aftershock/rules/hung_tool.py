"""hung_tool: a call runs far longer than its tool ever did, in a process that is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Run, Step
from aftershock.policy.tiers import is_shell, lasts_hours, only_runs, waits_for_person
from aftershock.rules.polling import minutes
from aftershock.rules.rule import Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "hung_tool"
UNKNOWN_WARN_SHARE = 0.5  # of the time after which a call of an unknown tool pages


@rule(Family.ENDS, Lifetime.STATE, timing=Timing.LIVE)
def hung_tool(run: Run, limits: Limits) -> Iterator[Finding]:
    """Calls that are still open after their `max_time`, declared or learned.

    The learned one is `hung_factor` times the tool's longest call of at least `hung_calls_min`, in
    this run or in earlier ones, and never under `hung_s_min`. How long a shell's
    command takes is unknown, and so is a wait that does not say it: both may last `hung_s_max`. A
    command that names a longer limit may last so long, and one that ended before `hung_factor`
    times as long as it did then.
    A tool of which nothing is known pages after `hung_unknown_s` and warns after half of it,
    counted from the run's newest step, since a call that holds a sub-agent lasts as long as that
    works: only while heartbeats arrive, because whoever sends none may not report ends either. Work
    that takes hours by nature only warns, and calls that wait for a person are left out.
    """
    if run.ended_at_ns is not None:
        return
    for step in run.steps:
        action = step.action
        if action is None or step.ended_at_ns is not None:
            continue
        lasted_s = (run.now_ns - step.began_at_ns) / 1e9
        usual_s = longest_s(run, step, limits)
        most_s, level = most_of(run, action, usual_s, limits), Level.ALARM
        if most_s is None and is_unknown(run, action, limits):
            most_s, level = 0.0, level_of_unknown(run, action, limits)
        if most_s is None or lasted_s < most_s:
            continue
        known = "" if usual_s is None else f"; its longest call before lasted {minutes(usual_s)}"
        if action.max_time_s is not None:
            known = f"; the policy allows {minutes(action.max_time_s)}"
        yield Finding(
            kind=KIND,
            run_id=run.id,
            subject=step.span_id,
            level=level,
            began_at_ns=step.began_at_ns,
            as_of_ns=run.now_ns,
            evidence=(step.span_id,),
            summary=f"{action.tool} has been running for {minutes(lasted_s)}{known}.",
            agent=step.agent or run.agent,
            trace_id=step.trace_id,
        )


def quiet_s(run: Run) -> float:
    """Seconds since the newest step of the run began or ended."""
    return (run.now_ns - max((step.last_ns for step in run.steps), default=run.now_ns)) / 1e9


def is_unknown(run: Run, action: Action, limits: Limits) -> bool:
    """True for a call that nothing is known of, where nothing goes on but the process's heartbeats.

    Steps that go on may be those of a sub-agent inside the call.
    """
    if action.waits_s is not None or waits_for_person(action.tool):
        return False
    silent_s = (run.now_ns - (run.received_at_ns or 0)) / 1e9
    patience = 1.0 if lasts_hours(action.tool) else UNKNOWN_WARN_SHARE
    return silent_s < limits.stall_s and quiet_s(run) >= patience * limits.hung_unknown_s


def level_of_unknown(run: Run, action: Action, limits: Limits) -> Level:
    """How bad a long call is of a tool that never ended a call before."""
    if quiet_s(run) < limits.hung_unknown_s or lasts_hours(action.tool):
        return Level.WARN
    return Level.ALARM


def most_of(run: Run, action: Action, usual_s: float | None, limits: Limits) -> float | None:
    """Seconds that an open call may last; None: nothing is known of its tool, or it waits.

    `usual_s` is the longest call of its tool. A shell's command may last as long as it says itself.
    """
    if action.max_time_s is not None:
        return action.max_time_s
    if action.waits_s is not None:
        says_it = action.waits_s > 0
        return None if says_it or waits_for_person(action.tool) else limits.hung_s_max
    if is_shell(action.tool) or only_runs(action.tool):
        same_s = longest_same_s(run, action) or 0.0
        return max(limits.hung_s_max, action.allowed_s or 0.0, limits.hung_factor * same_s)
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


def longest_same_s(run: Run, action: Action) -> float | None:
    """The longest call of this run that ended, of the same tool and with the same arguments."""
    digest = action.arguments.digest
    return max(
        (
            (step.ended_at_ns - step.began_at_ns) / 1e9
            for step in run.steps
            if step.action is not None
            and step.ended_at_ns is not None
            and step.action.tool == action.tool
            and step.action.arguments.digest == digest
        ),
        default=None,
    )
