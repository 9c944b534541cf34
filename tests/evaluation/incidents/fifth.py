"""Classes written when the method was done: trends, busy agents, who reverts, and what fails fast."""

from __future__ import annotations

from aftershock.model import Tier
from tests.evaluation.incidents.classes import Act, Case, Kind, Make, harm
from tests.evaluation.incidents.world import Effect


def traffic_climbs(every: float, size: float) -> Case:
    """Traffic that has grown for twenty scrapes; with it, latency. An agent acts in the middle."""
    since, until = -20 * every, 20 * every
    effects = (
        Effect("gateway", "rate", since, until, factor=3.0, shape="ramp"),
        Effect("gateway", "rate", until, factor=3.0),
        Effect("checkout", "rate", since, until, factor=3.0, shape="ramp"),
        Effect("checkout", "rate", until, factor=3.0),
        Effect("checkout", "latency", since, until, factor=1.2 * size, shape="ramp"),
        Effect("checkout", "latency", until, factor=1.2 * size),
    )
    return Case("traffic climbs", Kind.COINCIDENT, (Act("a", "checkout"),), effects)


def old_leak_kills(every: float, _size: float) -> Case:
    """Memory that has grown since long before the agent came; the process is killed, and back."""
    dies = 5 * every
    effects = (
        Effect("checkout", "memory", -60 * every, dies, factor=5.0, shape="ramp"),
        Effect("checkout", "down", dies, 8 * every, factor=2.0),
    )
    return Case("an old leak kills", Kind.COINCIDENT, (Act("a", "checkout"),), effects)


def expires(every: float, size: float) -> Case:
    """A certificate runs out, half an hour or more after an agent touched the entrance."""
    after = max(1_500.0, 25 * every)
    effect = Effect("gateway", "errors", after, factor=60 * size)
    return Case("a certificate expires", Kind.COINCIDENT, (Act("a", "gateway"),), (effect,))


def busy_agent(every: float, size: float) -> Case:
    """An agent that acts on a service every four scrapes, and then it breaks by itself."""
    acts = tuple(Act(f"a{n}", "checkout", 4 * n * every) for n in range(16))
    effect = Effect("checkout", "errors", 62.5 * every, factor=40 * size)
    return Case("busy agent", Kind.COINCIDENT, acts, (effect,))


def busy_agent_breaks(every: float, size: float) -> Case:
    """An agent that acts on a service every four scrapes; its last action breaks it."""
    acts = tuple(Act(f"b{n}", "checkout", 4 * n * every) for n in range(15))
    acts += (Act("a", "checkout", 60 * every, tool="delete_rows", tier=Tier.DESTRUCTIVE),)
    onset = 60.5 * every
    effect = Effect("checkout", "errors", onset, factor=40 * size)
    return Case("busy agent breaks it", Kind.HARMFUL, acts, (effect,), {"a": onset})


def reverted(every: float, size: float) -> Case:
    """One agent breaks a service, and another one reverts it eight scrapes later."""
    effect = Effect("checkout", "errors", every, 9 * every, factor=40 * size)
    acts = (Act("a", "checkout"), Act("b", "checkout", 8 * every, tool="rollback_release"))
    return Case("one reverts another", Kind.HARMFUL, acts, (effect,), {"a": every})


def fails_fast(every: float, size: float) -> Case:
    """Requests are refused at once: more errors, and a better latency."""
    effects = (
        Effect("checkout", "errors", every, factor=80 * size),
        Effect("checkout", "latency", every, factor=0.3),
    )
    return harm("fails fast", effects, every)


def own_load(every: float, size: float) -> Case:
    """A job that an agent started calls a service four times as often; nobody else does."""
    effects = (
        Effect("checkout", "rate", every, factor=4.0),
        Effect("checkout", "latency", every, factor=1.5 * size),
        Effect("checkout", "cpu", every, factor=3.5),
    )
    return harm("load of its own", effects, every, tool="reindex")


def slight(every: float, size: float) -> Case:
    """One request in fifty fails, where one in five hundred did."""
    return harm("slight errors", (Effect("checkout", "errors", every, factor=6.0 * size),), every)


def one_of_two(every: float, size: float) -> Case:
    """An agent breaks one service; in the same minute another breaks, which one had touched."""
    effects = (
        Effect("catalog", "errors", every, factor=40 * size),
        Effect("orders", "latency", 8 * every, factor=2 * size),
        Effect("checkout", "latency", 8 * every, factor=1.5 * size),
    )
    acts = (Act("a", "catalog"), Act("b", "checkout", 6 * every))
    return Case("one of two", Kind.HARMFUL, acts, effects, {"a": every})


FIFTH: tuple[Make, ...] = (
    traffic_climbs, old_leak_kills, expires, busy_agent, busy_agent_breaks, reverted, fails_fast,
    own_load, slight, one_of_two,
)  # fmt: skip
