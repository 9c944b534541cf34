"""Entities and probabilities that the tests of observation share."""

from __future__ import annotations

from aftershock.model import Impact

CHECKOUT, ORDERS, GATEWAY, CATALOG = (
    "service/checkout",
    "db/orders",
    "service/gateway",
    "service/catalog",
)


def no_agent(impact: Impact) -> float:
    """The probability of "no agent action"."""
    return sum(
        alternative.probability
        for alternative in impact.alternatives
        if alternative.span_id is None
    )


def probability(impact: Impact) -> float:
    assert impact.probability is not None
    return impact.probability
