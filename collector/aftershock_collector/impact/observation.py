"""Watch: actions that are open for judgement, looked at again and again until they are settled."""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from aftershock.model import Change, Fact, Impact, Step
from aftershock_collector.impact.aftermath import recovered_at, refreshed
from aftershock_collector.impact.attribution import (
    acquitted,
    alternatives_of,
    certain,
    enough,
    impact_of,
    lacking,
    unmeasured,
)
from aftershock_collector.impact.competition import CERTAIN, NO_AGENT, SUSPECTED
from aftershock_collector.impact.events import Events
from aftershock_collector.impact.gap import unread
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.relations import Topology
from aftershock_collector.impact.scoring import ScoringRound, Standing, look
from aftershock_collector.metrics.series import RETENTION_S, SeriesSource

LOOK_S = 600.0  # damage that came later was not told apart from chance in recordings
FOLLOW_S = 86_400.0  # a degradation that lasts a day is no longer news
OPEN_MAX = 256  # actions watched at once; the oldest is let go
ENTITIES_MAX = 4_096  # whose recorded actions are remembered
ACTIONS_MAX = 64  # remembered of one entity: more than its history can hold apart
BLIND_MAX = 3  # things that could not be asked, named in one verdict
LOOK_PACE = 8  # the next look waits for 1/8 of the time since the action: 30 in ten minutes
FOLLOW_EVERY_NS = 10**9  # how often a settled degradation is asked whether it is over
TOLD_STEP = 0.05  # a verdict is told again when its probability rose by this much


class ActionObserver:
    """Open actions, the looks at them, and what was told about them. Owns no clock."""

    def __init__(self, observation_window_s: float = LOOK_S, patience_s: float = 0.0) -> None:
        self.dropped: Counter[str] = Counter()
        self.events = Events()
        self.nobody = NO_AGENT  # log-odds that people's verdicts have moved
        self.blind: tuple[str, ...] = ()  # what could not be asked at the newest look
        self._patience_ns = int(patience_s * 1e9)  # how long series may take to come
        self._look_ns = int(observation_window_s * 1e9)
        self._open: OrderedDict[str, OpenAction] = OrderedDict()
        self._explained: OrderedDict[str, Impact] = OrderedDict()  # entity → certain verdict
        self.acted_ns: OrderedDict[str, list[int]] = OrderedDict()  # entity → recorded actions

    def __len__(self) -> int:
        return len(self._open)

    def open(self, step: Step, facts: Iterable[Fact] = (), *, skew_ns: int = 0) -> None:
        """Watch what an action with an effect does; called again when more is known of it.

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
        until_ns = step.last_ns + skew_ns + self._look_ns
        self.remember(targets, effect_ns)
        known = self._open.get(step.span_id)
        if known is None:
            self._open[step.span_id] = OpenAction(
                step, action, tuple(facts), targets, skew_ns, effect_ns, until_ns, effect_ns
            )
            if len(self._open) > OPEN_MAX:
                self._open.popitem(last=False)
                self.dropped["watches_full"] += 1
            return
        if targets != known.targets:
            known.targets, known.troubles = targets, None
        known.step, known.action, known.facts = step, action, tuple(facts)
        known.until_ns = max(known.until_ns, until_ns)

    def wants(self, now_ns: int) -> bool:
        """True where newer points would be looked at."""
        return any(o.following or now_ns >= o.next_ns for o in self._open.values())

    def hear(self, change: Change) -> None:
        """Take in an alert, a warning, a deploy or a flag; new trouble asks for a look at once."""
        if self.events.record(change):
            for opened in self._open.values():
                opened.asked = True
        if not change.kind.is_trouble:
            self.remember([change.entity], change.began_at_ns)
        if change.ended_at_ns is not None:
            for opened in self._open.values():
                _resolve(opened, change, change.ended_at_ns)

    def link(self, step: Step, change: Change, now_ns: int, *, skew_ns: int = 0) -> None:
        """Trouble brought back the trace of this action: that is certain, and ends the comparison.

        It is taken in even where the action declared nothing that it acts on.
        """
        action = step.action
        assert action is not None, "only actions are linked"
        if step.span_id not in self._open:
            self.open(
                replace(step, action=replace(action, targets=(change.entity,))), skew_ns=skew_ns
            )
        opened = self._open.get(step.span_id)
        if opened is None or (opened.best is not None and opened.best.label == CERTAIN):
            return
        opened.attended = True
        verdict = opened.best = certain(opened, change, now_ns)
        self._explained[verdict.entity] = verdict
        while len(self._explained) > OPEN_MAX:
            self._explained.popitem(last=False)
        for other in self._open.values():
            if other.best is not None and self._is_acquitted(other, other.best.entity):
                other.best = acquitted(other.best, verdict)

    def _is_acquitted(self, opened: OpenAction, entity: str) -> bool:
        """True where another action's trace came back from what it would be blamed for."""
        verdict = self._explained.get(entity)
        if verdict is None or verdict.span_id == opened.step.span_id or verdict.change is None:
            return False
        linked = opened.best is not None and opened.best.label == CERTAIN
        return not linked and opened.effect_ns <= verdict.change.began_at_ns

    def remember(self, targets: Iterable[str], effect_ns: int) -> None:
        """Keep when something was acted on: what followed is no placebo for later actions."""
        for target in targets:
            times = self.acted_ns.setdefault(target, [])
            self.acted_ns.move_to_end(target)
            if effect_ns not in times:
                insort(times, effect_ns)
                del times[:-ACTIONS_MAX]
        while len(self.acted_ns) > ENTITIES_MAX:
            self.acted_ns.popitem(last=False)

    def look(self, now_ns: int, series: SeriesSource, topology: Topology) -> list[Impact]:
        """Judge whatever has news; returns the verdicts that are new or different."""
        self.events.watching(now_ns)
        if not self._open:
            return []
        watched = self._watched(now_ns)
        due = {o.step.span_id for o in watched if _has_news(o, now_ns, series, self._patience_ns)}
        if due:
            seen = look(
                watched, series, topology, self.acted_ns, now_ns,
                events=self.events, nobody=self.nobody,
            )  # fmt: skip
            for standing, won in zip(seen.standings, seen.shares.candidates, strict=True):
                if standing.opened.step.span_id in due:
                    share = 0.0 if self._is_acquitted(standing.opened, standing.target) else won
                    _conclude(standing, share, seen, self.blind[:BLIND_MAX])
        told: list[Impact] = []
        for opened in list(self._open.values()):
            _check_recovery(opened, now_ns, series)
            settled = not opened.following and now_ns >= opened.until_ns
            if settled:
                _settle(opened, now_ns, series, self.blind[:BLIND_MAX])
            if opened.best is not None and _is_news(opened.best, opened.told, settled=settled):
                opened.told = opened.best
                told.append(opened.best)
            if opened.following and _is_over(opened, now_ns):
                del self._open[opened.step.span_id]
        return told

    def _watched(self, now_ns: int) -> list[OpenAction]:
        """Actions that are still looked at. Of those told too late, points of today say nothing."""
        for opened in list(self._open.values()):
            opened.attended |= now_ns <= opened.until_ns
            if not opened.attended:
                del self._open[opened.step.span_id]
                self.dropped["action_told_too_late"] += 1
        return [opened for opened in self._open.values() if not opened.following]


def _has_news(opened: OpenAction, now_ns: int, source: SeriesSource, patience_ns: int) -> bool:
    """True where a look is due and a target has a point that no look has seen."""
    if opened.best is not None and opened.best.recovered_at_ns:
        return False
    if opened.asked:
        return True
    if now_ns < opened.next_ns:
        return False
    since_ns = max(opened.newest_ns, opened.effect_ns) + 1
    fresh = source.window(opened.targets, since_ns, now_ns)
    if fresh:
        opened.newest_ns = max(int(each.times_ns[-1]) for each in fresh)
        return True
    if opened.met_ns is None:
        opened.met_ns = now_ns
    if now_ns - opened.met_ns < patience_ns:
        return False
    oldest_ns = opened.effect_ns - int(RETENTION_S * 1e9)
    return opened.looks == 0 and not source.window(opened.targets, oldest_ns, now_ns)


def _conclude(standing: Standing, share: float, seen: ScoringRound, blind: tuple[str, ...]) -> None:
    """Keep the verdict of this look where it is the surest so far."""
    opened, now_ns = standing.opened, seen.scene.now_ns
    opened.looks += 1
    opened.asked = False
    opened.next_ns = now_ns + max(0, now_ns - opened.effect_ns) // LOOK_PACE
    if opened.best is not None and opened.best.label == CERTAIN:
        return
    absent = tuple(
        f"nothing is measured on {target}"
        for target in opened.targets
        if not any(map(seen.scene.measured, seen.scene.keys([target])))
    )
    absent += blind
    if not standing.measured:
        opened.best = unmeasured(opened, now_ns, absent)
        return
    if opened.troubles is None:
        opened.troubles = seen.troubles(opened)
    probability = share if enough(standing.evidence) else None
    best = opened.best
    if best is not None and best.probability is not None and (probability or 0) <= best.probability:
        return
    opened.best = impact_of(
        standing,
        probability,
        alternatives_of(opened, seen) if probability is not None else (),
        now_ns,
        gap=unread(opened.troubles, opened.facts, opened.skew_ns),
        missing=absent + lacking(standing, topology=bool(seen.scene.relations)),
    )


def _check_recovery(opened: OpenAction, now_ns: int, source: SeriesSource) -> None:
    """Say when the series that was blamed came back into its band."""
    best = opened.best
    if best is None or best.change is None or best.recovered_at_ns or not best.charts:
        return
    if (best.probability or 0) < SUSPECTED or (opened.following and now_ns < opened.next_ns):
        return
    if opened.following:
        opened.next_ns = now_ns + FOLLOW_EVERY_NS
    series = source.window([best.entity], best.charts[0].times_ns[0], now_ns)
    at_ns = recovered_at(series, best.change, best.charts[0])
    if at_ns is not None:
        opened.best = replace(
            best,
            recovered_at_ns=at_ns,
            change=replace(best.change, ended_at_ns=at_ns),
            charts=refreshed(best.charts, series, opened.effect_ns),
        )


def _resolve(opened: OpenAction, change: Change, ended_at_ns: int) -> None:
    """The alert that was blamed on an action is over."""
    best = opened.best
    if best is None or best.change is None or best.change.id != change.id:
        return
    if best.recovered_at_ns is None:
        opened.best = replace(best, change=change, recovered_at_ns=ended_at_ns)


def _settle(opened: OpenAction, now_ns: int, source: SeriesSource, blind: tuple[str, ...]) -> None:
    """The looks are over: what was found stands, and only recovery is still waited for."""
    opened.following = True
    best = opened.best
    if best is None:
        silent = tuple(f"nothing arrived from {t} since the action" for t in opened.targets)
        opened.best = unmeasured(opened, now_ns, silent + blind)
    elif best.charts:
        series = source.window([best.entity], best.charts[0].times_ns[0], now_ns)
        opened.best = replace(best, charts=refreshed(best.charts, series, opened.effect_ns))


def _is_over(opened: OpenAction, now_ns: int) -> bool:
    """True where nothing more will be said about this action."""
    best = opened.best
    unsettled = (
        best is not None
        and best.change is not None
        and best.recovered_at_ns is None
        and (best.probability or 0) >= SUSPECTED
    )
    return not unsettled or now_ns > opened.until_ns + FOLLOW_S * 1e9


def _is_news(best: Impact, told: Impact | None, *, settled: bool) -> bool:
    """True where a person would want to hear the difference, or see the rest of the chart."""
    if told is None or (settled and best.charts != told.charts):
        return True
    if best.label != told.label or best.recovered_at_ns != told.recovered_at_ns:
        return True
    rose = (best.probability or 0) - (told.probability or 0)
    return rose >= TOLD_STEP or best.missing != told.missing
