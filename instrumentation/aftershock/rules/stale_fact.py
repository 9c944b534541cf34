"""stale_fact: a required fact was read too long before the action, or its subject changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.fingerprint import hash_subject
from aftershock.model import Fact, Step
from aftershock.policy import ANY, subjects_match
from aftershock.rules.actions import changed_something
from aftershock.rules.context import CHANGED, Known, about_past_deed, listed, requirements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits
    from aftershock.model import Finding, Run

KIND = "stale_fact"


def stale_fact(run: Run, limits: Limits) -> Iterator[Finding]:
    """One finding for the newest action, listing every fact that no longer held, and why."""
    asked = requirements_of(run)
    if asked is None:
        return
    step, action, known = asked
    gaps: list[Known] = []
    lines: list[str] = []
    evidence: list[str] = []
    for one in known:
        fact = one.usable
        if fact is None:
            continue
        reason = reason_of(run, step, one, fact, limits)
        if reason is not None:
            line, span_id = reason
            gaps.append(one)
            lines.append(f"{one.title}: {line}")
            evidence += [fact.span_id, span_id]
    if gaps:
        yield about_past_deed(
            run,
            limits,
            step,
            action,
            kind=KIND,
            gaps=gaps,
            summary=f"{action.tool} was called on an outdated {listed(gaps)}.",
            lines=lines,
            evidence=evidence,
        )


def reason_of(
    run: Run, step: Step, known: Known, fact: Fact, limits: Limits
) -> tuple[str, str] | None:
    """Why a fact no longer held when the action began, with the span that shows it."""
    for later in run.steps:
        if later.span_id == step.span_id or later.last_ns <= fact.observed_at_ns:
            continue
        if later.began_at_ns > step.began_at_ns:
            break
        if (by := changer_of(later, fact, known)) is not None:
            return f"changed by {by} after it was read", later.span_id
    wanted_s = known.requirement.max_age_s
    age_s = (step.began_at_ns - fact.observed_at_ns) / 1e9
    if age_s > (limits.fact_age_max_s if wanted_s is None else wanted_s):
        return f"read {age_s:,.0f} s before", fact.span_id
    return None


def is_about(notice: Fact, fact: Fact, known: Known) -> bool:
    """True where a notice of a change is about what a fact told; learnt subjects are hashes."""
    if known.requirement.learnt_support is not None:
        return hash_subject(notice.subject) == fact.subject
    return notice.subject != ANY and subjects_match(fact.subject, notice.subject)


def changer_of(later: Step, fact: Fact, known: Known) -> str | None:
    """Who changed a fact's subject in a step; None where the step did not."""
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
    """True where a subject names an entity: by its key, or by the name at its end."""
    return subject in (entity, entity.rpartition("/")[2])
