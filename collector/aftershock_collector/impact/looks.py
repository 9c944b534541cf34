"""One look: every open action against the series at one moment, and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from aftershock.model import Parts
from aftershock_collector.impact.competition import Shares, compete, net
from aftershock_collector.impact.evidence import NOTHING, Evidence, Moment, Scene
from aftershock_collector.impact.gap import Trouble, troubles
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.relations import Relations, Topology
from aftershock_collector.series import RETENTION_S, SeriesSource

RIVAL_BACK = 2  # points before the first action from which rivals are watched, as E_before is
PUSHED_NATS = 3.0  # demand this unusual (p .05) says that work was pushed onto a callee


class Standing(NamedTuple):
    """How one open action stands in one look, on the target where it stands out most."""

    opened: OpenAction
    target: str
    evidence: Evidence
    parts: Parts
    net: float
    measured: bool  # at least one series of at least one target is known


class Look(NamedTuple):
    """One look: a standing for each candidate, and what they share with "no agent action"."""

    standings: tuple[Standing, ...]
    shares: Shares
    scene: Scene

    def troubles(self, opened: OpenAction) -> list[Trouble]:
        """What was already wrong on the action's targets, their callers and their callees."""
        relations = self.scene.relations
        around: dict[str, None] = {}
        for target in self.scene.keys(opened.targets):
            near = sorted(relations.callers(target) | relations.callees(target))
            around |= dict.fromkeys([target, *near])
        found = self.scene.judge([(e, opened.effect_ns) for e in around], before=True)
        return troubles({e: each for (e, _), each in found.items()}, opened.effect_ns)


def look(
    candidates: Sequence[OpenAction],
    source: SeriesSource,
    topology: Topology,
    acted_ns: Mapping[str, Sequence[int]],
    now_ns: int,
) -> Look:
    """Judge all candidates at once.

    Args:
        candidates: the open actions, at least one.
        source: where series come from.
        topology: caller → callees, as far as it is known.
        acted_ns: entity → effect times of every recorded action, ascending.
        now_ns: the moment; later points are not looked at.
    """
    relations = Relations(topology, source.canonical)
    series = source.window(None, now_ns - int(RETENTION_S * 1e9), now_ns)
    scene = Scene(series, relations, acted_ns, now_ns, source.canonical)
    moments: list[Moment] = [
        (target, opened.effect_ns) for opened in candidates for target in scene.keys(opened.targets)
    ]
    own = scene.judge(moments, before=True)
    below = scene.judge(
        [(callee, at) for target, at in moments for callee in relations.callees(target)],
        before=False,
    )
    rival = _rival(scene, moments, own, below)
    standings = tuple(_stand(opened, scene, own, below, rival) for opened in candidates)
    shares = compete([(s.net, s.opened.action.tier) for s in standings], rival)
    return Look(standings, shares, scene)


def _pushed(moment: Moment, below: Mapping[Moment, Evidence], relations: Relations) -> set[str]:
    """Callees whose demand rose after the action: work flows down, so they explain nothing."""
    target, at = moment
    return {
        callee
        for callee in relations.callees(target)
        if below.get((callee, at), NOTHING).demand >= PUSHED_NATS
    }


def _rival(
    scene: Scene,
    moments: Sequence[Moment],
    own: Mapping[Moment, Evidence],
    below: Mapping[Moment, Evidence],
) -> float:
    """The worst surprise among entities that no candidate acted on, or could have moved."""
    touched: set[str] = set()
    for moment in moments:
        touched.add(moment[0])
        touched |= scene.relations.upstream(moment[0])
        touched |= _pushed(moment, below, scene.relations)
    cadences = [m.cut.cadence_ns for each in own.values() for m in each.movements]
    back_ns = RIVAL_BACK * int(median(cadences)) if cadences else 0
    since_ns = min(at for _, at in moments) - back_ns
    others = [(entity, since_ns) for entity in scene.entities() if entity not in touched]
    return max((each.after for each in scene.judge(others, before=False).values()), default=0.0)


def _stand(
    opened: OpenAction,
    scene: Scene,
    own: Mapping[Moment, Evidence],
    below: Mapping[Moment, Evidence],
    rival: float,
) -> Standing:
    """The target on which the action has most to answer for."""
    standings: list[Standing] = []
    for target in scene.keys(opened.targets):
        moment = (target, opened.effect_ns)
        evidence = own.get(moment, NOTHING)
        pushed = _pushed(moment, below, scene.relations)
        callee = max(
            (
                below.get((c, opened.effect_ns), NOTHING).after
                for c in scene.relations.callees(target) - pushed
            ),
            default=0.0,
        )
        parts = Parts(own=evidence.after, before=evidence.before, callee=callee, rival=rival)
        standings.append(
            Standing(opened, target, evidence, parts, net(parts), scene.measured(target))
        )
    return max(standings, key=lambda s: (s.measured, s.net))
