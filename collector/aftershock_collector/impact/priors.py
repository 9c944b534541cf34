"""How people's feedback moves the prior of "no agent action", slowly and within bounds.

Feedback on an impact finding says whether the agent was behind it. The sum of the attributions'
probabilities is how often that was expected. Where people confirm fewer agents than expected, the
log-odds of "no agent action" rise by the difference of the two log-odds; where they confirm more,
they fall. Feedback that agrees with the probabilities moves nothing. Five pseudo-counts on either
side keep the first answers from deciding: one clear mistake moves the log-odds by .3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from aftershock.model import Assessment, Feedback
from aftershock_collector.impact.competition import NO_AGENT_LOG_ODDS

PSEUDO_COUNTS = 5.0  # on either side, before any feedback
MOVED_MAX = 1.5  # nats: a factor of 4.5, so that feedback alone cannot switch attributions off
FEEDBACK_MAX = 1_000  # newest that count: systems change, and so do those who judge them


@dataclass(frozen=True, slots=True)
class Prior:
    """The prior of "no agent action" as it stands, and what moved it."""

    no_agent: float  # its log-odds against an action without evidence, in nats
    moved: float  # by feedback, in nats
    feedback: int  # findings with feedback that counts
    agent: int  # of those, how many found the agent behind it
    expected: float  # how many the probabilities had expected


def prior_of(feedback: Iterable[Feedback]) -> Prior:
    """The prior after this feedback, oldest first; the newest answer on a finding counts."""
    newest = {each.finding_id: each for each in feedback if each.probability is not None}
    counted = list(newest.values())[-FEEDBACK_MAX:]
    right = sum(each.assessment is Assessment.AGENT for each in counted)
    expected = sum(each.probability or 0.0 for each in counted)
    wrong, unexpected = len(counted) - right, len(counted) - expected
    observed = log((wrong + PSEUDO_COUNTS) / (right + PSEUDO_COUNTS))
    predicted = log((unexpected + PSEUDO_COUNTS) / (expected + PSEUDO_COUNTS))
    moved = max(-MOVED_MAX, min(MOVED_MAX, observed - predicted))
    return Prior(NO_AGENT_LOG_ODDS + moved, moved, len(counted), right, expected)
