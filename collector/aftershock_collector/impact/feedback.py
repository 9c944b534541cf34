"""A person's feedback on a finding: the value, the claim that it closes, and the text."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING

from aftershock.model import Assessment, Claim, Closing, Feedback, Finding
from aftershock.rules import Lifetime, rule_of
from aftershock_collector.wording import clean, counted, times

if TYPE_CHECKING:
    from aftershock_collector.impact.priors import Prior

NAME_CHARS_MAX = 80
REASON_CHARS_MAX = 500  # a sentence or two; the incident review has the rest
_FOUND = {
    Assessment.AGENT: "the agent did it",
    Assessment.INFRASTRUCTURE: "the infrastructure did it",
    Assessment.COINCIDENCE: "a coincidence",
}


def feedback_on(
    claim: Claim, assessment: Assessment, by: str, because: str, now_ns: int
) -> Feedback:
    """Feedback on a claim, with the name and reason made safe to print."""
    impact = claim.finding.impact
    return Feedback(
        finding_id=claim.finding.id,
        assessment=assessment,
        by=clean(by, NAME_CHARS_MAX),
        because=clean(because, REASON_CHARS_MAX),
        given_at_ns=now_ns,
        probability=None if impact is None else impact.probability,
    )


def decided(claim: Claim, feedback: Feedback) -> Claim:
    """The claim closed by feedback. A claim that was closed before keeps its closing time."""
    closed_at_ns = feedback.given_at_ns if claim.closed_at_ns is None else claim.closed_at_ns
    return replace(claim, closed_at_ns=closed_at_ns, closing=Closing.FEEDBACK, feedback=feedback)


def closing_words(claim: Claim) -> str:
    """Why a claim is closed, with the person's name and reason. Empty while it is open."""
    feedback = claim.feedback
    if feedback is None and claim.closing is Closing.CONTRADICTED and is_state(claim.finding):
        return "it is over"  # a loop that ended was no mistake
    if feedback is None:
        return "" if claim.closing is None else claim.closing.value
    reason = f": {clean(feedback.because)}" if feedback.because else ""
    return f"{_FOUND[feedback.assessment]}, says {clean(feedback.by, NAME_CHARS_MAX)}{reason}"


def is_state(finding: Finding) -> bool:
    """True for a finding about a state, which ends, and False for one about an action."""
    rule = rule_of(finding.kind)
    return rule is not None and rule.lifetime is Lifetime.STATE


def prior_words(prior: Prior) -> str:
    """The prior of "no agent action" in odds, and how much feedback moved it."""
    start = (
        f'before any evidence "no agent action" is {times(exp(prior.no_agent))} as likely '
        "as one action"
    )
    if not prior.feedback:
        return f"{start}; no attribution has feedback yet"
    before = times(exp(prior.no_agent - prior.moved))
    moved = (
        f"{before} before feedback" if abs(prior.moved) >= 0.05 else "feedback did not change it"
    )
    return (
        f"{start} ({moved}): feedback on {counted(prior.feedback, 'attribution')}; "
        f"{prior.agent} found the agent behind it, {prior.expected:.1f} were expected"
    )
