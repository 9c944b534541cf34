"""Which action did it, if any: candidates for one damaged entity, and "no agent action"."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from aftershock.model import Parts, Tier

EVIDENCE_MAX = 15.0  # nats; beyond this the shape of a tail is imagination
BEFORE_FREE = 2.0  # nats that a series may be off just before an action, by chance
BEFORE_WEIGHT = 0.8
CALLEE_FREE = 2.5
CALLEE_WEIGHT = 0.3
DEPENDENCY_LOG_ODDS = log(2.0)
NO_AGENT_LOG_ODDS = 3.0  # of "no agent action", before any evidence: 20 to 1 against one write
ALTERNATIVE_WEIGHT = 0.5  # of trouble where no candidate acted: it may be another incident
ELSEWHERE_WEIGHT = 0.10  # of trouble where another candidate acted, unrelated to this entity
LAG_WEIGHT = 0.5  # nats per doubling-ish of the time from action to damage
LAG_FREE_S = 60.0  # damage mostly comes within a minute

# Log-prior of having done damage, by what the tool can do.
PRIORS: dict[Tier, float] = {
    Tier.READ: -4.0,
    Tier.WRITE: 0.0,
    Tier.PROVISION: 0.0,
    Tier.DESTRUCTIVE: 0.7,
    Tier.DECOMMISSION: 0.7,
}


class Candidate(NamedTuple):
    """One explanation of damage by somebody's action."""

    net: float  # evidence in nats
    tier: Tier
    lag_s: float = 0.0  # from the action to the onset of the damage
    log_odds: float = 0.0  # against an action of its tier, before any evidence


class Shares(NamedTuple):
    """Probabilities that sum to 1: one for each candidate, and of "no agent action"."""

    candidates: tuple[float, ...]
    no_agent: float


def settled(after: float, before: float, worse: float | None = None) -> float:
    """Evidence that is left after what was already wrong, in nats.

    Args:
        after: surprise after the action.
        before: surprise just before it.
        worse: surprise beyond what the action found; None where it found no trouble.
    """
    left = min(after, EVIDENCE_MAX) - BEFORE_WEIGHT * max(0.0, before - BEFORE_FREE)
    return left if worse is None else min(left, worse)


def net(parts: Parts, worse: float | None = None) -> float:
    """Evidence that is left after what was wrong before and what a callee explains, in nats."""
    explained = CALLEE_WEIGHT * max(0.0, parts.callee - CALLEE_FREE)
    return settled(parts.own, parts.before, worse) - explained


def log_bayes_factor(nats: float) -> float:
    """The most that a p-value of exp(-nats) can say for "it did it" against "by chance".

    A p-value is no probability of chance: -1 / (e p ln p) bounds the Bayes factor from above
    (Sellke, Bayarri and Berger, 2001). It is 1 from p = 1/e on, 2.4 at p .05, 53 at p .001.
    """
    nats = min(nats, EVIDENCE_MAX)
    return nats - 1.0 - log(nats) if nats > 1.0 else 0.0


def against(alternative: float) -> float:
    """Log-odds that trouble which no candidate can have caused gives to "no agent action"."""
    return ALTERNATIVE_WEIGHT * log_bayes_factor(alternative)


def utility(candidate: Candidate) -> float:
    """Log-odds of one candidate before normalising."""
    lag = LAG_WEIGHT * log(1.0 + max(0.0, candidate.lag_s) / LAG_FREE_S)
    return log_bayes_factor(candidate.net) + PRIORS[candidate.tier] + candidate.log_odds - lag


def explained_by(callee: float) -> float:
    """Log-odds of "a dependency broke by itself" against "the action did it".

    Beforehand it is as unlikely as damage by an action. Where it is sure, it is twice as likely as
    that the action broke it through its caller, without more work reaching it.

    Args:
        callee: how unusual its failures or its latency are, in nats.
    """
    return min(DEPENDENCY_LOG_ODDS, log_bayes_factor(callee) - NO_AGENT_LOG_ODDS)


def compete(
    candidates: Sequence[Candidate],
    alternative: float,
    no_agent_log_odds: float = NO_AGENT_LOG_ODDS,
    elsewhere: float = 0.0,
) -> Shares:
    """Soft-max over the candidates and "no agent action".

    Args:
        candidates: everybody's actions that may explain the damage of one entity.
        alternative: the worst surprise of anything that no candidate could have moved, in nats.
        no_agent_log_odds: of "no agent action" before any evidence.
        elsewhere: the worst surprise of an unrelated entity that another candidate acted on.
    """
    utilities = [utility(candidate) for candidate in candidates]
    others = max(against(alternative), ELSEWHERE_WEIGHT * log_bayes_factor(elsewhere))
    utilities.append(no_agent_log_odds + others)
    top = max(utilities)
    weights = [exp(each - top) for each in utilities]
    total = sum(weights)
    *shares, no_agent = (weight / total for weight in weights)
    return Shares(tuple(shares), no_agent)
