"""Which action did it, if any: the open actions compete with each other and with "no agent"."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from aftershock.model import Parts, Tier

EVIDENCE_MAX = 15.0  # nats; beyond this the shape of a tail is imagination
BEFORE_FREE = 2.0  # nats that a series may be off just before an action, by chance
BEFORE_WEIGHT = 0.8
CALLEE_FREE = 2.5
CALLEE_WEIGHT = 0.3
NET_WEIGHT = 0.55
NO_AGENT = 2.7  # log-odds that nobody's action did it, before any evidence
ALTERNATIVE_WEIGHT = 0.30

PROBABLE, SUSPECTED, POSSIBLE = 0.8, 0.5, 0.2  # measured: right 93 %, 90 % and 19 % of the time

# Log-prior of having done damage, by what the tool can do.
PRIORS: dict[Tier, float] = {
    Tier.READ: -4.0,
    Tier.WRITE: 0.0,
    Tier.PROVISION: 0.0,
    Tier.DESTRUCTIVE: 0.7,
    Tier.DECOMMISSION: 0.7,
}


class Shares(NamedTuple):
    """Probabilities of one look: one for each candidate, and what is left for nobody."""

    candidates: tuple[float, ...]
    nobody: float


def settled(after: float, before: float) -> float:
    """Evidence that is left after what was already wrong, in nats."""
    return min(after, EVIDENCE_MAX) - BEFORE_WEIGHT * max(0.0, before - BEFORE_FREE)


def net(parts: Parts) -> float:
    """Evidence that is left after what was wrong before and what a callee explains, in nats."""
    return settled(parts.own, parts.before) - CALLEE_WEIGHT * max(0.0, parts.callee - CALLEE_FREE)


def compete(
    candidates: Sequence[tuple[float, Tier]], alternative: float, nobody: float = NO_AGENT
) -> Shares:
    """Soft-max over candidates (net evidence, tier) and "no agent action".

    `alternative` is the worst surprise of anything that no candidate could have moved, in nats;
    `nobody` the log-odds of "no agent action" before any evidence.
    """
    utilities = [NET_WEIGHT * evidence + PRIORS[tier] for evidence, tier in candidates]
    utilities.append(nobody + ALTERNATIVE_WEIGHT * min(EVIDENCE_MAX, max(0.0, alternative)))
    top = max(utilities)
    weights = [exp(utility - top) for utility in utilities]
    total = sum(weights)
    *shares, nobody = (weight / total for weight in weights)
    return Shares(tuple(shares), nobody)


CERTAIN = "certain"  # not a probability: a trace came back


def label(probability: float) -> str:
    """What a probability is called in front of people."""
    if probability >= PROBABLE:
        return "probable"
    if probability >= SUSPECTED:
        return "suspected"
    return "possible" if probability >= POSSIBLE else "no metric evidence"
