"""stopped_early: a limit ended the run, or it ended without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run, StepKind
from aftershock.rules.endings import ending_finding, is_over
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.runs.endings import last_step, stop_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "stopped_early"


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK)
def stopped_early(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that is over although its last inference was cut, or its last step was a tool call.

    It only warns: an agent that acts and needs no answer ends with a tool call too. Runs that
    crashed are another finding.
    """
    step = last_step(run.steps)
    if not is_over(run) or run.error is not None or step is None:
        return
    if (reason := stop_reason(step)) is not None:
        summary = f"The run ended because its last answer was stopped: {reason}."
    elif step.kind is StepKind.TOOL_CALL and answers(run):
        summary = f"The run ended without an answer, after {step.name}."
    else:
        return
    yield ending_finding(run, limits, [step], kind=KIND, level=Level.WARN, summary=summary)


def answers(run: Run) -> bool:
    """True where a person asked and the model's inferences are recorded: an answer is expected."""
    kinds = {step.kind for step in run.steps}
    return StepKind.INFERENCE in kinds and StepKind.MESSAGE in kinds
