"""unfounded_answer: a run ended with an answer that rests on nothing the agent looked up."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, OutputState, Requirement, Run, Step, StepKind
from aftershock.policy.tiers import observes
from aftershock.rules.actions import answers_a_question, changed_something
from aftershock.rules.endings import ending_finding, is_over
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.runs.endings import answer_of, failed, reads_of, sources_of
from aftershock.runs.expectations import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "unfounded_answer"
IN_VAIN_MIN = 2  # one look-up may fail although the answer is known
NOT_THERE = re.compile(
    r"(?<!command )(?<!module)not[\s_-]?found\b|\bno\s?such|does(?:n['’]t| not) exist|\b404\b",
    re.IGNORECASE,
)


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK, uses_evidence=True)
def unfounded_answer(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that answered although every read of it failed, or without a read that is usual.

    What is usual is learned from earlier runs of the agent that ended with an answer. It warns: an
    answer may be right, or say that nothing could be read. It pages where several look-ups failed,
    none worked, and the answer says that all is done.
    """
    if not is_over(run) or run.error is not None or run.dropped_steps:
        return
    step = answer_of(run.steps)
    if step is None:
        return
    known = sources_of(run.steps)
    attempts = reads_of(run.steps)
    in_vain = attempts if all(map(failed, attempts)) else []
    asked = lookups_of(run.steps)
    claims = step.output is not None and step.output.state is OutputState.DONE
    alarm = claims and is_in_vain(run.steps, asked)
    if alarm:
        in_vain = asked
    lacking = [want for want in run.answer_requires if want.kind not in known]
    if known:
        lacking = [want for want in lacking if want.kind != ANYTHING]
    if not in_vain and not lacking:
        return
    if in_vain:
        reads = "its only read" if len(in_vain) == 1 else f"each of its {len(in_vain)} reads"
        ended = "ended as done" if alarm else "answered"
        summary = f"The run {ended} although {reads} failed."
    else:
        summary = f"The run answered without having read from {lacking[0].kind}."
    finding = ending_finding(
        run,
        limits,
        [*in_vain, step],
        kind=KIND,
        level=Level.ALARM if alarm else Level.WARN,
        summary=summary,
    )
    yield replace(finding, facts=tuple(map(line_for, lacking)))


def lookups_of(steps: Sequence[Step]) -> list[Step]:
    """Reads, and calls of tools whose names say no effect, such as those of other agents."""
    return [
        step
        for step in steps
        if step.kind is StepKind.RETRIEVAL
        or (step.action is not None and answers_a_question(step.action) and observes(step.name))
    ]


def is_in_vain(steps: Sequence[Step], asked: Sequence[Step]) -> bool:
    """True where several look-ups failed and none worked.

    If something was changed afterwards, that what it is about is not there yet is an answer.
    """
    if len(asked) < IN_VAIN_MIN or not all(map(failed, asked)):
        return False
    if not any(step.action and changed_something(step.action) for step in steps):
        return True
    return not any(says_not_there(step) for step in asked)


def says_not_there(step: Step) -> bool:
    """True for a failure that answers: there is no such thing."""
    kind = step.action.error_class if step.action else None
    return kind is not None and NOT_THERE.search(kind) is not None


def line_for(want: Requirement) -> str:
    """What earlier runs read first."""
    share = f"{want.learnt_confidence or 0:.0%}"
    return (
        f"{share} of {want.learnt_support} earlier runs read from {want.kind} before they answered"
    )
