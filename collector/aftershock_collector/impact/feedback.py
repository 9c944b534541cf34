"""What a person's verdict makes of a finding, in values and in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aftershock.model import Assessment, Claim, Closing, Feedback
from aftershock_collector.wording import clean

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
    """A person's verdict on a claim."""
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
    """The claim as a verdict leaves it: closed for good; what was over stays over since then."""
    closed_at_ns = feedback.given_at_ns if claim.closed_at_ns is None else claim.closed_at_ns
    return replace(claim, closed_at_ns=closed_at_ns, closing=Closing.FEEDBACK, feedback=feedback)


def closing_words(claim: Claim) -> str:
    """Why a claim is over; a person's verdict with its name and reason. Empty while it is open."""
    feedback = claim.feedback
    if feedback is None:
        return "" if claim.closing is None else claim.closing.value
    reason = f": {clean(feedback.because)}" if feedback.because else ""
    return f"{_FOUND[feedback.assessment]}, says {clean(feedback.by, NAME_CHARS_MAX)}{reason}"


def prior_words(prior: Prior) -> str:
    """Where "no agent action" starts from, and what moved it there."""
    start = f'"no agent action" starts {prior.nobody:.1f} nats ahead of an action'
    if not prior.votes:
        return f"{start}; nobody has voted on a verdict yet"
    moved = f"moved by {prior.moved:+.1f} by people" if abs(prior.moved) >= 0.05 else "not moved"
    votes = "1 vote" if prior.votes == 1 else f"{prior.votes:,} votes"
    return (
        f"{start}, {moved}: {votes}, {prior.agent} found the agent behind it, "
        f"{prior.expected:.1f} were expected"
    )
