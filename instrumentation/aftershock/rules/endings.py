"""How a run ended, and the shape of findings about it: shared by the rules about ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.limits import Limits

OWN_STEPS = frozenset({StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.HAND_OFF})


def last_step(run: Run) -> Step | None:
    """The last thing the agent did; None where nothing is recorded."""
    return next((step for step in reversed(run.steps) if step.kind in OWN_STEPS), None)


def failed_silently(step: Step) -> bool:
    """True for a call whose answer reports a failure while its span reports none."""
    return step.action is not None and step.action.outcome is Outcome.FAILED and step.error is None


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
