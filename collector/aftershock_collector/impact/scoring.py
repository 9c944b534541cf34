"""One look: every open action against the series at one moment, and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from aftershock.model import Change, Parts, Tier
from aftershock_collector.impact.competition import NO_AGENT, Shares, compete, net
from aftershock_collector.impact.events import Events
from aftershock_collector.impact.evidence import NOTHING, Evidence, Moment, Scene
from aftershock_collector.impact.gap import Trouble, troubles
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.relations import Relations, Topology
from aftershock_collector.metrics.series import RETENTION_S, SeriesSource

RIVAL_BACK = 2  # points before the first action from which rivals are watched, as E_before is
OTHERS_BACK_NS = 600 * 10**9  # what others did this long before an action may explain what follows
PUSHED_NATS = 3.0  # demand this unusual (p .05) says that work was pushed onto a callee


class Standing(NamedTuple):
    """How one open action stands in one look, on the target where it stands out most."""

    opened: OpenAction
    target: str
    evidence: Evidence
    parts: Parts
    net: float
    measured: bool  # a series of at least one target is known, or trouble was heard of


class ScoringRound(NamedTuple):
    """One look: a standing for each candidate, and what they share with "no agent action"."""

    standings: tuple[Standing, ...]
    shares: Shares
    scene: Scene
    others: tuple[tuple[Change, float], ...] = ()  # what no agent did to the targets, with shares

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
    *,
    events: Events,
    nobody: float = NO_AGENT,
) -> ScoringRound:
    """Judge all candidates at once.

    Args:
        candidates: the open actions, at least one.
        source: where series come from.
        topology: caller → callees, as far as it is known.
        acted_ns: entity → effect times of every recorded action, ascending.
        now_ns: the moment; later points are not looked at.
        events: alerts, warnings, deploys and flags.
        nobody: log-odds of "no agent action" before any evidence.
    """
    relations = Relations(topology, source.canonical)
    series = source.window(None, now_ns - int(RETENTION_S * 1e9), now_ns)
    around = events.around(source.canonical, now_ns)
    scene = Scene(series, relations, acted_ns, now_ns, source.canonical, around)
    moments: list[Moment] = [
        (target, opened.effect_ns) for opened in candidates for target in scene.keys(opened.targets)
    ]
    grown = {
        (target, opened.effect_ns)
        for opened in candidates
        if opened.action.tier is Tier.PROVISION
        for target in scene.keys(opened.targets)
    }
    own = scene.judge(moments, before=True, grown=grown)
    below = scene.judge(
        [(callee, at) for target, at in moments for callee in relations.callees(target)]
    )
    alternative = _alternative(scene, moments, own, below)
    standings = tuple(_stand(opened, scene, own, below, alternative) for opened in candidates)
    others = _others(scene, moments)
    entered = [(s.net, s.opened.action.tier) for s in standings]
    entered += [(weight, Tier.WRITE) for _, weight in others]
    shares = compete(entered, alternative, nobody)
    agents, outside = shares.candidates[: len(standings)], shares.candidates[len(standings) :]
    shown = tuple((change, share) for (change, _), share in zip(others, outside, strict=True))
    return ScoringRound(standings, Shares(agents, shares.nobody), scene, shown)


def _others(scene: Scene, moments: Sequence[Moment]) -> list[tuple[Change, float]]:
    """Deploys and flags on the targets and what they call, each with its own net evidence.

    They compete as an agent's action would: what moved after both cannot be told apart.
    """
    near: dict[str, None] = {}
    for target, _ in moments:
        near |= dict.fromkeys([target, *sorted(scene.relations.callees(target))])
    since_ns = min(at for _, at in moments) - OTHERS_BACK_NS
    places = {c.id: (e, c) for e in near for c in scene.around.causes([e], since_ns)}
    # What an agent did itself and was told of as well (its deploy came with its trace) is no rival.
    places = {i: place for i, place in places.items() if place[1].span_id is None}
    judged = scene.judge([(e, c.began_at_ns) for e, c in places.values()], before=True)
    found: list[tuple[Change, float]] = []
    for entity, change in places.values():
        evidence = judged.get((entity, change.began_at_ns), NOTHING)
        parts = Parts(own=evidence.after, before=evidence.before, callee=0.0, alternative=0.0)
        found.append((change, net(parts)))
    return found


def _pushed(moment: Moment, below: Mapping[Moment, Evidence], relations: Relations) -> set[str]:
    """Callees whose demand rose after the action: work flows down, so they explain nothing."""
    target, at = moment
    return {
        callee
        for callee in relations.callees(target)
        if below.get((callee, at), NOTHING).demand >= PUSHED_NATS
    }


def _alternative(
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
    return max((each.after for each in scene.judge(others, brief=True).values()), default=0.0)


def _stand(
    opened: OpenAction,
    scene: Scene,
    own: Mapping[Moment, Evidence],
    below: Mapping[Moment, Evidence],
    alternative: float,
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
        parts = Parts(
            own=evidence.after, before=evidence.before, callee=callee, alternative=alternative
        )
        seen = scene.measured(target) or evidence.heard is not None
        standings.append(Standing(opened, target, evidence, parts, net(parts), seen))
    return max(standings, key=lambda s: (s.measured, s.net))
