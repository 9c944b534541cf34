"""unfounded_answer: a run ended with an answer that rests on nothing the agent looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Requirement, Run
from aftershock.rules.endings import ending_finding, is_over
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.runs.endings import answer_of, failed, reads_of, sources_of
from aftershock.runs.expectations import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "unfounded_answer"


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK, uses_evidence=True)
def unfounded_answer(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that answered although every read of it failed, or without a read that is usual.

    What is usual is learned from earlier runs of the agent that ended with an answer. It only
    warns: an answer may be right, or say that nothing could be read.
    """
    if not is_over(run) or run.error is not None or run.dropped_steps:
        return
    step = answer_of(run.steps)
    if step is None:
        return
    known = sources_of(run.steps)
    attempts = reads_of(run.steps)
    in_vain = attempts if all(map(failed, attempts)) else []
    lacking = [want for want in run.answer_requires if want.kind not in known]
    if known:
        lacking = [want for want in lacking if want.kind != ANYTHING]
    if not in_vain and not lacking:
        return
    if in_vain:
        reads = "its only read" if len(in_vain) == 1 else f"each of its {len(in_vain)} reads"
        summary = f"The run answered although {reads} failed."
    else:
        summary = f"The run answered without having read from {lacking[0].kind}."
    finding = ending_finding(
        run, limits, [*in_vain, step], kind=KIND, level=Level.WARN, summary=summary
    )
    yield replace(finding, facts=tuple(map(line_for, lacking)))


def line_for(want: Requirement) -> str:
    """What earlier runs read first."""
    share = f"{want.learnt_confidence or 0:.0%}"
    return (
        f"{share} of {want.learnt_support} earlier runs read from {want.kind} before they answered"
    )
