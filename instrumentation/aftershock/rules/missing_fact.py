"""missing_fact: the agent acted and had never asked for a fact that the action requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.rules.context import Known, context_finding, listed, requirements_of
from aftershock.rules.rule import CALLS, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits
    from aftershock.model import Finding, Run, Step

KIND = "missing_fact"


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS, about_facts=True, uses_evidence=True)
def missing_fact(run: Run, limits: Limits) -> Iterator[Finding]:
    """One finding for the newest action, listing every required fact that was never read."""
    asked = requirements_of(run)
    if asked is None:
        return
    step, action, known = asked
    gaps = [one for one in known if not one.facts]
    if gaps and not waited(run, step):
        yield context_finding(
            run,
            limits,
            step,
            action,
            kind=KIND,
            gaps=gaps,
            summary=f"{action.tool} was called without knowing the {listed(gaps)}.",
            lines=[line_for(gap) for gap in gaps],
            evidence=[fact.span_id for gap in gaps for fact in gap.others[-1:]],
        )


def waited(run: Run, step: Step) -> bool:
    """True where the same call was judged when it first began: it waited for somebody since."""
    return any(
        other.action is not None
        and step.action is not None
        and other.action.outcome is None
        and other.action.call_id is not None
        and other.span_id != step.span_id
        and other.began_at_ns < step.began_at_ns
        and (other.action.call_id, other.action.tool, other.action.arguments.digest)
        == (step.action.call_id, step.action.tool, step.action.arguments.digest)
        for other in run.steps
    )


def line_for(gap: Known) -> str:
    """What is missing, and which tool provides it."""
    requirement = gap.requirement
    parts = [f"{gap.title}: never read"]
    if gap.others:
        last = gap.others[-1]
        learnt = requirement.learnt_support is not None  # and then its subject is a hash
        other = "something else" if learnt else last.subject
        parts.append(f"{last.source} was asked about {other} only")
    elif requirement.sources:
        parts.append(f"{' or '.join(requirement.sources)} provides it")
    if requirement.learnt_support is not None:
        share = f"{requirement.learnt_confidence or 0:.0%}"
        parts.append(f"{share} of {requirement.learnt_support} earlier actions read it first")
    return "; ".join(parts)
