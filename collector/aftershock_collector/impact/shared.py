"""Failures that many entities share at one moment: no action on one of them explains those.

A collector that gets no processor time, a network or a zone that fails, or a dependency that
nobody declared damages many entities at once. What an entity shares with others that an action
cannot have reached is no evidence against the action.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf, log
from typing import NamedTuple

from aftershock_collector.impact.competition import EVIDENCE_MAX, LAG_FREE_S
from aftershock_collector.impact.evidence import TROUBLED_NATS, Scene
from aftershock_collector.impact.onset import Onset, onset_of
from aftershock_collector.impact.weighing import Evidence, Movement

ANSWERING = frozenset({"up", "probe_success"})  # whoever calls a broken service still answers these
TOGETHER_SCRAPES = 2  # between the onsets of what happened at once
SHARED_NATS = 6.9  # p .001: so many at once do not come by chance
OTHERS_ANSWERING_MIN = 2  # other targets that stopped answering too; one may be the target's own
OTHERS_MIN = 3  # other entities that were damaged too: damage spreads along calls, declared or not
SERIES_MAX = 8  # of one entity that are compared, worst first
NOT_THIS = "not this action"  # how these explanations end


class Shared(NamedTuple):
    """One failure of many entities."""

    metric: str
    damaged: tuple[str, ...]  # the target among them
    of: int  # entities that have the series
    nats: float  # how surprising it is that so many were damaged at once

    @property
    def words(self) -> str:
        """What happened, and what that says."""
        count = f"{len(self.damaged)} of {self.of}"
        if self.metric in ANSWERING:
            what = "targets stopped answering at once: the collector or the network"
        else:
            what = f"entities got worse in {self.metric} at once: something that they share"
        return f"{count} {what}, {NOT_THIS}"


class _Place(NamedTuple):
    """One series of another entity."""

    entity: str
    nats: float
    onset: Onset | None  # None: not damaged, or no moment at which it began
    cadence_ns: int


class SharedFailures:
    """What entities have in common in one scoring round; compared only when asked for.

    Args:
        scene: of the round.
        entities: every one with series, those that matter most first.
        since_ns: the moment from which all of them are compared.
        known: evidence of some of them since then.
        acted_ns: entity → effect times of the candidates on it.
    """

    def __init__(
        self,
        scene: Scene,
        entities: Callable[[], Sequence[str]],
        since_ns: int,
        known: Mapping[str, Evidence],
        acted_ns: Mapping[str, Sequence[int]],
    ) -> None:
        self._scene = scene
        self._entities = entities
        self._since_ns = since_ns
        self._known = dict(known)
        self._acted_ns = acted_ns
        self._complete = False
        self._places: dict[str, list[_Place]] = {}

    def of(
        self, target: str, effect_ns: int, evidence: Evidence, reached: Collection[str]
    ) -> list[Shared]:
        """What the target shares with entities that the action cannot have reached.

        Args:
            target: what the action worked on.
            effect_ns: when.
            evidence: what the target did since then.
            reached: entities that the action works on, or that feel it.
        """
        found: list[Shared] = []
        for movement in evidence.movements[:SERIES_MAX]:
            if movement.after < TROUBLED_NATS:
                break
            shared = self._shared(target, effect_ns, movement, reached)
            if shared is not None:
                found.append(shared)
        return found

    def _shared(
        self, target: str, effect_ns: int, movement: Movement, reached: Collection[str]
    ) -> Shared | None:
        own = _sharp_onset(movement, effect_ns)
        if own is None:
            return None
        metric, cadence_ns = movement.cut.series.metric, movement.cut.cadence_ns
        answering = metric in ANSWERING
        relations = self._scene.relations
        if not answering:  # what a broken caller sends may break what it calls
            reached = {*reached, *relations.callees(target)}
        others = [place for place in self._showing(metric) if place.entity != target]
        together = [place for place in others if _at_once(own, cadence_ns, place)]
        apart = [
            place for place in together if place.entity not in reached and not self._acted_on(place)
        ]
        if answering:
            many = len(together) >= OTHERS_ANSWERING_MIN
        else:
            related = bool(relations.callees(target) or relations.callers(target))
            most = 2 * len(together) >= len(others)
            many = len(apart) >= OTHERS_MIN and (related or most)
        if not many or not apart:
            return None
        comparable = sum(place.entity not in reached for place in others)
        nats = surprise([place.nats for place in apart], comparable)
        if nats < SHARED_NATS:
            return None
        damaged = (target, *(place.entity for place in together))
        return Shared(metric, damaged, len(others) + 1, nats)

    def _showing(self, metric: str) -> list[_Place]:
        """Every entity that has this series, and how it moved."""
        known = self._places.get(metric)
        if known is not None:
            return known
        if not self._complete:
            missing = [entity for entity in self._entities() if entity not in self._known]
            judged = self._scene.judge([(entity, self._since_ns) for entity in missing])
            self._known |= {entity: evidence for (entity, _), evidence in judged.items()}
            self._complete = True
        made = self._places[metric] = []
        for entity, evidence in self._known.items():
            if (movement := evidence.movements.of(metric)) is not None:
                onset = _sharp_onset(movement, self._since_ns)
                nats = min(movement.after, EVIDENCE_MAX)
                made.append(_Place(entity, nats, onset, movement.cut.cadence_ns))
        return made

    def _acted_on(self, place: _Place) -> bool:
        """True where another candidate acted on it, or on what it depends on, just before."""
        if place.onset is None:
            return False
        near = (place.entity, *self._scene.relations.downstream(place.entity))
        within_ns = max(int(LAG_FREE_S * 1e9), TOGETHER_SCRAPES * place.cadence_ns)
        return any(
            0 <= place.onset.high_ns - acted_ns <= within_ns
            for entity in near
            for acted_ns in self._acted_ns.get(entity, ())
        )


def surprise(nats: Sequence[float], count: int) -> float:
    """Nats: how surprising it is that so many of `count` independent series moved as they did.

    Of the largest j, each has at most the p-value exp(-nats) of the j-th, so count * exp(-nats) are
    expected by chance. Chernoff's bound of the Poisson tail is j * (nats - ln(count / j) - 1) for
    each j; the largest counts.
    """
    found = -inf
    for place, each in enumerate(sorted(nats, reverse=True), start=1):
        found = max(found, place * (each - log(max(count, place) / place) - 1.0))
    return found


def _sharp_onset(movement: Movement, since_ns: int) -> Onset | None:
    """When a damaged series left its band; None where there is no such moment."""
    if movement.after < TROUBLED_NATS:
        return None
    onset = onset_of(movement.cut.series, since_ns, movement.median, movement.scale)
    sharp = onset is not None and onset.is_sharp(movement.cut.cadence_ns)
    return onset if sharp else None


def _at_once(own: Onset, cadence_ns: int, place: _Place) -> bool:
    """True where both began within two scrapes."""
    if place.onset is None:
        return False
    slack_ns = TOGETHER_SCRAPES * max(cadence_ns, place.cadence_ns)
    begins, ends = place.onset.low_ns - slack_ns, place.onset.high_ns + slack_ns
    return begins <= own.high_ns and own.low_ns <= ends
