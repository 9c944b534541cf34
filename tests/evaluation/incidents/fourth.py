"""Classes that came with "more traffic than usual" and with candidates that are observed together.

"overload" and "lasting, several" were known before; the rest were written after the method.
"""

from __future__ import annotations

from tests.evaluation.incidents.classes import Act, Case, Kind, Make, harm
from tests.evaluation.incidents.world import SERVICES, Effect


def overload(every: float, size: float) -> Case:
    """Three times the users, and what they reach becomes slow."""
    return Case(
        "overload",
        Kind.COINCIDENT,
        (Act("a", "checkout"),),
        (
            Effect("gateway", "rate", 2 * every, factor=3.0),
            Effect("checkout", "rate", 2 * every, factor=3.0),
            Effect("checkout", "latency", 3 * every, factor=size),
            Effect("checkout", "cpu", 2 * every, factor=2.5),
        ),
    )


def overload_passes(every: float, size: float) -> Case:
    """A wave of users at the entrance, that ebbs; an agent had touched what it went through."""
    ends = 10 * every
    return Case(
        "overload passes",
        Kind.COINCIDENT,
        (Act("a", "gateway"), Act("b", "orders", every)),
        (
            Effect("gateway", "rate", 2 * every, ends, factor=4.0),
            Effect("catalog", "rate", 2 * every, ends, factor=4.0),
            Effect("checkout", "rate", 2 * every, ends, factor=4.0),
            Effect("orders", "rate", 2 * every, ends, factor=4.0),
            Effect("gateway", "latency", 3 * every, ends, factor=1.2 * size),
            Effect("orders", "latency", 3 * every, ends, factor=1.2 * size),
        ),
    )


def job_by_the_clock(every: float, size: float) -> Case:
    """A job that slows a service for three scrapes in twenty, as it did before the action."""
    effects = tuple(
        Effect("checkout", "latency", n * every, (n + 3) * every, factor=1.5 * size)
        for n in (-58, -38, -18, 2, 22)
    )
    return Case("job by the clock", Kind.COINCIDENT, (Act("a", "checkout"),), effects)


def network_fails(every: float, size: float) -> Case:
    """Everything fails for a while."""
    effects = tuple(
        Effect(name, "errors", 2 * every, 9 * every, factor=40 * size) for name in SERVICES
    )
    return Case("network fails", Kind.COINCIDENT, (Act("a", "checkout"),), effects)


def gets_worse(every: float, size: float) -> Case:
    """An incident that grows while an agent tries to help."""
    effects = (
        Effect("checkout", "latency", -6 * every, factor=size),
        Effect("checkout", "latency", 3 * every, factor=1.5),
    )
    act = Act("a", "checkout", tool="clear_cache")
    return Case("gets worse by itself", Kind.REACTING, (act,), effects)


def flaps(every: float, size: float) -> Case:
    """A service that fails now and then since before the agent came."""
    effects = tuple(
        Effect("checkout", "errors", n * every, (n + 4) * every, factor=30 * size)
        for n in (-26, -14, 3, 15)
    )
    return Case("fails now and then", Kind.REACTING, (Act("a", "checkout"),), effects)


def deploy_on_the_same(every: float, size: float) -> Case:
    """CI releases what an agent had configured ten scrapes before, and that breaks it."""
    effect = Effect("checkout", "errors", 11 * every, factor=40 * size)
    deploys = (("checkout", 10 * every),)
    acts = (Act("a", "checkout"),)
    return Case("deploy after a write", Kind.OTHERS, acts, (effect,), deploys=deploys)


def users_retry(every: float, size: float) -> Case:
    """Errors, and people who try again."""
    effects = (
        Effect("checkout", "errors", every, factor=60 * size),
        Effect("checkout", "rate", every, factor=1.3),
        Effect("gateway", "rate", every, factor=1.3),
    )
    return harm("users retry", effects, every)


def pushes_work(every: float, size: float) -> Case:
    """A change at the entrance doubles the calls to a service, which becomes slow."""
    effects = (
        Effect("checkout", "rate", every, factor=2.5),
        Effect("checkout", "latency", 2 * every, factor=1.5 * size),
        Effect("gateway", "latency", 2 * every, factor=1.5 * size),
    )
    return Case("pushes work", Kind.HARMFUL, (Act("a", "gateway"),), effects, {"a": 2 * every})


def lasting_several(every: float, size: float) -> Case:
    """Three agents act on one service and one breaks it for longer than an action is observed."""
    acts = (Act("b", "checkout"), Act("c", "checkout", every), Act("a", "checkout", 2 * every))
    effect = Effect("checkout", "errors", 3 * every, factor=40 * size)
    lasts = 1_300.0 + 20 * every
    guilty = {"a": 3 * every}
    return Case("lasting, several", Kind.HARMFUL, acts, (effect,), guilty, lasts=lasts)


def breaks_again(every: float, size: float) -> Case:
    """One agent breaks a service; when it has recovered, another one breaks it."""
    later = max(240.0, 30 * every)
    return Case(
        "breaks again",
        Kind.HARMFUL,
        (Act("a", "checkout"), Act("b", "checkout", later)),
        (
            Effect("checkout", "errors", every, 8 * every, factor=40 * size),
            Effect("checkout", "errors", later + every, factor=40 * size),
        ),
        {"a": every, "b": later + every},
    )


FOURTH: tuple[Make, ...] = (
    overload, overload_passes, job_by_the_clock, network_fails, gets_worse, flaps,
    deploy_on_the_same, users_retry, pushes_work, lasting_several, breaks_again,
)  # fmt: skip
