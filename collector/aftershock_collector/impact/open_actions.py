"""What is kept of one action during its observation window, and how it survives a restart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aftershock.model import Action, Fact, Impact, Step
from aftershock.runs.size import facts_size, size_of
from aftershock_collector.impact.gap import Trouble
from aftershock_collector.impact.sequential import Held
from aftershock_collector.metrics.call_graph import SeenCall
from aftershock_collector.metrics.series import Family


@dataclass(slots=True, eq=False)
class OpenAction:
    """One action whose effect is being observed."""

    step: Step
    action: Action
    facts: tuple[Fact, ...]
    targets: tuple[str, ...]  # entity keys as the agent's side gave them
    skew_ns: int
    effect_ns: int  # on the clock of the series
    until_ns: int
    next_ns: int  # no scoring round before this
    newest_ns: int = 0  # newest point of a target that a round has used
    attended: bool = False  # it was open while its window had not passed
    rounds: int = 0
    met_ns: int | None = None  # the first time that a round was due
    asked: bool = False  # trouble was received: score at the next tick
    troubles: list[Trouble] | None = None  # None: not searched yet
    held: Held = field(default_factory=Held)
    together: Held = field(default_factory=Held)  # likewise of all agents' actions
    best: Impact | None = None  # as it is shown
    reported: Impact | None = None
    following: bool = False  # the window is over; only recovery is still of interest

    @property
    def size_bytes(self) -> int:
        """Bytes in memory, estimated."""
        return size_of(self.step) + facts_size(self.facts)

    def reaches(self, entity: str, logged: Iterable[str]) -> None:
        """The log of an entity shows what the action did there, and what else it shows."""
        if entity not in self.targets:
            self.targets, self.troubles = (*self.targets, entity), None
        known = dict.fromkeys((*self.action.logged, *logged))
        self.action = replace(self.action, logged=tuple(known))


@dataclass(frozen=True, slots=True)
class ObservedAction:
    """An open action as plain values, for the store."""

    step: Step
    facts: tuple[Fact, ...]
    targets: tuple[str, ...]
    skew_ns: int
    effect_ns: int
    until_ns: int
    next_ns: int
    newest_ns: int
    rounds: int
    held: Held
    best: Impact | None
    following: bool
    together: Held = field(default_factory=Held)


@dataclass(frozen=True, slots=True)
class KeptSeries:
    """Points of one series that open actions are judged by."""

    entity: str
    metric: str
    family: Family
    unit: str
    times_ns: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ActedOn:
    """Effect times of recorded actions on one entity, ascending."""

    entity: str
    effect_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TroubleSpan:
    """A stretch in which an entity was in trouble: not part of how it usually moves."""

    entity: str
    began_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class ObserverState:
    """Everything that an observer needs to go on after a restart. Bounded; plain values only."""

    actions: tuple[ObservedAction, ...] = ()
    acted: tuple[ActedOn, ...] = ()
    troubles: tuple[TroubleSpan, ...] = ()
    series: tuple[KeptSeries, ...] = ()
    calls: tuple[SeenCall, ...] = ()  # who calls whom, as far as it was learnt


def observed(opened: OpenAction) -> ObservedAction:
    """An open action as plain values."""
    return ObservedAction(
        opened.step, opened.facts, opened.targets, opened.skew_ns, opened.effect_ns,
        opened.until_ns, opened.next_ns, opened.newest_ns, opened.rounds, opened.held,
        opened.best, opened.following, opened.together,
    )  # fmt: skip


def reopened(kept: ObservedAction) -> OpenAction | None:
    """The open action that `observed` wrote; None where the step is no action."""
    if kept.step.action is None:
        return None
    return OpenAction(
        kept.step, kept.step.action, kept.facts, kept.targets, kept.skew_ns, kept.effect_ns,
        kept.until_ns, kept.next_ns, kept.newest_ns, attended=True, rounds=kept.rounds,
        held=kept.held, together=kept.together, best=kept.best, reported=kept.best,
        following=kept.following,
    )  # fmt: skip
