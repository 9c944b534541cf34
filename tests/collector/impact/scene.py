"""A small system whose series and actions are made up, seeded, for tests of the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from aftershock.model import Action, Fact, Fingerprint, Impact, Outcome, Step, StepKind, Tier
from aftershock_collector.impact import ActionObserver
from aftershock_collector.impact.open_actions import ObserverState
from aftershock_collector.metrics.series import Family, SeriesStore
from aftershock_collector.store.serialization import from_text, to_text

S = 1_000_000_000
T0 = 1_790_000_000 * S
SHOP = ("service/gateway", "service/checkout", "db/orders", "service/catalog")
TOPOLOGY = {
    "service/gateway": ["service/checkout", "service/catalog"],
    "service/checkout": ["db/orders"],
}

# metric → (family, unit, usual value, spread)
METRICS: dict[str, tuple[Family, str, float, float]] = {
    "duration p99": (Family.LATENCY, "s", 0.2, 0.02),
    "errors": (Family.ERRORS, "1", 0.002, 0.001),
    "cpu": (Family.RESOURCES, "1", 0.4, 0.04),
    "rate": (Family.TRAFFIC, "{request}/s", 50.0, 3.0),
}

Factor = Callable[[str, str, float], float | None]  # entity, metric, seconds → times usual


def at(seconds: float) -> int:
    return T0 + round(seconds * S)


def step(
    span: str,
    began: float,
    *targets: str,
    ended: float | None = -1.0,
    tier: Tier = Tier.WRITE,
    run: str = "run-1",
) -> Step:
    """An action; it ends at once unless told otherwise (None: it has not ended)."""
    finished = None if ended is None else at(began if ended < 0 else ended)
    action = Action(
        tool=f"change_{span}",
        arguments=Fingerprint(digest=span),
        result=None,
        outcome=None,
        tier=tier,
        targets=targets,
    )
    return Step(
        run_id=run,
        span_id=span,
        trace_id="t" * 32,
        kind=StepKind.TOOL_CALL,
        name=action.tool,
        began_at_ns=at(began),
        ended_at_ns=finished,
        agent="sre-bot",
        action=action,
    )


def fact(subject: str, seconds: float, outcome: Outcome = Outcome.OK) -> Fact:
    return Fact("metrics", subject, "dashboard", at(seconds), outcome, "read")


def usual(_entity: str, _metric: str, _seconds: float) -> float | None:
    return 1.0


def broken(
    entities: Iterable[str],
    since: float,
    until: float = 1e9,
    *,
    times: float = 5.0,
    metrics: Iterable[str] = ("duration p99", "errors"),
) -> Factor:
    """Some metrics of some entities are so many times their usual value for a while."""
    hit, which = set(entities), set(metrics)

    def factor(entity: str, metric: str, seconds: float) -> float | None:
        return times if entity in hit and metric in which and since <= seconds < until else 1.0

    return factor


def both(*factors: Factor) -> Factor:
    """Several things at once; None (no point) wins."""

    def factor(entity: str, metric: str, seconds: float) -> float | None:
        product = 1.0
        for each in factors:
            value = each(entity, metric, seconds)
            if value is None:
                return None
            product *= value
        return product

    return factor


@dataclass(slots=True)
class Scene:
    """Series that arrive point by point, and a watch that looks after each of them."""

    factor: Factor = usual
    cadence_s: float = 60.0
    seed: int = 7
    entities: tuple[str, ...] = SHOP
    topology: dict[str, list[str]] = field(default_factory=lambda: dict(TOPOLOGY))
    observer: ActionObserver = field(default_factory=ActionObserver)
    store: SeriesStore = field(default_factory=SeriesStore)
    impacts: dict[str, Impact] = field(default_factory=dict[str, Impact])
    reported: list[Impact] = field(default_factory=list[Impact])
    jitter_s: float = 0.0
    batch: int = 1  # scrapes that arrive together, as one answer to a query

    def play(
        self,
        until_s: float,
        steps: Iterable[Step] = (),
        facts: Iterable[Fact] = (),
        *,
        since_s: float = 0.0,
    ) -> dict[str, Impact]:
        """Let time pass; returns the newest attribution of each action, by span id."""
        random = np.random.default_rng(self.seed)
        waiting = sorted(steps, key=lambda each: each.began_at_ns)
        known = tuple(facts)
        seconds = since_s
        scrapes = 0
        while seconds <= until_s:
            now = seconds + float(random.uniform(0, self.jitter_s))
            for entity in self.entities:
                for metric, (family, unit, value, spread) in METRICS.items():
                    drawn = max(0.0, value + spread * float(random.standard_normal()))
                    factor = self.factor(entity, metric, now)
                    if factor is not None:
                        self.store.append(entity, metric, family, unit, at(now), drawn * factor)
            while waiting and waiting[0].began_at_ns <= at(now):
                self.observer.open(waiting.pop(0), known)
            scrapes += 1
            if scrapes % self.batch == 0:
                self.score(now + self.cadence_s / 4)
            seconds += self.cadence_s
        return self.impacts

    def restart(self, seconds: float) -> None:
        """The collector is killed and started again; what it kept goes through its text."""
        kept = self.observer.snapshot(self.store, self.topology, at(seconds))
        self.observer, self.store, self.reported = ActionObserver(), SeriesStore(), []
        self.observer.restore(from_text(ObserverState, to_text(kept)), self.store)

    def score(self, seconds: float) -> list[Impact]:
        """One tick."""
        found = self.observer.score(at(seconds), self.store, self.topology)
        for impact in found:
            self.impacts[impact.span_id] = impact
        self.reported += found
        return found
