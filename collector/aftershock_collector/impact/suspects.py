"""Backward from an alert: the agent actions that may be behind it, ranked, and "no agent action".

The same competition as forward. An action's evidence is what its attribution found, or how
surprising it is that the alert came so soon after it; it counts less the further away it acted.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from aftershock.grade import POSSIBLE_FROM, SUSPECTED_FROM, Grade
from aftershock.model import Change, ChangeKind, Impact, Step, Tier
from aftershock.runs.size import size_of
from aftershock_collector.impact.competition import (
    EVIDENCE_MAX,
    NO_AGENT_LOG_ODDS,
    compete,
    net,
)
from aftershock_collector.impact.competition import (
    Candidate as Entrant,
)
from aftershock_collector.impact.events import UNNAMED, Events, filed
from aftershock_collector.impact.fair_shares import FairShares
from aftershock_collector.impact.relations import Relations, Topology

WITHIN_S = (
    600.0  # an action is asked about this long: what came later could not be separated from chance
)
FOLLOW_S = 600.0  # an alert's ranking is renewed this long, while its suspects are being judged
ACTIONS_MAX = 1_024  # remembered: a hundred a minute for ten minutes
ACTION_BYTES = 16_384  # that one place has room for: a usual action takes a tenth of it
ALERTS_MAX = 256  # followed at once; a storm of more is one incident
SHOWN_MAX = 8
HOPS_MAX = 2  # callers and dependencies that far away are asked about
HOP_NATS = 1.0  # what each hop takes off: trouble mostly stays where it was made
UNKNOWN_NATS = 3.0  # where it is not known who calls whom, or what the alert is about
CHANGED = 0.05  # a probability that moved by this much is reported again

SAME = "the same"
LINKED = "certain: it brought this action's trace back"
UNKNOWN = "not known to be related"
_DOWN = ("", "its dependency", "a dependency of its dependency")
_UP = ("", "its caller", "a caller of its caller")

Canonical = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Suspect:
    """One agent action that may be behind an alert."""

    span_id: str
    trace_id: str
    run_id: str
    agent: str | None
    tool: str
    entity: str  # what it acted on
    relation: str  # of that to what the alert is about
    acted_at_ns: int
    probability: float


@dataclass(frozen=True, slots=True)
class Suspects:
    """Who may be behind an alert: agent actions, likeliest first, and "no agent action"."""

    alert: Change
    ranked: tuple[Suspect, ...]
    no_agent: float  # probability that no agent's action is behind it
    judged_at_ns: int
    more: int = 0  # further actions, less likely than those listed

    @property
    def top(self) -> Suspect | None:
        """The likeliest action, where it is at least suspected."""
        first = self.ranked[0] if self.ranked else None
        return first if first is not None and first.probability >= SUSPECTED_FROM else None


@dataclass(slots=True)
class _Candidate:
    """One action with an effect, on the clock of the alerts."""

    step: Step
    tool: str
    tier: Tier
    targets: tuple[str, ...]
    effect_ns: int
    impact: Impact | None = None


@dataclass(slots=True)
class _Followed:
    """An alert whose ranking may still change."""

    alert: Change
    until_ns: int
    reported: Suspects | None = None


class SuspectIndex:
    """The actions and alerts of the last minutes, bounded. Owns no clock."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._candidates: OrderedDict[str, _Candidate] = OrderedDict()
        self._shares = FairShares(ACTION_BYTES)  # of the candidates
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self._stale: deque[str] = deque()  # alerts to rank again

    def record(self, step: Step, skew_ns: int = 0) -> None:
        """An action began, or more is known of it."""
        action = step.action
        if action is None or not action.tier.has_effect:
            return
        targets = tuple(t for t in dict.fromkeys(action.targets) if "*" not in t)
        known = self._candidates.get(step.span_id)
        if known is not None and known.step.run_id != step.run_id:
            return  # the id is taken: two runs do not share a span
        self._shares.hold(step.span_id, step, size_of(step), declared=action.targets_declared)
        impact = None if known is None else known.impact
        self._candidates[step.span_id] = _Candidate(
            step, action.tool, action.tier, targets, step.began_at_ns + skew_ns, impact
        )
        while self._shares.in_use > ACTIONS_MAX:
            leaves = self._shares.heaviest()
            self._shares.release(leaves)
            del self._candidates[leaves]
            self.dropped["suspects_full"] += 1

    def judged(self, impact: Impact) -> None:
        """What an action did to its target is known better now."""
        candidate = self._candidates.get(impact.span_id)
        if candidate is None:
            return
        candidate.impact = impact
        self._stale.extend(key for key in self._followed if key not in self._stale)

    def on_change(self, change: Change, now_ns: int) -> None:
        """An alert: rank it, and again while its suspects are being judged."""
        if change.kind is not ChangeKind.ALERT or change.ended_at_ns is not None:
            return
        if change.id in self._followed:
            return
        self._followed[change.id] = _Followed(change, now_ns + int(FOLLOW_S * 1e9))
        self._stale.append(change.id)
        if len(self._followed) > ALERTS_MAX:
            self._followed.popitem(last=False)
            self.dropped["alerts_unfollowed"] += 1

    def changed_rankings(self, rank: Callable[[Change], Suspects], now_ns: int) -> list[Suspects]:
        """Rankings that are new, or different enough to be reported again."""
        reported: list[Suspects] = []
        while self._stale:
            followed = self._followed.get(self._stale.popleft())
            if followed is None:
                continue
            ranking = rank(followed.alert)
            if _differs(followed.reported, ranking):
                followed.reported = ranking
                reported.append(ranking)
        while self._followed and next(iter(self._followed.values())).until_ns < now_ns:
            self._followed.popitem(last=False)
        return reported

    def rank(
        self,
        alert: Change,
        topology: Topology,
        canonical: Canonical,
        now_ns: int,
        *,
        events: Events,
        no_agent: float = NO_AGENT_LOG_ODDS,
    ) -> Suspects:
        """Agent actions near what the alert is about, in the ten minutes before it."""
        if (linked := self._candidates.get(alert.span_id or "")) is not None:
            return Suspects(alert, (_suspect(linked, alert.entity, LINKED, 1.0),), 0.0, now_ns)
        relations = Relations(topology, canonical)
        near = _near(filed(alert.entity, canonical), relations)
        known = bool(relations) and not alert.entity.startswith(UNNAMED)
        asked: list[tuple[_Candidate, str, str, float]] = []
        for candidate in self._candidates.values():
            wait_ns = alert.began_at_ns - candidate.effect_ns
            if not candidate.targets or not 0 <= wait_ns <= WITHIN_S * 1e9:
                continue
            entity, (relation, distance) = min(
                (
                    (t, near.get(filed(t, canonical), (UNKNOWN, UNKNOWN_NATS)))
                    for t in candidate.targets
                ),
                key=lambda place: place[1][1],
            )
            if relation == UNKNOWN and known:
                continue  # it acted on something that neither calls this nor is called by it
            asked.append(
                (candidate, entity, relation, _evidence(candidate, alert, events) - distance)
            )
        if (best := _measured(alert, [(c, r) for c, _, r, _ in asked])) is not None:
            return _as_attributed(alert, best, [(c, e, r) for c, e, r, _ in asked], now_ns)
        # Elsewhere, an alternative of its attribution may be what the alert itself is about.
        own = [d.impact for d, _, relation, _ in asked if d.impact and relation == SAME]
        alternative = max((impact.parts.alternative for impact in own), default=0.0)
        shares = compete(
            [Entrant(nats, candidate.tier) for candidate, *_, nats in asked], alternative, no_agent
        )
        ranked = sorted(
            (
                _suspect(candidate, entity, relation, share)
                for (candidate, entity, relation, _), share in zip(
                    asked, shares.candidates, strict=True
                )
            ),
            key=lambda suspect: (-suspect.probability, -suspect.acted_at_ns, suspect.span_id),
        )
        shown = tuple(islice(ranked, SHOWN_MAX))
        return Suspects(alert, shown, shares.no_agent, now_ns, len(ranked) - len(shown))


def _measured(alert: Change, asked: Sequence[tuple[_Candidate, str]]) -> Impact | None:
    """The likeliest attribution of the degradation that the alert is about; None: none is likely.

    Its competition was decided by measurements, so it says more than how soon the alert came.
    """
    found = [
        candidate.impact
        for candidate, relation in asked
        if relation == SAME and candidate.impact is not None and _covers(candidate.impact, alert)
    ]
    best = max(found, key=lambda impact: impact.probability or 0.0, default=None)
    return best if best is not None and (best.probability or 0.0) >= POSSIBLE_FROM else None


def _covers(impact: Impact, alert: Change) -> bool:
    """True where the alert began while the attributed degradation lasted."""
    change = impact.change
    if change is None or change.began_at_ns > alert.began_at_ns:
        return False
    return impact.recovered_at_ns is None or impact.recovered_at_ns >= alert.began_at_ns


def _as_attributed(
    alert: Change,
    impact: Impact,
    asked: Sequence[tuple[_Candidate, str, str]],
    now_ns: int,
) -> Suspects:
    """The ranking that follows from an attribution, so that both show the same probabilities."""
    shares = {one.span_id: one.probability for one in impact.alternatives if one.span_id}
    shares[impact.span_id] = impact.probability or 0.0
    ranked = sorted(
        (
            _suspect(candidate, entity, relation, shares[candidate.step.span_id])
            for candidate, entity, relation in asked
            if candidate.step.span_id in shares
        ),
        key=lambda suspect: (-suspect.probability, -suspect.acted_at_ns, suspect.span_id),
    )
    shown = tuple(islice(ranked, SHOWN_MAX))
    no_agent = max(0.0, 1.0 - sum(suspect.probability for suspect in ranked))
    return Suspects(alert, shown, no_agent, now_ns, len(asked) - len(shown))


def _evidence(candidate: _Candidate, alert: Change, events: Events) -> float:
    """Nats: what its attribution found, or how surprising it is that the alert came so soon."""
    if candidate.impact is not None and candidate.impact.label is Grade.CERTAIN:
        return EVIDENCE_MAX
    waited = events.surprise(alert, alert.began_at_ns - candidate.effect_ns)
    found = (
        0.0
        if candidate.impact is None or candidate.impact.probability is None
        else net(candidate.impact.parts)
    )
    return max(waited, found)


def _near(entity: str, relations: Relations) -> dict[str, tuple[str, float]]:
    """What is around an entity, with its relation and what its distance takes off, in nats."""
    found = {entity: (SAME, 0.0)}
    for words, step in ((_DOWN, relations.callees), (_UP, relations.callers)):
        reached = {entity}
        for hops in range(1, HOPS_MAX + 1):
            reached = {other for each in reached for other in step(each)}
            for other in sorted(reached):
                found.setdefault(other, (words[hops], hops * HOP_NATS))
    return found


def around(entity: str, topology: Topology, canonical: Canonical) -> frozenset[str]:
    """An entity with its callers and dependencies, as far as they are asked about."""
    return frozenset(_near(filed(entity, canonical), Relations(topology, canonical)))


def _suspect(candidate: _Candidate, entity: str, relation: str, share: float) -> Suspect:
    step = candidate.step
    return Suspect(
        step.span_id, step.trace_id, step.run_id, step.agent, candidate.tool,
        entity, relation, candidate.effect_ns, share,
    )  # fmt: skip


def _differs(reported: Suspects | None, ranking: Suspects) -> bool:
    """True where a probability moved by CHANGED or more, or nothing was reported yet."""
    if reported is None:
        return True
    before = _shares(reported.ranked)
    return any(abs(s.probability - before.get(s.span_id, 0.0)) >= CHANGED for s in ranking.ranked)


def _shares(ranked: Sequence[Suspect]) -> dict[str, float]:
    return {suspect.span_id: suspect.probability for suspect in ranked}
