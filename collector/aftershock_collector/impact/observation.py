"""ActionObserver: open actions, scored at every round until their observation window is over."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from aftershock.grade import SUSPECTED_FROM, Grade
from aftershock.model import Change, ChangeKind, Fact, Impact, Step
from aftershock_collector.impact.attribution import (
    alleged,
    certain,
    ruled_out,
)
from aftershock_collector.impact.competition import NO_AGENT_LOG_ODDS
from aftershock_collector.impact.concluding import GROWING, conclude
from aftershock_collector.impact.events import Events
from aftershock_collector.impact.fair_shares import FairShares, Holding
from aftershock_collector.impact.following import (
    check_recovery,
    is_damage,
    is_over,
    is_reportable,
    redraw,
    resolve,
    settle,
)
from aftershock_collector.impact.open_actions import ObserverState, OpenAction
from aftershock_collector.impact.references import References
from aftershock_collector.impact.relations import Topology
from aftershock_collector.impact.restarting import kept_series, restored, state_of
from aftershock_collector.impact.rounds import moments_due
from aftershock_collector.impact.scoring import Surroundings, score
from aftershock_collector.impact.sequential import Held
from aftershock_collector.impact.troubles import BEFORE_ALERT_NS, Troubles
from aftershock_collector.metrics.series import SeriesSource, SeriesStore
from aftershock_collector.wording import counted

OBSERVATION_WINDOW_S = 600.0  # later damage could not be separated from chance in recordings
OPEN_MAX = 256  # actions observed at once; whoever has most gives one up
ACTION_BYTES = 65_536  # that one place has room for: a usual action takes a tenth of it
FACTS_MAX = 256  # newest ones that one action is known to have been shown
ENTITIES_MAX = 4_096  # whose recorded actions are remembered
ACTIONS_MAX = 64  # remembered of one entity: more than its history can hold apart
BLIND_MAX = 3  # things that could not be asked, named in one attribution
EXTENSIONS_MAX = 2


class ActionObserver:
    """Open actions, their scoring rounds, and what was reported of them. Owns no clock."""

    def __init__(
        self, observation_window_s: float = OBSERVATION_WINDOW_S, patience_s: float = 0.0
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self.events = Events()
        self.no_agent = NO_AGENT_LOG_ODDS  # moved by people's feedback
        self.blind: tuple[str, ...] = ()  # what could not be queried for the newest round
        self.calls_seen = 0  # pairs that topology was learnt from; 0 where it was declared
        self.troubles = Troubles()
        self._references = References()
        self._patience_ns = int(patience_s * 1e9)  # how long series may take to arrive
        self._window_ns = int(observation_window_s * 1e9)
        self._open: OrderedDict[str, OpenAction] = OrderedDict()
        self._shares = FairShares(ACTION_BYTES)  # of the open actions
        self._explained: OrderedDict[str, Impact] = OrderedDict()  # entity → certain attribution
        self.acted_ns: OrderedDict[str, list[int]] = OrderedDict()  # entity → recorded actions

    def __len__(self) -> int:
        """How many actions are open."""
        return len(self._open)

    def open(self, step: Step, facts: Iterable[Fact] = (), *, skew_ns: int = 0) -> None:
        """Observe what an action with an effect does; called again when more is known of it.

        The effect may begin as soon as the call does: a call that takes a minute must not turn
        its own damage into trouble that was there before.

        Args:
            step: a tool call, started or ended.
            facts: what the run had been shown before.
            skew_ns: what to add to the agent's times to get the clock of the series.
        """
        action = step.action
        if action is None or not action.tier.has_effect:
            return
        targets = tuple(t for t in dict.fromkeys(action.targets) if "*" not in t)
        if not targets:
            self.dropped["action_without_target"] += step.ended_at_ns is not None
            return
        effect_ns = step.began_at_ns + skew_ns
        until_ns = step.last_ns + skew_ns + self._window_ns
        self.remember(targets, effect_ns)
        known = self._open.get(step.span_id)
        if known is not None and known.step.run_id != step.run_id:
            return  # the id is taken: two runs do not share a span
        shown = tuple(facts)[-FACTS_MAX:]
        if known is None:
            self._open[step.span_id] = OpenAction(
                step, action, shown, targets, skew_ns, effect_ns, until_ns, effect_ns
            )
        else:
            if targets != known.targets:
                known.targets, known.troubles = targets, None
            known.step, known.action, known.facts = step, action, shown
            known.until_ns = max(known.until_ns, until_ns)
        self._hold(self._open[step.span_id])

    def _hold(self, opened: OpenAction) -> None:
        """Give an action its places, and whoever holds most gives up those that are too many."""
        size_bytes, declared = opened.size_bytes, opened.action.targets_declared
        self._shares.hold(opened.step.span_id, opened.step, size_bytes, declared=declared)
        while self._shares.in_use > OPEN_MAX:
            self._let_go()

    def _let_go(self) -> None:
        """Stop to observe an action of whoever has most of them: a flood is its own."""
        self._close(self._shares.heaviest())
        self.dropped["observed_actions_full"] += 1

    def _close(self, key: str) -> None:
        del self._open[key]
        self._shares.release(key)

    @property
    def most(self) -> Holding | None:
        """Who holds most of the open actions."""
        return self._shares.most

    def wants(self, now_ns: int) -> bool:
        """True where newer points would be used."""
        return any(o.following or now_ns >= o.next_ns for o in self._open.values())

    def on_change(self, change: Change) -> None:
        """Record an alert, a warning, a deploy or a flag; new trouble asks for a round at once."""
        if self.events.record(change):
            for opened in self._open.values():
                opened.asked = True
        if not change.kind.is_trouble:
            self.remember([change.entity], change.began_at_ns)
        if change.ended_at_ns is not None:
            for opened in self._open.values():
                resolve(opened, change, change.ended_at_ns)
        if change.kind is ChangeKind.ALERT and change.ended_at_ns is not None:
            began_ns = change.began_at_ns - BEFORE_ALERT_NS
            self.troubles.record(change.id, change.entity, began_ns, change.ended_at_ns)

    def link(
        self, step: Step, change: Change, now_ns: int, *, skew_ns: int = 0, believed: bool = True
    ) -> None:
        """Trouble carried the trace of this action: that is certain, and ends the comparison.

        It counts even where the action declared no target. Where nobody vouches for the trace, the
        action is only suspected, until a round has measured its targets.
        """
        action = step.action
        assert action is not None, "only actions are linked"
        if step.span_id not in self._open:
            named = replace(step, action=replace(action, targets=(change.entity,)))
            self.open(named, skew_ns=skew_ns)
            if step.span_id in self._open:
                self._open[step.span_id].following = not believed  # what was alleged as its target
        opened = self._open.get(step.span_id)
        if opened is None or (opened.best is not None and opened.best.label is Grade.CERTAIN):
            return
        opened.attended = True
        if not believed:
            if opened.best is None or opened.best.strength < SUSPECTED_FROM:
                opened.best = alleged(opened, change, now_ns)
            return
        opened.following = False
        attribution = opened.best = certain(opened, change, now_ns)
        self._explained[attribution.entity] = attribution
        while len(self._explained) > OPEN_MAX:
            self._explained.popitem(last=False)
        for other in self._open.values():
            if other.best is not None and self._is_ruled_out(other, other.best.entity):
                other.best = ruled_out(other.best, attribution)

    def reach(self, step: Step, entity: str, *, skew_ns: int = 0) -> None:
        """The log of an entity shows what an action did there: it is a target as well."""
        assert step.action is not None, "only actions are linked"
        if (opened := self._open.get(step.span_id)) is None:
            named = replace(step.action, targets=(entity,))
            self.open(replace(step, action=named), skew_ns=skew_ns)
        else:
            opened.reaches(entity, step.action.logged)

    def _is_ruled_out(self, opened: OpenAction, entity: str) -> bool:
        """True where the damage carried another action's trace."""
        attribution = self._explained.get(entity)
        if attribution is None or attribution.change is None or is_of(attribution, opened):
            return False
        linked = opened.best is not None and opened.best.label is Grade.CERTAIN
        return not linked and opened.effect_ns <= attribution.change.began_at_ns

    def remember(self, targets: Iterable[str], effect_ns: int) -> None:
        """Record when something was acted on: what followed is no placebo for later actions."""
        for target in targets:
            times = self.acted_ns.setdefault(target, [])
            self.acted_ns.move_to_end(target)
            if effect_ns not in times:
                insort(times, effect_ns)
                del times[:-ACTIONS_MAX]
        while len(self.acted_ns) > ENTITIES_MAX:
            self.acted_ns.popitem(last=False)

    def score(self, now_ns: int, series: SeriesSource, topology: Topology) -> list[Impact]:
        """One scoring round for whatever has new points; returns attributions that changed."""
        self.events.observing(now_ns)
        if not self._open:
            return []
        candidates = self._candidates(now_ns)
        due = {
            o.step.span_id: moments_due(o, now_ns, series, self._patience_ns) for o in candidates
        }
        for at_ns in sorted({moment for moments in due.values() for moment in moments}):
            acted = [o for o in candidates if o.effect_ns < at_ns or at_ns == now_ns]
            scored = {span_id for span_id, moments in due.items() if at_ns in moments}
            self._score(acted, scored, at_ns, series, topology)
        reported: list[Impact] = []
        for opened in list(self._open.values()):
            check_recovery(opened, now_ns, series, self.acted_ns)
            settled = not opened.following and now_ns >= opened.until_ns
            if settled and _grows(opened, self._window_ns):
                opened.until_ns += self._window_ns
                settled = False
            if settled:
                settle(opened, now_ns, series, self._unasked())
            elif not opened.following:
                redraw(opened, now_ns, series)
            if opened.best is not None:
                self._remember_trouble(opened.best, now_ns)
                if is_reportable(opened.best, opened.reported, settled=settled):
                    opened.reported = opened.best
                    reported.append(opened.best)
            if opened.following and is_over(opened, now_ns):
                self._close(opened.step.span_id)
        return reported

    def snapshot(self, series: SeriesSource, topology: Topology, now_ns: int) -> ObserverState:
        """Everything needed to go on after a restart, as plain values. Bounded."""
        opened = list(self._open.values())
        kept = kept_series(opened, series, topology, now_ns)
        return state_of(opened, self.acted_ns, self.troubles.spans(), kept)

    def restore(self, state: ObserverState, series: SeriesStore) -> None:
        """Go on where an earlier process stopped; its series are added to `series`.

        Nothing that was shown is withdrawn: an attribution changes only with newer points.
        """
        for opened in restored(state, series):
            if opened.step.span_id not in self._open:
                self._open[opened.step.span_id] = opened
                self._hold(opened)
        for acted in state.acted:
            for effect_ns in acted.effect_ns:
                self.remember([acted.entity], effect_ns)
        self.troubles.restore(state.troubles)

    def _score(
        self,
        candidates: list[OpenAction],
        due: set[str],
        now_ns: int,
        series: SeriesSource,
        topology: Topology,
    ) -> None:
        explained = {
            series.canonical(o.best.entity)
            for o in self._open.values()
            if o.following and o.best is not None and o.best.strength >= SUSPECTED_FROM
        }
        around = Surroundings(
            series,
            topology,
            self.acted_ns,
            self.events,
            self._references,
            {series.canonical(e): spans for e, spans in self.troubles.by_entity().items()},
            frozenset(explained),
            self.no_agent,
        )
        seen = score(candidates, around, now_ns)
        unknown = [o for o in candidates if o.troubles is None and o.step.span_id in due]
        for opened, troubles in seen.troubles(unknown):
            opened.troubles = troubles
        for standing in seen.standings:
            opened = standing.opened
            if opened.step.span_id not in due:
                continue
            if self._is_ruled_out(opened, standing.target):
                standing = standing._replace(probability=0.0)  # noqa: PLW2901
                opened.held = opened.together = Held()
            conclude(standing, seen, now_ns, self._unasked())

    def _unasked(self) -> tuple[str, ...]:
        """What could not be asked, or was told by nobody."""
        if not self.calls_seen:
            return self.blind[:BLIND_MAX]
        learnt = f"who calls whom was learnt from {counted(self.calls_seen, 'pair')} seen calling"
        return (*self.blind[:BLIND_MAX], learnt)

    def assessed(self, impact: Impact, now_ns: int) -> None:
        """A person looked at a degradation: whoever was behind it, it is not usual."""
        if impact.change is not None:
            ended_ns = impact.recovered_at_ns or now_ns
            self.troubles.record(
                impact.change.id, impact.entity, impact.change.began_at_ns, ended_ns
            )

    def _remember_trouble(self, best: Impact, now_ns: int) -> None:
        if is_damage(best):
            self.assessed(best, now_ns)

    def _candidates(self, now_ns: int) -> list[OpenAction]:
        """Actions within their window. Of those that arrived too late, new points say nothing."""
        for opened in list(self._open.values()):
            opened.attended |= now_ns <= opened.until_ns
            if not opened.attended:
                self._close(opened.step.span_id)
                self.dropped["action_arrived_too_late"] += 1
        return [opened for opened in self._open.values() if not opened.following]


def _grows(opened: OpenAction, window_ns: int) -> bool:
    """True where the window should be extended: the newest rounds leave some suspicion."""
    used_ns = opened.until_ns - opened.step.last_ns - opened.skew_ns
    if used_ns > EXTENSIONS_MAX * window_ns or not opened.held.rounds:
        return False
    if opened.best is not None and opened.best.recovered_at_ns is not None:
        return False
    explained = max(opened.held.shown, opened.together.shown) >= SUSPECTED_FROM
    return opened.held.rounds[-1].probability >= GROWING and not explained


def is_of(attribution: Impact, opened: OpenAction) -> bool:
    """True for an attribution to this very action."""
    return attribution.span_id == opened.step.span_id
