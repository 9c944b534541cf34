"""Correlator: everything that crosses runs. It hands each run its Evidence.

It holds series and topology, the observed actions, suspects of alerts, exact links between traces
and changes, what runs and others changed, and the learned baseline. It never judges a run.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aftershock.limits import Limits
from aftershock.model import Change, ChangeKind, Fact, Impact, Step, StepKind
from aftershock.runs.expectations import LearnedExpectations
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.cross_run import CrossRunChanges
from aftershock_collector.engine.evidence import Evidence
from aftershock_collector.impact.events import filed
from aftershock_collector.impact.links import Linked, Links, reports_less, without_fingerprints
from aftershock_collector.impact.observation import OBSERVATION_WINDOW_S, ActionObserver
from aftershock_collector.impact.open_actions import ObserverState
from aftershock_collector.impact.priors import Prior
from aftershock_collector.impact.suspects import SuspectIndex, Suspects, around
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.series import SERIES_MAX, Series, SeriesStore
from aftershock_collector.otlp.wire import Sample

IMPACTS_OF_RUN_MAX = 512  # newest attributions: as many as a run's window has steps; 1 MB


class Correlator:
    """What is known beside the runs, bounded everywhere. Owns no clock."""

    def __init__(
        self,
        limits: Limits,
        *,
        series_max: int = SERIES_MAX,
        observation_window_s: float = OBSERVATION_WINDOW_S,
        topology: Mapping[str, Sequence[str]] | None = None,
        patience_s: float = 0.0,
        baseline: Baseline | None = None,
    ) -> None:
        self.series = SeriesStore(series_max=series_max)
        self.topology = topology or {}
        self.observer = ActionObserver(observation_window_s, patience_s)
        self.suspect_index = SuspectIndex()
        self.links = Links()
        self.baseline = baseline or Baseline(limits)
        self.changes: OrderedDict[str, Change] = OrderedDict()
        self._changes_max = limits.runs_max
        self._cross_run = CrossRunChanges()
        self._measurer = Measurer(series_max)
        # Run id → span id → newest attribution.
        self._impacts: dict[str, OrderedDict[str, Impact]] = {}
        self._dropped: Counter[str] = Counter()

    # --- In ------------------------------------------------------------------------------------

    def record_change(self, change: Change, now_ns: int) -> set[str]:
        """Record something that changed outside the agents.

        Returns:
            Ids of runs that acted on what changed: their steps from then on are judged again.
        """
        known = self.changes.get(change.id)
        if known is not None and known.vouched and not change.vouched:
            return set()  # whoever saw an id can send it again, with another end
        self.changes[change.id] = change
        while len(self.changes) > self._changes_max:
            self.changes.popitem(last=False)
            self._dropped["changes_full"] += 1
        resolved, linked = self._resolve(change, now_ns)
        if linked is None:
            self.links.hold(change)
        done = change.kind is ChangeKind.OPERATION or change.tier is not None  # as its log says
        if done and linked is not None and resolved.trace_id is not None:
            self._reach(linked, change.entity)
        if change.kind is ChangeKind.OPERATION:
            return set()
        self.observer.on_change(resolved)
        if linked is not None and resolved.kind.is_trouble:
            believed = resolved.trace_id is not None
            self.observer.link(
                linked.step, resolved, now_ns, skew_ns=linked.skew_ns, believed=believed
            )
        self.suspect_index.on_change(resolved, now_ns)
        return self._cross_run.record_change(resolved)

    def _reach(self, linked: Linked, entity: str) -> None:
        """An action reached an entity, as that one's own log says."""
        self.links.reach(linked.step, entity)
        self.observer.reach(linked.step, entity, skew_ns=linked.skew_ns)
        self.suspect_index.record(self.links.with_reached(linked.step), linked.skew_ns)

    def record_logged(self, changes: Iterable[Change], now_ns: int) -> list[Change]:
        """Hold what logs say until its trace is known; returns what is known to be an agent's."""
        traces: dict[str, None] = {}
        for change in changes:
            known = self.changes.get(change.id)
            if change.trace_id and not (known is not None and reports_less(change, known)):
                self.links.hold(change)
                traces[change.trace_id] = None
        return [change for trace_id in traces for change in self.links.release(trace_id, now_ns)]

    def record_action(self, step: Step) -> set[str]:
        """Record what an ended action changed; returns ids of other runs to judge again."""
        return self._cross_run.record_action(step)

    def record_traces(self, steps: Iterable[Step], skew_ns: int) -> None:
        """Record whose traces these are; `skew_ns` added to their times gives our clock."""
        for step in steps:
            self.links.record(step, skew_ns)
            if step.kind is StepKind.OUTGOING and step.service:
                for target in step.targets:
                    self._measurer.calls.record(
                        f"service/{step.service}", target, step.began_at_ns + skew_ns
                    )

    def changes_waiting_for(self, steps: Iterable[Step], now_ns: int) -> list[Change]:
        """Changes that named a trace before it was known as an agent's, as it is now."""
        traces = {step.trace_id for step in steps if step.trace_id}
        return [change for trace_id in traces for change in self.links.release(trace_id, now_ns)]

    def changes_due(self, now_ns: int) -> list[Change]:
        """Changes that name a trace only, now that what belongs to it was reported."""
        return self.links.release_due(now_ns)

    def observe(self, step: Step, facts: Iterable[Fact], skew_ns: int) -> None:
        """Observe what an action does to the infrastructure from now on.

        Args:
            step: an action with an effect, its agent and targets resolved.
            facts: what its run had been shown when it began.
            skew_ns: what to add to the agent's times to get our clock.
        """
        step = without_fingerprints(self.links.with_reached(step))
        self.observer.open(step, facts, skew_ns=skew_ns)
        self.suspect_index.record(step, skew_ns)

    def measure(self, samples: Iterable[Sample]) -> None:
        """Record what was measured of the infrastructure."""
        self._measurer.record(samples, self.series)

    def record_series(
        self, series: Iterable[Series], aliases: Mapping[str, str], problems: tuple[str, ...] = ()
    ) -> None:
        """Record series that were queried, other names of entities, and what failed."""
        for name, entity in aliases.items():
            self.series.alias(name, entity)
        for each in series:
            for at_ns, value in zip(each.times_ns.tolist(), each.values.tolist(), strict=True):
                self.series.append(each.entity, each.metric, each.family, each.unit, at_ns, value)
        self.observer.blind = problems

    def set_prior(self, prior: Prior) -> None:
        """Use what people's feedback showed of how often agents are behind a degradation."""
        self.observer.no_agent = prior.no_agent

    def restore_impacts(self, run_id: str, impacts: Iterable[Impact]) -> None:
        """Adopt the attributions that an earlier process made of a run's actions."""
        for impact in impacts:
            self._attribute(run_id, impact)

    def forget_run(self, run_id: str) -> None:
        """Drop what is kept for a live run only."""
        self._impacts.pop(run_id, None)

    # --- Out -----------------------------------------------------------------------------------

    def score(self, now_ns: int, live_runs: Mapping[str, object]) -> list[Impact]:
        """One scoring round over the observed actions; returns new and different attributions."""
        self.observer.calls_seen = 0 if self.topology else len(self._measurer.calls)
        impacts = self.observer.score(now_ns, self.series, self._calls(now_ns))
        for impact in impacts:
            self.suspect_index.judged(impact)
            if impact.run_id in live_runs:
                self._attribute(impact.run_id, impact)
        return impacts

    def _attribute(self, run_id: str, impact: Impact) -> None:
        """Keep the attribution for its run. Of an action that is long over, no news will come."""
        known = self._impacts.setdefault(run_id, OrderedDict())
        known[impact.span_id] = impact
        if len(known) > IMPACTS_OF_RUN_MAX:
            known.popitem(last=False)

    def impacts_of(self, run_id: str) -> tuple[Impact, ...]:
        """The newest attribution of each of a run's actions."""
        known = self._impacts.get(run_id)
        return () if known is None else tuple(known.values())

    def evidence(self, run_id: str, now_ns: int) -> Evidence:
        """What time and impacts say about a run."""
        return Evidence(now_ns, self.impacts_of(run_id))

    def evidence_with(
        self, evidence: Evidence, run_id: str, learned: LearnedExpectations, keys: Iterable[str]
    ) -> Evidence:
        """Evidence, and what was expected and what others changed of the keys a run depends on."""
        changes = self._cross_run.of_others(run_id, keys)
        return replace(evidence, learned=learned, changes=changes)

    def suspects(self, alert: Change, now_ns: int) -> Suspects:
        """The agent actions that may be behind an alert, as far as is known now."""
        resolved, _ = self._resolve(alert, now_ns)
        return self.suspect_index.rank(
            resolved, self._calls(now_ns), self.series.canonical, now_ns,
            events=self.observer.events, no_agent=self.observer.no_agent,
        )  # fmt: skip

    def observations(self, now_ns: int) -> ObserverState:
        """What goes on after a restart."""
        state = self.observer.snapshot(self.series, self._calls(now_ns), now_ns)
        return replace(state, calls=self._measurer.calls.newest())

    def restore_observations(self, state: ObserverState) -> None:
        """Go on where an earlier process stopped."""
        self._measurer.calls.restore(state.calls)
        self.observer.restore(state, self.series)

    def _calls(self, now_ns: int) -> Mapping[str, Sequence[str]]:
        """Who calls whom, as declared and as seen."""
        return self._measurer.calls.beside(self.topology, now_ns)

    def _resolve(self, change: Change, now_ns: int) -> tuple[Change, Linked | None]:
        """The change with the action that it points at.

        It keeps the trace where that is believed: its sender is known, or what it is about is
        known to have to do with the action. Anybody who saw a trace id can write it into an alert.
        """
        resolved, linked = self.links.resolve(change, now_ns)
        if linked is None or change.vouched or self._agrees(linked.step, change.entity, now_ns):
            return resolved, linked
        return replace(resolved, trace_id=None, span_id=None), linked

    def _agrees(self, step: Step, entity: str, now_ns: int) -> bool:
        """True where an action acted on, called, or is upstream or downstream of an entity."""
        reached = self.links.reached(step)
        canonical = self.series.canonical
        near = around(entity, self._calls(now_ns), canonical)
        return any(filed(target, canonical) in near for target in reached)

    def rank_suspects(self, now_ns: int) -> list[Suspects]:
        """Rankings of alerts that are new or different since the last time."""
        return self.suspect_index.changed_rankings(
            lambda alert: self.suspects(alert, now_ns), now_ns
        )

    def newly_linked(self) -> tuple[Change, ...]:
        """Changes whose trace became an agent's since the last time this was called."""
        return self.links.newly_linked()

    @property
    def unkept_samples(self) -> int:
        """Samples since the last `drops` that found no room among the series."""
        full = self.series.dropped["series_full"] + self._measurer.dropped["metrics_full"]
        return full + self._measurer.dropped["metrics_of_entity_full"]

    def drops(self) -> Counter[str]:
        """What was dropped since the last time, by reason."""
        found: Counter[str] = Counter()
        for dropped in (
            self._dropped,
            self.series.dropped,
            self._measurer.dropped,
            self._measurer.calls.dropped,
            self.observer.dropped,
            self.observer.events.dropped,
            self.suspect_index.dropped,
            self._cross_run.dropped,
            self.links.dropped,
        ):
            found.update(dropped)
            dropped.clear()
        return found
