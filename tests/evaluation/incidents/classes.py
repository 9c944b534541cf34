"""Classes of simulated incidents, each with what a person would want, and by when.

`FIRST` could be looked at while the method was made; `SECOND` was written when it was done, and
`THIRD` when its probabilities had been changed once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from aftershock.model import Tier
from tests.evaluation.incidents.world import SERVICES, Effect, Service

HISTORY_SCRAPES = 70  # before the first action


class Kind(StrEnum):
    """What the agent's actions were."""

    HARMFUL = "harmful"
    HARMLESS = "harmless"
    HELPING = "helping"
    REACTING = "reacting"
    COINCIDENT = "coincident"
    OTHERS = "by others"


@dataclass(frozen=True, slots=True)
class Act:
    """One action; `after` in seconds from the end of the history."""

    span: str
    service: str
    after: float = 0.0
    tool: str = "update_config"
    tier: Tier = Tier.WRITE


@dataclass(frozen=True, slots=True)
class Case:
    """One incident. Times of effects are seconds from the end of the history."""

    name: str
    kind: Kind
    acts: tuple[Act, ...]
    effects: tuple[Effect, ...]
    guilty: dict[str, float] = field(default_factory=dict[str, float])  # span → onset
    helping: frozenset[str] = frozenset()
    services: tuple[Service, ...] = ()  # those with parameters of their own
    deploys: tuple[tuple[str, float], ...] = ()  # (service, at) by people or CI
    lasts: float = 0.0  # seconds played after the last action; 0: 12 scrapes beyond the damage

    def shop(self) -> list[Service]:
        """The services with this case's parameters."""
        own = {each.name: each for each in self.services}
        return [own.get(name, Service(name)) for name in SERVICES]


Make = Callable[[float, float], Case]  # (scrape interval in seconds, magnitude)


def harm(name: str, effects: tuple[Effect, ...], onset: float, **acted: object) -> Case:
    act = Act("a", "checkout", **acted)  # type: ignore[arg-type]
    return Case(name, Kind.HARMFUL, (act,), effects, {"a": onset})


def latency_step(every: float, size: float) -> Case:
    """Latency rises at once and stays."""
    return harm("latency step", (Effect("checkout", "latency", every, factor=size),), every)


def error_step(every: float, size: float) -> Case:
    """A share of the requests fails."""
    effect = Effect("checkout", "errors", every, factor=40.0 * size)
    return harm("error step", (effect,), every)


def lag_of(lag: float) -> Make:
    """Damage that comes later."""

    def make(every: float, size: float) -> Case:
        onset = max(lag, 2 * every)
        effect = Effect("checkout", "errors", onset, factor=40.0 * size)
        return harm(f"lag {lag:.0f} s", (effect,), onset)

    return make


def two_culprits(every: float, size: float) -> Case:
    """Two agents break two unrelated services at once."""
    return Case(
        "two culprits",
        Kind.HARMFUL,
        (Act("a", "orders"), Act("b", "catalog", every / 2)),
        (
            Effect("orders", "latency", every, factor=2 * size),
            Effect("checkout", "latency", every, factor=1.5 * size),
            Effect("catalog", "errors", 2 * every, factor=40 * size),
        ),
        {"a": every, "b": 2 * every},
    )


def through_dependency(every: float, size: float) -> Case:
    """An action on a dependency breaks its caller too."""
    return Case(
        "through a dependency",
        Kind.HARMFUL,
        (Act("a", "orders"),),
        (
            Effect("orders", "latency", every, factor=2 * size),
            Effect("checkout", "latency", every, factor=2 * size),
        ),
        {"a": every},
    )


def quiet(_every: float, _size: float) -> Case:
    """A write that does nothing."""
    return Case("quiet write", Kind.HARMLESS, (Act("a", "checkout"), Act("b", "catalog", 3.0)), ())


def blip(every: float, size: float) -> Case:
    """Six seconds of latency."""
    effect = Effect("checkout", "latency", every, every + 6.0, factor=2 * size)
    return Case("blip of 6 s", Kind.HARMLESS, (Act("a", "checkout"),), (effect,))


def cold_start(every: float, size: float) -> Case:
    """A release that is slow for half a minute."""
    effect = Effect("checkout", "latency", 1.0, 45.0, factor=2 * size, shape="decay")
    act = Act("a", "checkout", tool="deploy_release")
    return Case("cold start", Kind.HARMLESS, (act,), (effect,))


def restart_helps(every: float, size: float) -> Case:
    """Errors for many scrapes, ended by a restart."""
    effect = Effect("checkout", "errors", -15 * every, 2 * every, factor=40 * size)
    act = Act("a", "checkout", tool="restart_pod")
    return Case("a restart helps", Kind.HELPING, (act,), (effect,), helping=frozenset("a"))


def only_reacts(every: float, size: float) -> Case:
    """The action comes after the damage and changes nothing."""
    effect = Effect("checkout", "latency", -4 * every, factor=2 * size)
    return Case("only reacts", Kind.REACTING, (Act("a", "checkout"),), (effect,))


def breaks_elsewhere(every: float, size: float) -> Case:
    """A service breaks that no agent touched."""
    effect = Effect("catalog", "errors", 2 * every, factor=40 * size)
    return Case("breaks elsewhere", Kind.COINCIDENT, (Act("a", "checkout"),), (effect,))


def leak(every: float, size: float) -> Case:
    """Memory and latency that grow for long."""
    until = 30 * every
    effects = (
        Effect("checkout", "memory", every, until, factor=size, shape="ramp"),
        Effect("checkout", "memory", until, factor=size),
        Effect("checkout", "latency", 10 * every, until, factor=2 * size, shape="ramp"),
        Effect("checkout", "latency", until, factor=2 * size),
    )
    case = harm("leak", effects, 6 * every)
    return Case(case.name, case.kind, case.acts, effects, case.guilty, lasts=40 * every)


def goes_down(every: float, _size: float) -> Case:
    """The service does not answer any more."""
    return harm("goes down", (Effect("checkout", "down", every, factor=2.0),), every)


def traffic_vanishes(every: float, _size: float) -> Case:
    """Nothing reaches the service any more."""
    return harm("traffic vanishes", (Effect("checkout", "rate", every, factor=0.0),), every)


def born_errors(every: float, size: float) -> Case:
    """A counter of errors that did not exist before."""
    effect = Effect("checkout", "panics", every, factor=1.0 + size)
    return harm("errors born with the fault", (effect,), every)


def several_on_one(every: float, size: float) -> Case:
    """Three agents act on one service; one of them breaks it."""
    acts = (Act("b", "checkout"), Act("c", "checkout", every), Act("a", "checkout", 2 * every))
    effect = Effect("checkout", "errors", 3 * every, factor=40 * size)
    return Case("several on one target", Kind.HARMFUL, acts, (effect,), {"a": 3 * every})


def heavy_tail(_every: float, _size: float) -> Case:
    """A service whose p99 always jumps."""
    own = (Service("checkout", spread=1.3, rate=5.0),)
    return Case("heavy tail", Kind.HARMLESS, (Act("a", "checkout"),), (), services=own)


def daily(_every: float, _size: float) -> Case:
    """A slow wave in rate and latency."""
    own = (Service("checkout", daily=0.5),)
    return Case("daily shape", Kind.HARMLESS, (Act("a", "checkout"),), (), services=own)


def few_calls(_every: float, _size: float) -> Case:
    """A call every few seconds, sometimes one that fails."""
    own = (Service("checkout", rate=0.3, errors=0.05, spread=1.0),)
    return Case("few calls", Kind.HARMLESS, (Act("a", "checkout"),), (), services=own)


def scaling_helps(every: float, size: float) -> Case:
    """Latency for many scrapes, ended by scaling."""
    effect = Effect("checkout", "latency", -20 * every, 3 * every, factor=2 * size)
    act = Act("a", "checkout", tool="scale_deployment", tier=Tier.PROVISION)
    return Case("scaling helps", Kind.HELPING, (act,), (effect,), helping=frozenset("a"))


def dependency_breaks(every: float, size: float) -> Case:
    """What the target depends on breaks by itself."""
    effects = (
        Effect("orders", "latency", 2 * every, factor=3 * size),
        Effect("checkout", "latency", 2 * every, factor=1.5 * size),
    )
    return Case("dependency breaks", Kind.COINCIDENT, (Act("a", "checkout"),), effects)


def deploy_by_ci(every: float, size: float) -> Case:
    """A deploy by others on the same service, just before the damage."""
    effect = Effect("checkout", "errors", 3 * every, factor=40 * size)
    act = Act("a", "catalog")
    deploys = (("checkout", 2.5 * every),)
    return Case("deploy by CI", Kind.OTHERS, (act,), (effect,), deploys=deploys)


def cpu_spins(every: float, size: float) -> Case:
    """A busy loop: much CPU and a little latency."""
    effects = (
        Effect("checkout", "cpu", every, factor=2 * size),
        Effect("checkout", "latency", 2 * every, factor=1.3),
    )
    return harm("CPU spins", effects, every)


def memory_jumps(every: float, size: float) -> Case:
    """A cache without a bound."""
    return harm("memory jumps", (Effect("checkout", "memory", every, factor=size),), every)


def intermittent(every: float, size: float) -> Case:
    """Errors in two scrapes of three."""
    effects = tuple(
        Effect("checkout", "errors", n * every, (n + 2) * every, factor=40 * size)
        for n in range(1, 16, 3)
    )
    return harm("intermittent errors", effects, every)


def one_after_another(every: float, size: float) -> Case:
    """One agent breaks a service for six scrapes; four minutes later another breaks its caller."""
    later = max(240.0, 12 * every)
    return Case(
        "one after another",
        Kind.HARMFUL,
        (Act("a", "orders"), Act("b", "gateway", later)),
        (
            Effect("orders", "errors", every, 7 * every, factor=40 * size),
            Effect("gateway", "latency", later + every, factor=2 * size),
        ),
        {"a": every, "b": later + every},
    )


def more_users(every: float, _size: float) -> Case:
    """Twice the traffic, with the CPU time that it needs, after a write that did nothing."""
    effect = Effect("checkout", "rate", 2 * every, factor=2.0)
    return Case("more users", Kind.COINCIDENT, (Act("a", "checkout"),), (effect,))


def was_slow_before(every: float, size: float) -> Case:
    """A dependency that was slow before the action, and its caller with it."""
    effects = (
        Effect("orders", "latency", -3 * every, factor=3 * size),
        Effect("checkout", "latency", -3 * every, factor=1.5 * size),
    )
    return Case("was slow before", Kind.REACTING, (Act("a", "checkout"),), effects)


FIRST: tuple[Make, ...] = (
    latency_step, error_step, lag_of(20), lag_of(120), two_culprits, through_dependency,
    quiet, blip, cold_start, restart_helps, only_reacts, breaks_elsewhere,
)  # fmt: skip
SECOND: tuple[Make, ...] = (
    leak, goes_down, traffic_vanishes, born_errors, several_on_one, lag_of(60), lag_of(600),
    heavy_tail, daily, few_calls, scaling_helps, dependency_breaks, deploy_by_ci,
)  # fmt: skip
THIRD: tuple[Make, ...] = (
    cpu_spins, memory_jumps, intermittent, one_after_another, more_users, was_slow_before,
)  # fmt: skip
INTERVALS_S = (1.0, 5.0, 15.0, 60.0)
MAGNITUDES = (1.5, 3.0)


def cases(makes: tuple[Make, ...]) -> Iterator[tuple[float, int, Case]]:
    """(scrape interval, seed, case): every class at every interval, magnitudes in turn."""
    for number, make in enumerate(makes):
        for turn, every in enumerate(INTERVALS_S):
            size = MAGNITUDES[(number + turn) % len(MAGNITUDES)]
            yield every, 1_000 * number + turn, make(every, size)
