"""What a run spent after a finding was certain: what stopping it then would have saved.

A finding does not say when it became an alarm, so the run is judged again, step by step, with the
rules and the limits that judge live traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.fold import Window, key_of, place_of
from aftershock.model import Level, StepKind
from aftershock.policy import limits_for
from aftershock.rules import STEP_RULES, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aftershock.model import Claim, Finding, Run, Step
    from aftershock.policy import Policy

CHUNK_STEPS = 128  # added to a window before it is judged: well under what it holds
QUIET = {StepKind.AGENT, StepKind.HEARTBEAT}  # frames and signs of life: not things that were done


@dataclass(frozen=True, slots=True)
class Course:
    """After which step a finding was first said, and after which one it became an alarm."""

    said: Step
    certain: Step | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run did from the moment that a finding stood until it ended or was over."""

    since_ns: int
    until_ns: int
    certain: bool  # False: it never became an alarm, so this counts from when it was first said
    steps: int
    tokens: int | None  # None: no step told any
    span_id: str | None  # the step that made it so; None: the run as recorded does not show it

    @property
    def duration_ns(self) -> int:
        """How long that was."""
        return self.until_ns - self.since_ns


def courses_of(steps: Iterable[Step], policy: Policy) -> dict[str, list[Course]]:
    """The lives of every finding that judging a run step by step gives, by the finding's id."""
    lives: dict[str, list[Course]] = {}
    holding: set[str] = set()
    for run, findings in judged(steps, policy):
        step = run.newest
        assert step is not None, "an empty run was judged"
        for finding in findings:
            certain = step if finding.level is Level.ALARM else None
            courses = lives.setdefault(finding.id, [])
            if finding.id not in holding:
                courses.append(Course(step, certain))
            elif courses[-1].certain is None and certain is not None:
                courses[-1] = Course(courses[-1].said, certain)
        holding = {finding.id for finding in findings}
    return lives


def judged(steps: Iterable[Step], policy: Policy) -> Iterator[tuple[Run, list[Finding]]]:
    """What the rules say of each prefix of a run, in event order."""
    ordered = sorted(steps, key=place_of)
    if not ordered:
        return
    window = Window(ordered[0].run_id, policy.limits)
    # Whose steps they are has to be known before they are judged.
    window.add(step for step in ordered if step.kind is StepKind.AGENT)
    done = [step for step in ordered if step.kind is not StepKind.AGENT]
    for start in range(0, len(done), CHUNK_STEPS):
        shift = window.add(done[start : start + CHUNK_STEPS])
        if shift.changed_from is None:
            continue
        limits = limits_for(policy, window.agent)
        for length in range(shift.changed_from + 1, len(window) + 1):
            run = window.prefix(length)
            yield run, list(judge(run, limits, STEP_RULES))


def course_of(claim: Claim, courses: Mapping[str, Sequence[Course]]) -> Course | None:
    """The life that a claim is about: the newest that had begun when the claim was opened."""
    lives = courses.get(claim.finding.id, ())
    begun = [one for one in lives if one.said.began_at_ns <= claim.opened_at_ns]
    return begun[-1] if begun else next(iter(lives), None)


def spent(
    claim: Claim, steps: Sequence[Step], courses: Mapping[str, Sequence[Course]]
) -> Spent | None:
    """What a finding's run spent while it stood; None where there was nothing to save.

    A deed that is done and a degradation that it caused are not undone by stopping the run.
    """
    finding = claim.finding
    if finding.lasting or finding.impact is not None or not steps:
        return None
    course = course_of(claim, courses)
    certain = course is not None and course.certain is not None
    step = None if course is None else course.certain or course.said
    since_ns = claim.opened_at_ns if step is None else step.last_ns
    began_ns = since_ns if step is None else step.began_at_ns
    newest_ns = max(one.last_ns for one in steps)
    until_ns = newest_ns if claim.closed_at_ns is None else claim.closed_at_ns
    by_end = sorted(steps, key=lambda one: one.ended_at_ns or 0)  # an ended version comes last
    since = [
        one
        for one in {key_of(one): one for one in by_end}.values()
        if began_ns < one.began_at_ns <= until_ns and one.kind not in QUIET
    ]
    told = [one.tokens.total for one in since if one.tokens is not None]
    any_told = any(one.tokens is not None for one in steps)
    return Spent(
        since_ns=since_ns,
        until_ns=max(since_ns, until_ns),
        certain=certain or (step is None and finding.level is Level.ALARM),
        steps=len(since),
        tokens=sum(told) if any_told else None,
        span_id=None if step is None else step.span_id,
    )
