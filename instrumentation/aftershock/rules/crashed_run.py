"""crashed_run: the run ended with an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Run
from aftershock.rules.endings import ending_finding
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.runs.endings import last_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "crashed_run"


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK)
def crashed_run(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run whose outermost agent ended with an error."""
    step = last_step(run.steps)
    if run.ended_at_ns is None or run.error is None or step is None:
        return
    yield ending_finding(
        run,
        limits,
        [step],
        kind=KIND,
        level=Level.ALARM,
        summary=f"The run ended with {run.error}, after {step.name}.",
    )
