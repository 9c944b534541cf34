"""stalled_run: a run that is not over sends no sign of life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run
from aftershock.rules.rule import Family, Lifetime, Timing, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "stalled_run"


@rule(Family.LOOPS, Lifetime.STATE, timing=Timing.LIVE, waste=True)
def stalled_run(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that is not over and sent no sign of life for too long.

    Silence is evidence only after a start event or a heartbeat. A run without open steps that
    never sent a heartbeat may be over. A run that waits for a person is not stalled.
    """
    newest = run.newest
    if newest is None or run.ended_at_ns is not None:
        return
    received_ns = max(newest.last_ns, run.received_at_ns or 0)
    silent_s = (run.now_ns - received_ns) / 1e9
    if silent_s < limits.stall_s:
        return
    waiting = [step for step in run.steps if step.ended_at_ns is None and step.approval is None]
    if not waiting and received_ns <= newest.last_ns:
        return
    if not waiting and newest.action is not None and newest.ended_at_ns is None:
        return  # a call that was allowed, of an agent without heartbeats: some ask a person
    step = waiting[-1] if waiting else newest
    what = f"{step.name} was started" if waiting else f"{step.name} ended"
    if step.approval is not None and step.ended_at_ns is None:
        what = f"an approval of {step.name} was asked for"
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=step.span_id,
        level=Level.ALARM,
        began_at_ns=received_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(one.span_id for one in waiting[-limits.evidence_max :]) or (step.span_id,),
        summary=f"{what}, and there has been no sign of life for {minutes(silent_s)}.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
    )


def minutes(seconds: float) -> str:
    """A duration as text."""
    if seconds < 1:
        return "less than 1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
