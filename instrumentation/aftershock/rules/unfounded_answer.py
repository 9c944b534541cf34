"""unfounded_answer: a run ended with an answer that rests on nothing the agent looked up."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aftershock.model import (
    Finding,
    Level,
    Outcome,
    OutputState,
    Requirement,
    Run,
    Step,
    StepKind,
)
from aftershock.policy.tiers import is_search, is_shell, observes, only_runs
from aftershock.rules.actions import (
    Call,
    answers_a_question,
    changed_something,
    hashes_of,
    key_of,
)
from aftershock.rules.endings import ending_finding, is_over
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.runs.endings import answer_of, failed, reads_of, sources_of
from aftershock.runs.expectations import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "unfounded_answer"
IN_VAIN_MIN = 2  # one look-up may fail although the answer is known
UNREAD_MIN = 3  # reads, or wordings of a search
USABLE = frozenset({Outcome.OK, Outcome.TRUNCATED})
# What was asked for is not there, so that there was nothing to be read.
MISSING = re.compile(r"not[\s_-]?found|no\s?such|exist|\b404\b|unknown", re.IGNORECASE)
NOT_THERE = re.compile(
    r"(?<!command )(?<!module)not[\s_-]?found\b|\bno\s?such|does(?:n['’]t| not) exist|\b404\b",
    re.IGNORECASE,
)


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK, uses_evidence=True)
def unfounded_answer(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that answered although every read of it failed, or without a read that is usual.

    What is usual is learned from earlier runs of the agent that ended with an answer. It warns: an
    answer may be right, or say that nothing could be read. So do a few reads that failed for good,
    or searches that all found nothing, if the answer has no word of it. It pages where several
    look-ups failed, none worked, and the answer says that all is done.
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
    partial = [] if in_vain or is_honest(step) else unread(run.steps)
    if not in_vain and not lacking and not partial:
        return
    if partial:
        in_vain, lacking = partial, []
        summary = f"The run's answer does not mention {len(partial)} reads that failed."
    elif in_vain:
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


def is_honest(answer: Step) -> bool:
    """True for an answer that says that something is not as it should be."""
    return answer.output is None or answer.output.state is OutputState.NOT_DONE


def unread(steps: Sequence[Step]) -> list[Step]:
    """Reads of several things that were never read, or searches of which none found anything."""
    lost = never_read(steps)
    return lost if len(lost) >= UNREAD_MIN else vain_searches(steps)


def never_read(steps: Sequence[Step]) -> list[Step]:
    """The newest failed read of each thing that no call could use, whatever it was read with.

    What is not there was perhaps only guessed, and of a shell nobody knows what it reads.
    """
    usable = [step.action for step in steps if step.action and step.action.outcome in USABLE]
    known = frozenset[str]().union(*map(hashes_of, usable))
    lost: dict[Call, Step] = {}
    for step in reads_of(steps):
        action = step.action
        if action is None or is_shell(action.tool) or only_runs(action.tool):
            continue
        is_lost = failed(step) and not MISSING.search(action.error_class or "")
        if is_lost and hashes_of(action).isdisjoint(known):
            lost[key_of(action)] = step
    return list(lost.values())


def vain_searches(steps: Sequence[Step]) -> list[Step]:
    """All searches of a run whose reads all found nothing, if they asked in several wordings.

    An agent that changed something may have searched to see that there is nothing.
    """
    reads = reads_of(steps)
    searches = [step for step in reads if is_search(step.name)]
    keys = {key_of(step.action) for step in searches if step.action}
    if len(keys) < UNREAD_MIN or not all(map(found_nothing, reads)):
        return []
    is_changed = any(step.action and changed_something(step.action) for step in steps)
    return [] if is_changed else searches


def found_nothing(step: Step) -> bool:
    """True for a read that worked and found nothing."""
    return step.action is not None and step.action.outcome is Outcome.EMPTY


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
