"""How people's verdicts move the prior of "no agent action": slowly, boundedly, and only that far.

Each vote on an impact finding says whether the agent was behind it. The verdicts themselves had
said how often it would be: the sum of their probabilities. Where people find fewer agents guilty
than that, the log-odds of "no agent action" rise by the difference of the two log-odds; where they
find more, they fall. Votes that agree with the probabilities move nothing. Five imagined votes on
either side keep the first real ones from deciding: one clear mistake moves it by .3 nats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from aftershock.model import Assessment, Feedback
from aftershock_collector.impact.competition import NO_AGENT

IMAGINED = 5.0  # votes on either side before anybody voted
MOVED_MAX = 1.5  # nats: a factor of 4.5, so that no crowd can switch the verdicts off
FEEDBACK_MAX = 1_000  # newest that count: systems change, and so do those who judge them


@dataclass(frozen=True, slots=True)
class Prior:
    """The prior of "no agent action" as it stands, and what moved it."""

    nobody: float  # its log-odds against an action without evidence, in nats
    moved: float  # by people's verdicts
    votes: int
    agent: int  # of those votes, how many found the agent behind it
    expected: float  # how many the verdicts themselves had expected


def prior_of(votes: Iterable[Feedback]) -> Prior:
    """The prior after these votes, oldest first; of several on one finding the newest counts."""
    newest = {
        feedback.finding_id: feedback for feedback in votes if feedback.probability is not None
    }
    counted = list(newest.values())[-FEEDBACK_MAX:]
    right = sum(feedback.assessment is Assessment.AGENT for feedback in counted)
    expected = sum(feedback.probability or 0.0 for feedback in counted)
    wrong, unexpected = len(counted) - right, len(counted) - expected
    observed = log((wrong + IMAGINED) / (right + IMAGINED))
    predicted = log((unexpected + IMAGINED) / (expected + IMAGINED))
    moved = max(-MOVED_MAX, min(MOVED_MAX, observed - predicted))
    return Prior(NO_AGENT + moved, moved, len(counted), right, expected)
