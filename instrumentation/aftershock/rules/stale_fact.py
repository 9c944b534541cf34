"""stale_fact: a required fact was read too long before the action, or its subject changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aftershock.fingerprints.keyed import hash_subject
from aftershock.model import Fact, Finding, Level, Outcome, Step
from aftershock.policy.policy import ANY, subjects_match
from aftershock.rules.actions import changed_something
from aftershock.rules.context import CHANGED, Known, context_finding, listed, requirements_of
from aftershock.rules.rule import CALLS, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits
    from aftershock.model import Change, Run

KIND = "stale_fact"


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS, about_facts=True, uses_evidence=True)
def stale_fact(run: Run, limits: Limits) -> Iterator[Finding]:
    """One finding for the newest action, listing every outdated fact and the reason."""
    asked = requirements_of(run)
    if asked is None:
        yield from overtaken(run, limits)
        return
    step, action, known = asked
    reasons = [
        (one, fact, reason)
        for one in known
        if (fact := one.usable) and (reason := reason_of(run, step, one, fact, limits))
    ]
    if reasons:
        gaps = [one for one, _, _ in reasons]
        yield context_finding(
            run,
            limits,
            step,
            action,
            kind=KIND,
            gaps=gaps,
            summary=f"{action.tool} was called on outdated knowledge of the {listed(gaps)}.",
            lines=[f"{one.title}: {reason.line}" for one, _, reason in reasons],
            evidence=[span for _, fact, reason in reasons for span in (fact.span_id, reason.span)],
            level=Level.WARN if all(reason.doubtful for *_, reason in reasons) else None,
        )


def overtaken(run: Run, limits: Limits) -> Iterator[Finding]:
    """An action without requirements on a target that others changed since the run last read it.

    It only warns, because the read facts may still have been correct.
    """
    step = run.newest
    if step is None or step.action is None or not step.action.tier.has_effect or not run.changes:
        return
    targets = set(step.action.targets)
    reads = [
        one
        for one in run.steps
        if one.action is not None
        and one.action.outcome is Outcome.OK
        and one.last_ns <= step.began_at_ns
        and targets & set(one.action.targets)
    ]
    if not reads:
        return
    since = [
        change
        for change in run.changes
        if change.began_at_ns > reads[-1].last_ns
        and change.entity in targets
        and not change.kind.is_trouble
    ]
    if since:
        yield Finding(
            kind=KIND,
            run_id=run.id,
            subject=f"{step.action.tool}/{step.span_id}",
            level=Level.WARN,
            began_at_ns=step.began_at_ns,
            as_of_ns=run.now_ns,
            evidence=(step.span_id, reads[-1].span_id)[: limits.evidence_max],
            summary=f"{step.action.tool} was called on {since[-1].entity}, which others had "
            f"changed since {reads[-1].name} read it.",
            agent=step.agent or run.agent,
            trace_id=step.trace_id,
            facts=tuple(f"{one.entity}: {words_for(one)}" for one in since),
            lasting=True,
        )


class Reason(NamedTuple):
    """Why a fact was outdated, and the span that shows it.

    `doubtful`: something failed on the subject of the fact; the fact may still be correct.
    """

    line: str
    span: str
    doubtful: bool = False


def reason_of(run: Run, step: Step, known: Known, fact: Fact, limits: Limits) -> Reason | None:
    """Why a fact was outdated when the action began; None if it was not."""
    for later in run.steps:
        if later.span_id == step.span_id or later.last_ns <= fact.observed_at_ns:
            continue
        if later.began_at_ns > step.began_at_ns:
            break
        if (by := changer_of(later, fact, known)) is not None:
            return Reason(f"changed by {by} after it was read", later.span_id)
    # An action by somebody is a better reason than a symptom.
    for change in sorted(run.changes, key=lambda change: change.kind.is_trouble):
        if fact.observed_at_ns < change.began_at_ns <= step.began_at_ns and concerns(
            change, fact, known
        ):
            return Reason(words_for(change), fact.span_id, doubtful=change.kind.is_trouble)
    wanted_s = known.requirement.max_age_s
    age_s = (step.began_at_ns - fact.observed_at_ns) / 1e9
    if age_s > (limits.fact_age_max_s if wanted_s is None else wanted_s):
        return Reason(f"read {age_s:,.0f} s before", fact.span_id)
    return None


def is_about(notice: Fact, fact: Fact, known: Known) -> bool:
    """True if a notice of a change is about a fact's subject; learned subjects are hashes."""
    if known.requirement.learnt_support is not None:
        return hash_subject(notice.subject) == fact.subject
    return notice.subject != ANY and subjects_match(fact.subject, notice.subject)


def changer_of(later: Step, fact: Fact, known: Known) -> str | None:
    """Who changed a fact's subject in a step; None if the step did not change it."""
    for notice in later.facts:
        if (
            notice.kind == CHANGED
            and notice.observed_at_ns > fact.observed_at_ns
            and is_about(notice, fact, known)
        ):
            return notice.source
    action = later.action
    if action is None or not changed_something(action) or later.span_id == fact.span_id:
        return None
    subject = known.requirement.subject if fact.subject == ANY else fact.subject
    return action.tool if any(is_called(target, subject) for target in action.targets) else None


def is_called(entity: str, subject: str) -> bool:
    """True if a subject names an entity, by its key or by the last part of it."""
    return subject in (entity, entity.rpartition("/")[2])


def concerns(change: Change, fact: Fact, known: Known) -> bool:
    """True if others changed a fact's subject; learned subjects are hashes."""
    if known.requirement.learnt_support is not None:
        return False
    subject = known.requirement.subject if fact.subject == ANY else fact.subject
    return subject != ANY and is_called(change.entity, subject)


def words_for(change: Change) -> str:
    """A change as text."""
    if change.kind.is_trouble:
        return f"{change.name} began on {change.entity} after it was read"
    whose = f" ({change.detail})" if change.detail.startswith("run ") else ""
    return f"changed by {change.name}{whose} after it was read"
