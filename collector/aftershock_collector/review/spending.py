"""What a run spent after a finding was certain: what stopping it then would have saved.

A finding does not say when it became an alarm, so the run is judged again, step by step, with the
rules and the limits that judge live traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.model import Level, Spent, Step, StepKind
from aftershock.policy.policy import limits_for
from aftershock.policy.prices import spent_with
from aftershock.rules import RULES, Lifetime, judge, kinds_of, rules_after
from aftershock.runs.fold import Window, key_of, place_of
from aftershock.runs.reconcile import NO_CLAIMS, Claims, advance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aftershock.model import Claim
    from aftershock.policy.policy import Policy

CHUNK_STEPS = 128  # added to a window before it is judged: well under what it holds
# About an action that is done: stopping the run does not undo it.
ACTION_RULES = kinds_of(rule for rule in RULES if rule.lifetime is Lifetime.ACTION)


@dataclass(frozen=True, slots=True)
class Course:
    """After which step a finding was first said, and after which one it became an alarm."""

    first: Step
    certain: Step | None


@dataclass(frozen=True, slots=True)
class Saving:
    """What a run spent from the moment that a finding stood until it ended or was over."""

    since_ns: int
    until_ns: int
    certain: bool  # False: it never became an alarm, so this counts from when it was first said
    spent: Spent
    tokens_known: bool  # False: no step of the run told any
    span_id: str | None  # the step that made it so; None: the run as recorded does not show it

    @property
    def duration_ns(self) -> int:
        """How long that was."""
        return self.until_ns - self.since_ns


def courses_of(steps: Iterable[Step], policy: Policy) -> dict[str, list[Course]]:
    """The lives of every finding that judging a run step by step gives, by the finding's id."""
    lives: dict[str, list[Course]] = {}
    before: Claims = NO_CLAIMS
    for step, claims in states(steps, policy):
        for identity, claim in claims.items():
            known = before.get(identity)
            if claim is known or claim.closing is not None:
                continue
            alarm = claim.finding.level is Level.ALARM
            courses = lives.setdefault(identity, [])
            if known is None or known.closing is not None:
                courses.append(Course(step, step if alarm else None))
            elif alarm and courses[-1].certain is None:
                courses[-1] = Course(courses[-1].first, step)
        before = claims
    return lives


def states(steps: Iterable[Step], policy: Policy) -> Iterator[tuple[Step, Claims]]:
    """What is claimed of a run after each of its steps, in event order, as the engine judges."""
    ordered = sorted(once(steps), key=place_of)
    if not ordered:
        return
    window = Window(ordered[0].run_id, policy.limits)
    # Whose steps they are has to be known before they are judged.
    window.add(step for step in ordered if step.kind is StepKind.AGENT)
    done = [step for step in ordered if step.kind is not StepKind.AGENT]
    limits = limits_for(policy, window.agent)
    claims: Claims = NO_CLAIMS
    judged = 0  # steps of the window; in event order, none of them reads differently later
    for start in range(0, len(done), CHUNK_STEPS):
        judged -= window.add(done[start : start + CHUNK_STEPS]).fell_out
        for length in range(judged + 1, len(window) + 1):
            rules, kinds = rules_after(window.kind_at(length - 1))
            if rules:
                run = window.prefix(length)
                claims = advance(claims, judge(run, limits, rules), run.now_ns, kinds)
                yield run.steps[-1], claims
        judged = len(window)


def once(steps: Iterable[Step]) -> list[Step]:
    """Each step once, ended where its end is known."""
    by_end = sorted(steps, key=lambda step: step.ended_at_ns or 0)
    return list({key_of(step): step for step in by_end}.values())


def course_of(claim: Claim, courses: Mapping[str, Sequence[Course]]) -> Course | None:
    """The life that a claim is about: the newest that had begun when the claim was opened."""
    lives = courses.get(claim.finding.id, ())
    begun = [one for one in lives if one.first.began_at_ns <= claim.opened_at_ns]
    return begun[-1] if begun else next(iter(lives), None)


def saving_of(
    claim: Claim,
    steps: Sequence[Step],
    courses: Mapping[str, Sequence[Course]],
    policy: Policy,
) -> Saving | None:
    """What a finding's run spent while it stood; None where there was nothing to save.

    A deed that is done and a degradation that it caused are not undone by stopping the run.
    """
    finding = claim.finding
    if finding.kind in ACTION_RULES or finding.impact is not None or not steps:
        return None
    course = course_of(claim, courses)
    step = None if course is None else course.certain or course.first
    since_ns = claim.opened_at_ns if step is None else step.last_ns
    began_ns = since_ns if step is None else step.began_at_ns
    newest_ns = max(one.last_ns for one in steps)
    until_ns = newest_ns if claim.closed_at_ns is None else claim.closed_at_ns
    limits = limits_for(policy, finding.agent)
    spent = Spent()
    for one in once(steps):
        if began_ns < one.began_at_ns <= until_ns:
            spent = spent_with(spent, one, limits)
    unseen_alarm = step is None and finding.level is Level.ALARM
    return Saving(
        since_ns=since_ns,
        until_ns=max(since_ns, until_ns),
        certain=unseen_alarm or (course is not None and course.certain is not None),
        spent=spent,
        tokens_known=any(one.tokens is not None for one in steps),
        span_id=None if step is None else step.span_id,
    )
