"""When a run is over, and the shape of findings about its end: shared by the rules about ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import AnswerState, Finding, Level, Outcome, Run, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.limits import Limits


def is_over(run: Run) -> bool:
    """True for a run that has ended, and all of whose steps can have arrived.

    The frame of an agent may arrive before its last children, and then its end says nothing yet.
    """
    return run.ended_at_ns is not None and run.settled


def failed_silently(step: Step) -> bool:
    """True for a call whose answer reports a failure while its span reports none."""
    action = step.action
    if action is None or action.outcome is not Outcome.FAILED or step.error is not None:
        return False
    return action.state is not AnswerState.UNCHANGED  # what is to be there is there already


def ending_finding(
    run: Run, limits: Limits, steps: Sequence[Step], *, kind: str, level: Level, summary: str
) -> Finding:
    """A lasting finding about steps with which a run went wrong."""
    last = steps[-1]
    return Finding(
        kind=kind,
        run_id=run.id,
        subject=last.action.tool if last.action else "run",
        level=level,
        began_at_ns=steps[0].began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(step.span_id for step in steps[-limits.evidence_max :]),
        summary=summary,
        agent=last.agent or run.agent,
        trace_id=last.trace_id,
        lasting=True,
    )
