"""A candidate on one of its targets, as it enters the competition of a round."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from aftershock.grade import POSSIBLE_FROM
from aftershock.model import Parts
from aftershock_collector.impact.competition import Candidate, compete, net, settled
from aftershock_collector.impact.evidence import TROUBLED_NATS, Moment, Scene
from aftershock_collector.impact.onset import Onset, onset_of
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.relations import Relations
from aftershock_collector.impact.shared import Shared, SharedFailures
from aftershock_collector.impact.weighing import (
    ARRIVALS_NATS,
    NOTHING,
    Evidence,
    Movement,
    without,
)
from aftershock_collector.metrics.series import Family

GROWTH_MIN = 1.5  # services have room for half as much work again
_FAILING = (Family.ERRORS, Family.LATENCY)


class Entry:
    """One candidate on one of its targets."""

    __slots__ = ("evidence", "lag_s", "net", "onset", "opened", "shared", "target")

    def __init__(self, opened: OpenAction, target: str, evidence: Evidence) -> None:
        self.opened = opened
        self.target = target
        self.shared: tuple[Shared, ...] = ()  # failures that other entities had at the same moment
        self._weigh(evidence)

    def _weigh(self, evidence: Evidence) -> None:
        opened = self.opened
        self.evidence = evidence
        self.onset = _onset(evidence, opened.effect_ns)
        self.lag_s = self.lag_since(opened.effect_ns)
        parts = Parts(own=evidence.after, before=evidence.before, callee=0.0, alternative=0.0)
        self.net = net(parts, evidence.worse)

    def lag_since(self, at_ns: int) -> float:
        """Seconds from a moment to the onset of the damage; 0 where there is none."""
        return 0.0 if self.onset is None else max(0.0, (self.onset.low_ns - at_ns) / 1e9)

    def may_be_suspected(self, no_agent_log_odds: float) -> bool:
        """True where it would be at least possible, if nothing else explained the damage."""
        alone = compete([self.candidate()], 0.0, no_agent_log_odds)
        return alone.candidates[0] >= POSSIBLE_FROM

    def leave_out(
        self, failures: SharedFailures, scene: Scene, below: Mapping[Moment, Evidence]
    ) -> None:
        """Do not count what other entities, that the action cannot have reached, had as well."""
        effect_ns = self.opened.effect_ns
        reached = {*scene.keys(self.opened.targets)}
        for target in tuple(reached):
            reached |= scene.relations.upstream(target)
            reached |= pushed_by((target, effect_ns), below, scene.relations)
        found = failures.of(self.target, effect_ns, self.evidence, reached)
        if found:
            self.shared = tuple(sorted(found, key=lambda each: -len(each.damaged)))
            self._weigh(without(self.evidence, {each.metric for each in found}))

    def broken_by_itself(self, callees: Mapping[str, Evidence]) -> tuple[str, float] | None:
        """The dependency that explains the damage best, and its evidence in nats.

        It fails or is slow, not later than the target, and no more work reached it than usual: the
        action on its caller may have done that too, in ways that no metric shows, so it competes as
        somebody else's action would. What only uses more or fewer resources explains nothing.

        Args:
            callees: what nobody acted on and no more work reached, with what it did.
        """
        found: list[tuple[float, str]] = []
        several = 0
        for callee, evidence in callees.items():
            failing = failing_in(evidence)
            several += len(failing)
            if failing and self._follows(failing[0]):
                worst = failing[0]
                found.append((settled(worst.after, worst.before, worst.worse), callee))
        nats, callee = max(found, default=(0.0, ""))
        nats -= log(max(1, several))  # with more series one of them moves by chance
        return (callee, nats) if nats >= TROUBLED_NATS else None

    def _follows(self, failing: Movement) -> bool:
        """True where the target's damage cannot have come before a dependency's."""
        onset = onset_in(failing, self.opened.effect_ns)
        if onset is None or self.onset is None:
            return onset is not None
        return onset.low_ns < self.onset.high_ns

    def candidate(self) -> Candidate:
        """As it competes."""
        return Candidate(self.net, self.opened.action.tier, self.lag_s)


def _onset(evidence: Evidence, effect_ns: int) -> Onset | None:
    """When the worst series of an entity left its band."""
    if evidence.largest < TROUBLED_NATS:
        return None
    worst = evidence.movements[0]
    if worst.after < TROUBLED_NATS:
        return None
    return onset_in(worst, effect_ns)


def onset_in(movement: Movement, effect_ns: int) -> Onset | None:
    """When a series left its band; None where it never did."""
    return onset_of(movement.cut.series, effect_ns, movement.median, movement.scale)


def failing_in(evidence: Evidence) -> list[Movement]:
    """What errors and latency of an entity did, worst first."""
    return [each for each in evidence.movements if each.cut.series.family in _FAILING]


def pushed_by(moment: Moment, below: Mapping[Moment, Evidence], relations: Relations) -> set[str]:
    """Callees that more work reached after the action: work flows down, they explain nothing.

    Only arrivals count. Connections in use, queues and latency are symptoms: they rise as well
    where the callee broke by itself.
    """
    target, at = moment
    return {
        callee
        for callee in relations.callees(target)
        if got_more_work(below.get((callee, at), NOTHING), at)
    }


def got_more_work(evidence: Evidence, effect_ns: int) -> bool:
    """True where more work than usual reached an entity, before it failed or was slow, or with it.

    By chance alone arrivals are unusual in one round of twenty, so they must have left their band
    upwards, and not have come back to it before the trouble began.
    """
    failing = failing_in(evidence)
    broke = onset_in(failing[0], effect_ns) if failing else None
    return _arrived(evidence, effect_ns, broke) is not None


def traffic_grew(evidence: Evidence, effect_ns: int, broke: Onset | None) -> bool:
    """True where so much more work reached an entity that it may have been too much.

    A few people who try again after a failure are none of its causes.

    Args:
        evidence: what the entity did.
        effect_ns: since when.
        broke: when the trouble began that it would explain.
    """
    busiest, arrived = evidence.movements.busiest, _arrived(evidence, effect_ns, broke)
    if busiest is None or arrived is None:
        return False
    series = busiest.cut.series
    lasted = series.times_ns >= arrived.began_ns
    if arrived.ended_ns is not None:
        lasted &= series.times_ns <= arrived.ended_ns
    return float(series.values[lasted].max()) >= GROWTH_MIN * busiest.median


def _arrived(evidence: Evidence, effect_ns: int, broke: Onset | None) -> Onset | None:
    """When more work than usual began to reach an entity, not later than trouble began."""
    busiest = evidence.movements.busiest
    if evidence.arrivals < ARRIVALS_NATS or busiest is None:
        return None
    arrived = onset_in(busiest, effect_ns)
    if arrived is None or broke is None:
        return arrived
    stayed = arrived.ended_ns is None or arrived.ended_ns >= broke.low_ns
    return arrived if stayed and arrived.low_ns <= broke.high_ns else None
