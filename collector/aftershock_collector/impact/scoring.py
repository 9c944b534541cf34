"""One scoring round: every open action against the series at one moment, and against each other.

Actions compete for the damage of one entity: those that acted on it, on what it depends on, or on
what sent it more work. Damage of unrelated entities is another incident, with its own competition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp
from statistics import median
from typing import NamedTuple

from aftershock.model import Change, Parts, Tier
from aftershock_collector.impact.competition import (
    EVIDENCE_MAX,
    NO_AGENT_LOG_ODDS,
    Candidate,
    against,
    compete,
    explained_by,
    net,
)
from aftershock_collector.impact.entries import Entry, pushed_by
from aftershock_collector.impact.events import Events
from aftershock_collector.impact.evidence import Moment, Scene
from aftershock_collector.impact.gap import Trouble, troubles
from aftershock_collector.impact.onset import Onset
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.reasons import own_reasons
from aftershock_collector.impact.references import References, Span
from aftershock_collector.impact.relations import Relations, Topology
from aftershock_collector.impact.shared import ANSWERING, Shared, SharedFailures
from aftershock_collector.impact.weighing import ARRIVALS_NATS, NOTHING, Evidence
from aftershock_collector.metrics.series import RETENTION_S, Series, SeriesSource

ALTERNATIVE_BACK = 2  # points before the first action from which untouched entities are scored
OTHERS_BACK_NS = 600 * 10**9  # what others did this long before an action may explain what follows
DAMAGED_NATS = 4.6  # p .01: an entity that moved this far may explain its callers' trouble
DEPENDENCY = "dependency"
HOST = "host/"  # how keys of hosts begin
SCANNED_ENTITIES_MAX = 400  # untouched entities scored in a round: nearest by topology first


class Standing(NamedTuple):
    """How one open action stands in one round, on the target where it stands out most."""

    opened: OpenAction
    target: str
    evidence: Evidence
    parts: Parts
    net: float  # nats
    measured: bool  # a series of at least one target is known, or trouble was received
    onset: Onset | None = None
    probability: float = 0.0
    no_agent: float = 1.0  # probability that no agent's action damaged the target
    shares: tuple[tuple[OpenAction, float], ...] = ()  # of the other candidates for this target
    outside: tuple[tuple[Change, float], ...] = ()  # of what others did to the target
    source: tuple[str, float] | None = None  # an untouched entity in trouble, and its share
    shared: Shared | None = None  # what the target has in common with others; not counted
    reasons: tuple[tuple[str, float], ...] = ()  # of what the target itself went through, in words


class ScoringRound(NamedTuple):
    """One standing for each candidate."""

    standings: tuple[Standing, ...]
    scene: Scene

    def troubles(self, actions: Iterable[OpenAction]) -> list[tuple[OpenAction, list[Trouble]]]:
        """What was already wrong on each action's targets, their callers and their callees."""
        places = [(opened, self._around(opened)) for opened in actions]
        moments = [(entity, opened.effect_ns) for opened, near in places for entity in near]
        found = self.scene.judge(moments, before=True)
        return [
            (
                opened,
                troubles(
                    {
                        entity: found[entity, opened.effect_ns]
                        for entity in near
                        if (entity, opened.effect_ns) in found
                    },
                    opened.effect_ns,
                ),
            )
            for opened, near in places
        ]

    def _around(self, opened: OpenAction) -> dict[str, None]:
        relations = self.scene.relations
        around: dict[str, None] = {}
        for target in self.scene.keys(opened.targets):
            near = sorted(relations.callers(target) | relations.callees(target))
            around |= dict.fromkeys([target, *near])
        return around


class Surroundings(NamedTuple):
    """What a round needs beside the candidates."""

    source: SeriesSource
    topology: Topology
    acted_ns: Mapping[str, Sequence[int]]  # entity → effect times of recorded actions, ascending
    events: Events
    references: References
    troubles: Mapping[str, Sequence[Span]]  # entity → stretches that are not "usual"
    explained: frozenset[str] = frozenset()  # entities whose damage has its attribution already
    no_agent_log_odds: float = NO_AGENT_LOG_ODDS


def score(candidates: Sequence[OpenAction], around: Surroundings, now_ns: int) -> ScoringRound:
    """Judge all candidates at one moment; later points are not used.

    Args:
        candidates: the open actions, at least one.
        around: series, topology, events and what was kept of earlier rounds.
        now_ns: the moment.
    """
    scene = _scene(around, now_ns)
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
        [(callee, at) for target, at in moments for callee in scene.relations.callees(target)]
    )
    untouched, shared = _untouched(scene, moments, own, below, around)
    entries = [
        Entry(opened, target, own.get((target, opened.effect_ns), NOTHING))
        for opened in candidates
        for target in scene.keys(opened.targets)
    ]
    for entry in entries:
        if entry.may_be_suspected(around.no_agent_log_odds):
            entry.leave_out(shared, scene, below)
    by_target: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: -each.net):
        by_target.setdefault(entry.target, []).append(entry)
    standings: dict[str, Standing] = {}
    for entry in entries:
        standing = _stand(entry, by_target, scene, below, untouched, around)
        known = standings.get(entry.opened.step.span_id)
        if known is None or _rank(standing) > _rank(known):
            standings[entry.opened.step.span_id] = standing
    return ScoringRound(tuple(standings[o.step.span_id] for o in candidates), scene)


def _rank(standing: Standing) -> tuple[bool, float, float]:
    return standing.measured, standing.probability, standing.net


def _scene(around: Surroundings, now_ns: int) -> Scene:
    source, start_ns = around.source, now_ns - int(RETENTION_S * 1e9)

    def fetch(entities: Iterable[str] | None) -> Sequence[Series]:
        return source.window(entities, start_ns, now_ns)

    return Scene(
        fetch,
        Relations(around.topology, source.canonical),
        around.acted_ns,
        now_ns,
        source.canonical,
        around.events.around(source.canonical, now_ns),
        around.references,
        around.troubles,
    )


def _stand(  # noqa: PLR0917
    entry: Entry,
    by_target: Mapping[str, Sequence[Entry]],
    scene: Scene,
    below: Mapping[Moment, Evidence],
    untouched: Mapping[str, float],
    around: Surroundings,
) -> Standing:
    """One candidate on one target, against everything that may explain the same damage."""
    target, evidence = entry.target, entry.evidence
    competing, elsewhere = _competing(entry, by_target, scene)
    pushed = pushed_by((target, entry.opened.effect_ns), below, scene.relations)
    callees = scene.relations.callees(target) - pushed
    callee = max(
        (below.get((c, entry.opened.effect_ns), NOTHING).after for c in callees), default=0.0
    )
    source = _source(entry, untouched, pushed)
    alternative = 0.0 if source is None else source[1]
    parts = Parts(
        own=evidence.after, before=evidence.before, callee=callee, alternative=alternative
    )
    others = _others(target, scene, entry)
    broken = entry.broken_by_itself(
        {c: below.get((c, entry.opened.effect_ns), NOTHING) for c in untouched.keys() & callees}
    )
    left = entry.net if broken else net(parts, evidence.worse)
    entered = [Candidate(left, entry.opened.action.tier, entry.lag_s)]
    entered += [competitor.candidate() for competitor in competing]
    entered += [
        Candidate(weight, Tier.WRITE, entry.lag_since(change.began_at_ns))
        for change, weight in others
    ]
    odds = own_reasons(entry, by_target.keys(), scene, around.no_agent_log_odds)
    reasons = tuple(odds)
    if broken is not None:
        odds[DEPENDENCY] = explained_by(broken[1])
    entered += [Candidate(left, Tier.WRITE, entry.lag_s, each) for each in odds.values()]
    shares = compete(entered, alternative, around.no_agent_log_odds, elsewhere)
    of_further = dict(zip(odds, shares.candidates[len(entered) - len(odds) :], strict=True))
    agents = shares.candidates[1 : 1 + len(competing)]
    outside = shares.candidates[1 + len(competing) :][: len(others)]
    no_agent = 1.0 - shares.candidates[0] - sum(agents) - sum(outside)
    named = None
    if broken is not None:
        named = broken[0], of_further[DEPENDENCY]
    elif source is not None and source[1] >= DAMAGED_NATS and not entry.shared:
        named = source[0], no_agent * (1.0 - exp(-against(source[1])))
    if entry.shared:
        common = min(EVIDENCE_MAX, max(each.nats for each in entry.shared))
        parts = replace(parts, alternative=max(alternative, common))
    return Standing(
        entry.opened,
        target,
        evidence,
        parts,
        left,
        scene.measured(target) or evidence.trouble is not None,
        entry.onset,
        shares.candidates[0],
        no_agent + sum(outside),
        tuple(
            (competitor.opened, share) for competitor, share in zip(competing, agents, strict=True)
        ),
        tuple((change, share) for (change, _), share in zip(others, outside, strict=True)),
        named,
        entry.shared[0] if entry.shared else None,
        tuple((words, of_further[words]) for words in reasons),
    )


def _source(
    entry: Entry, untouched: Mapping[str, float], pushed: Collection[str]
) -> tuple[str, float] | None:
    """The untouched entity in most trouble, in nats, that the action cannot have reached."""
    silenced = {e for each in entry.shared if each.metric in ANSWERING for e in each.damaged}
    left_out = {entry.target, *pushed, *silenced}
    return max(
        ((entity, nats) for entity, nats in untouched.items() if entity not in left_out),
        key=lambda pair: (pair[1], pair[0]),
        default=None,
    )


def _competing(
    entry: Entry, by_target: Mapping[str, Sequence[Entry]], scene: Scene
) -> tuple[list[Entry], float]:
    """Other candidates for the same damage; and the worst unrelated damage of other targets.

    Args:
        entry: one candidate on one of its targets.
        by_target: all candidates; of one target, those with more evidence first.
        scene: who calls whom.
    """
    target = entry.target
    downstream = scene.relations.downstream(target)
    upstream_of = scene.relations.upstream(target)
    pushing = scene.relations.callers(target) if entry.evidence.arrivals >= ARRIVALS_NATS else ()
    found: dict[str, Entry] = {}
    elsewhere = 0.0
    for place, others in by_target.items():
        below = place in downstream
        same = place == target or place in pushing
        feels_it = place in upstream_of  # its damage may come from here: no other incident
        for other in others:
            if other.opened is entry.opened:
                continue
            if same or (below and other.evidence.after >= DAMAGED_NATS):
                known = found.get(other.opened.step.span_id)
                if known is None or other.net > known.net:
                    found[other.opened.step.span_id] = other
            elif not feels_it and other.net > elsewhere and not _apart(entry.onset, other.onset):
                elsewhere = other.net
            if other.net <= elsewhere and not (same or below):
                break  # those with more evidence come first
    return list(found.values()), elsewhere


def _apart(one: Onset | None, other: Onset | None) -> bool:
    """True where two onsets cannot have been at the same time: two incidents."""
    if one is None or other is None:
        return False
    return one.high_ns < other.low_ns or other.high_ns < one.low_ns


def _others(target: str, scene: Scene, entry: Entry) -> list[tuple[Change, float]]:
    """Deploys and flags on the target and what it calls, each with its own net evidence.

    They compete as an agent's action would: what moved after both is neither's alone.
    """
    near = [target, *sorted(scene.relations.callees(target))]
    since_ns = entry.opened.effect_ns - OTHERS_BACK_NS
    places = {c.id: (e, c) for e in near for c in scene.around.causes([e], since_ns)}
    # An agent's own deploy that came back with its trace is no other explanation.
    places = {i: place for i, place in places.items() if place[1].span_id is None}
    judged = scene.judge([(e, c.began_at_ns) for e, c in places.values()], before=True)
    found: list[tuple[Change, float]] = []
    for entity, change in places.values():
        evidence = judged.get((entity, change.began_at_ns), NOTHING)
        parts = Parts(own=evidence.after, before=evidence.before, callee=0.0, alternative=0.0)
        found.append((change, net(parts, evidence.worse)))
    return found


def _untouched(
    scene: Scene,
    moments: Sequence[Moment],
    own: Mapping[Moment, Evidence],
    below: Mapping[Moment, Evidence],
    around: Surroundings,
) -> tuple[dict[str, float], SharedFailures]:
    """Surprise of entities that no candidate acted on or could have moved, in nats.

    And what all entities have in common since the same moment.
    """
    touched = set(around.explained)
    for moment in moments:
        touched.add(moment[0])
        touched |= pushed_by(moment, below, scene.relations)
    for entity in list(touched):
        touched |= scene.relations.upstream(entity)
    cadences = [cadence_ns for each in own.values() for cadence_ns in each.cadence_ns]
    cadence_ns = int(median(cadences)) if cadences else 0
    since_ns = around.references.kept_since(
        min(at for _, at in moments) - ALTERNATIVE_BACK * cadence_ns, cadence_ns
    )
    entities = [*around.source.entities(), *scene.around.entities()]
    callees: set[str] = set()
    for entity, _ in moments:
        callees |= scene.relations.callees(entity)
    others = [
        e
        for e in dict.fromkeys(entities)
        # A host's load follows from what runs on it: a symptom, unless the topology says otherwise.
        if e not in touched and (not e.startswith(HOST) or e in callees)
    ]
    if len(others) > SCANNED_ENTITIES_MAX:
        near: set[str] = set()
        for entity, _ in moments:
            near |= scene.relations.callees(entity) | scene.relations.callers(entity)
        others.sort(key=lambda entity: entity not in near)
        del others[SCANNED_ENTITIES_MAX:]
    judged = scene.judge([(entity, since_ns) for entity in others])
    # What an acted-on entity calls broke by itself if it was in trouble before; what breaks after
    # the action may be broken by it.
    untouched = {
        entity: each.before if entity in callees else each.after
        for (entity, _), each in judged.items()
    }
    acted_ns: dict[str, list[int]] = {}
    for entity, at in moments:
        acted_ns.setdefault(entity, []).append(at)
    known = {entity: each for (entity, _), each in judged.items()}

    def nearest() -> list[str]:
        return list(dict.fromkeys([*others, *entities]))[:SCANNED_ENTITIES_MAX]

    return untouched, SharedFailures(scene, nearest, since_ns, known, acted_ns)
