"""observe · learn · conclude: the memory between Steps and Reports; owns no clock and no socket.

Live traffic, imports, backtests and evaluations all go through this one class.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aftershock.model import Change, Claim, Closing, Finding, Impact, Report, Run, Step, StepKind
from aftershock.policy.policy import EMPTY, Policy, limits_for
from aftershock.rules import CLOCK_RULES, LIVE_RULES, judge, kinds_of, rules_after
from aftershock.runs.fold import Window, place_of
from aftershock.runs.reconcile import Claims, advance, close, reconcile
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.cross_run import CrossRunChanges, may_overtake, rests_on_others
from aftershock_collector.engine.run_state import RunState
from aftershock_collector.impact.links import Links
from aftershock_collector.impact.observation import LOOK_S, ActionObserver
from aftershock_collector.impact.priors import Prior
from aftershock_collector.impact.suspects import SuspectIndex, Suspects
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.series import SERIES_MAX, Series, SeriesStore
from aftershock_collector.otlp.wire import Sample

_CHUNK = 128  # steps folded before the window is judged again; well under a window
_EARLY_RUNS_MAX = 1_000  # traces whose outgoing calls wait for the tool call around them
_EARLY_STEPS_MAX = 16  # of one such trace: more targets than a tool call has
_TIMED_KINDS = kinds_of(LIVE_RULES)


class Engine:
    """The judging core: give it steps and metrics, ask it what changed.

    `live` switches on what only makes sense beside a running system: silence and damage are
    judged against the tick's time.
    """

    def __init__(
        self,
        policy: Policy = EMPTY,
        *,
        series_max: int = SERIES_MAX,
        observation_window_s: float = LOOK_S,
        topology: Mapping[str, Sequence[str]] | None = None,
        live: bool = True,
        patience_s: float = 0.0,
        lessons: Baseline | None = None,
    ) -> None:
        self.policy = policy
        self.limits = policy.limits
        self.series = SeriesStore(series_max=series_max)
        self.watch = ActionObserver(observation_window_s, patience_s)
        self.suspect_index = SuspectIndex()
        self.deeds = CrossRunChanges()
        self.lessons = lessons or Baseline(policy.limits)
        self.links = Links()
        self._measurer = Measurer(series_max)
        self.topology = topology or {}
        self.live = live
        self.changes: OrderedDict[str, Change] = OrderedDict()
        self._runs: OrderedDict[str, RunState] = OrderedDict()
        self._early: OrderedDict[str, list[Step]] = OrderedDict()
        self._dropped: Counter[str] = Counter()

    # --- In ----------------------------------------------------------------------------------

    def knows(self, run_id: str) -> bool:
        """False where a run must be restored from the store before its new steps are observed."""
        return run_id in self._runs

    def observe(self, steps: Iterable[Step], arrived_ns: int | None = None) -> None:
        """Take steps in, in any order; `arrived_ns` (our clock) lets wrong clocks be told."""
        by_run: dict[str, list[Step]] = {}
        for step in steps:
            by_run.setdefault(step.run_id, []).append(step)
        for run_id, batch in by_run.items():
            if self.knows(run_id) or any(step.kind is not StepKind.OUTGOING for step in batch):
                early = self._early.pop(run_id, [])
                self._take(self._memory(run_id), early + batch, arrived_ns)
            else:
                self._wait(run_id, batch)

    def restore(self, run_id: str, steps: Iterable[Step], claims: Iterable[Claim]) -> None:
        """Bring back a run that was put away or that an earlier process knew."""
        memory = self._memory(run_id)
        memory.reported = {claim.finding.id: claim for claim in claims}
        memory.timed = {
            identity: claim
            for identity, claim in memory.reported.items()
            if claim.finding.kind in _TIMED_KINDS
        }
        memory.impacts = {
            claim.finding.impact.span_id: claim.finding.impact
            for claim in memory.reported.values()
            if claim.finding.impact is not None
        }
        memory.restored = True
        self._take(memory, list(steps), None)

    def learn(self, change: Change, now_ns: int) -> None:
        """Remember something that changed outside the agents; an alert gets its suspects."""
        self.changes[change.id] = change
        while len(self.changes) > self.limits.runs_max:
            self.changes.popitem(last=False)
            self._dropped["changes_full"] += 1
        told = change
        change, linked = self.links.resolve(change)
        if linked is None:
            self.links.wait(told)
        self.watch.hear(change)
        if linked is not None and change.kind.is_trouble:
            self.watch.link(linked.step, change, now_ns, skew_ns=linked.skew_ns)
        self.suspect_index.hear(change, now_ns)
        self._judge_again(self.deeds.record_change(change), change.began_at_ns)

    def measure(self, samples: Iterable[Sample]) -> None:
        """Take in what was measured of the infrastructure."""
        self._measurer.record(samples, self.series)

    def suspects(self, alert: Change, now_ns: int) -> Suspects:
        """The agent actions that may be behind an alert, as far as is known now."""
        pointing, _ = self.links.resolve(alert)
        return self.suspect_index.rank(
            pointing, self.topology, self.series.canonical, now_ns,
            events=self.watch.events, nobody=self.watch.nobody,
        )  # fmt: skip

    def rank_suspects(self, now_ns: int) -> list[Suspects]:
        """Rankings of alerts that are new or different since the last time."""
        return self.suspect_index.news(lambda alert: self.suspects(alert, now_ns), now_ns)

    def take(
        self, series: Iterable[Series], aliases: Mapping[str, str], problems: tuple[str, ...] = ()
    ) -> None:
        """Series that were asked for, and what could not be asked."""
        for name, entity in aliases.items():
            self.series.alias(name, entity)
        for each in series:
            for at_ns, value in zip(each.times_ns.tolist(), each.values.tolist(), strict=True):
                self.series.append(each.entity, each.metric, each.family, each.unit, at_ns, value)
        self.watch.blind = problems

    def trust(self, prior: Prior) -> None:
        """People's verdicts moved the prior of "no agent action"."""
        self.watch.nobody = prior.nobody

    def decide(self, claim: Claim) -> None:
        """A person closed a finding."""
        memory = self._runs.get(claim.finding.run_id)
        if memory is not None:
            memory.reported = {**memory.reported, claim.finding.id: claim}

    # --- Out ---------------------------------------------------------------------------------

    def conclude(self, now_ns: int) -> Report:
        """Judge what is new, and what time alone made true; report only differences."""
        impacts = self._look(now_ns)
        opened: list[Claim] = []
        updated: list[Claim] = []
        closed: list[Claim] = []
        for memory in self._runs.values():
            derived = self._derive(memory, now_ns)
            if derived is None:
                continue
            new, different, over, memory.reported = reconcile(memory.reported, derived, now_ns)
            opened += new
            updated += different
            closed += over
        self._put_away(now_ns)
        return Report(
            now_ns=now_ns,
            opened=tuple(opened),
            updated=tuple(updated),
            closed=tuple(closed),
            impacts=tuple(impacts),
            changes=self.links.overtaken(),
            drops=self._drops(),
        )

    def complete(self) -> Report:
        """A recording has ended: nothing more will come of any of its runs."""
        heard = [memory.window.received_at_ns or 0 for memory in self._runs.values()]
        for memory, received_ns in zip(self._runs.values(), heard, strict=True):
            memory.finished_at_ns = received_ns
            self.lessons.learn_from(memory.window, received_ns)
        self.lessons.unsettle()
        for memory in self._runs.values():
            memory.follow(self.lessons.learned_at(memory.window.began_at_ns or 0))
        return self.conclude(max(heard, default=0))

    def run(self, run_id: str, now_ns: int) -> Run | None:
        """A live run as it stands, or None where it is not in memory."""
        memory = self._runs.get(run_id)
        if memory is None:
            return None
        return replace(memory.window.whole(now_ns), impacts=tuple(memory.impacts.values()))

    def window(self, run_id: str) -> Window | None:
        """A live run's window, or None where it is not in memory."""
        memory = self._runs.get(run_id)
        return None if memory is None else memory.window

    def memories(self) -> Iterable[RunState]:
        """What is kept of every live run."""
        return self._runs.values()

    def home_of(self, run_id: str) -> tuple[str | None, str | None, str | None]:
        """(service.name, process, environment) of a live run's agent, as far as it is known."""
        window = self.window(run_id)
        if window is None:
            return None, None, None
        return window.service, window.process, window.environment

    def __len__(self) -> int:
        return len(self._runs)

    # --- Inside ------------------------------------------------------------------------------

    def _drops(self) -> dict[str, int]:
        """What was dropped since the last time, by reason."""
        told: Counter[str] = Counter()
        sources = (
            self._dropped,
            self.series.dropped,
            self._measurer.dropped,
            self.watch.dropped,
            self.watch.events.dropped,
            self.suspect_index.dropped,
            self.deeds.dropped,
            self.links.dropped,
        )
        for dropped in sources:
            told.update(dropped)
            dropped.clear()
        return {reason: count for reason, count in told.items() if count}

    def _memory(self, run_id: str) -> RunState:
        memory = self._runs.get(run_id)
        if memory is None:
            memory = RunState(window=Window(run_id, self.limits), limits=self.limits)
            self._runs[run_id] = memory
        self._runs.move_to_end(run_id)
        return memory

    def _wait(self, run_id: str, batch: list[Step]) -> None:
        """Outgoing calls alone open no run: most of them are made by services, not by agents."""
        held = self._early.setdefault(run_id, [])
        held.extend(batch[: _EARLY_STEPS_MAX - len(held)])
        while len(self._early) > _EARLY_RUNS_MAX:
            self._early.popitem(last=False)

    def _take(self, memory: RunState, steps: list[Step], arrived_ns: int | None) -> None:
        if arrived_ns is not None:
            skew = min(arrived_ns - step.last_ns for step in steps)
            memory.skew_ns = skew if memory.skew_ns is None else min(memory.skew_ns, skew)
        steps.sort(key=place_of)
        for start in range(0, len(steps), _CHUNK):
            self._take_chunk(memory, steps[start : start + _CHUNK])
        for reason, count in memory.window.dropped.items():
            self._dropped[reason] += count
        memory.window.dropped.clear()
        for step in steps:
            resolved = memory.window.find(step) if may_overtake(step) else None
            if resolved is not None:
                self._judge_again(self.deeds.record_action(resolved), resolved.last_ns)
        if self.live:
            self._open_watches(memory, steps)
            for trace_id in {step.trace_id for step in steps if step.trace_id}:
                for change in self.links.come(trace_id):
                    self.learn(change, arrived_ns or change.began_at_ns)

    def _take_chunk(self, memory: RunState, steps: list[Step]) -> None:
        """Steps are judged before they can fall out of the window."""
        if len(memory.window) + len(steps) > memory.limits.run_steps_max:
            self._judge_steps(memory)
        shift = memory.window.add(steps)
        if shift.changed_from is None:
            return
        changed = [shift.changed_from + shift.fell_out]
        if memory.dirty_from is not None:
            changed.append(memory.dirty_from)
        valid = min(changed)  # states up to here still describe their prefixes
        kept = min(shift.fell_out, valid)
        if kept:
            memory.before = memory.states[kept - 1]
        del memory.states[: shift.fell_out]
        memory.dirty_from = max(0, valid - shift.fell_out)

    def _judge_again(self, run_ids: Iterable[str], since_ns: int) -> None:
        """What these runs did since a moment rests on something that is known only now."""
        for run_id in run_ids:
            memory = self._runs.get(run_id)
            if memory is not None:
                memory.judge_again(memory.window.position_at(since_ns))

    def _open_watches(self, memory: RunState, steps: Iterable[Step]) -> None:
        """Whatever can have an effect is watched for damage from now on."""
        for step in steps:
            self.links.note(step, memory.clock_ns)
            if step.action is None or not step.action.tier.has_effect:
                continue
            resolved = memory.window.find(step)
            if resolved is not None:
                facts = memory.window.facts_before(resolved)
                self.watch.open(resolved, facts, skew_ns=memory.clock_ns)
                self.suspect_index.note(resolved, memory.clock_ns)

    def _look(self, now_ns: int) -> list[Impact]:
        """Ask the metrics what open actions did; keep the verdict with its run."""
        if not self.live:
            return []
        impacts = self.watch.look(now_ns, self.series, self.topology)
        for impact in impacts:
            self.suspect_index.judged(impact)
            memory = self._runs.get(impact.run_id)
            if memory is not None:
                memory.impacts[impact.span_id] = impact
        return impacts

    def _put_away(self, now_ns: int) -> None:
        """Forget runs that have been silent for long or are too many; the store keeps them."""
        idle_ns = int(self.limits.run_idle_s * 1e9)
        for run_id in list(self._runs):
            memory = self._runs[run_id]
            full = len(self._runs) > self.limits.runs_max
            heard = (memory.window.received_at_ns or now_ns) + memory.clock_ns
            if not full and (not self.live or now_ns - heard < idle_ns):
                return
            self.lessons.learn_from(memory.window, memory.window.received_at_ns or now_ns)
            del self._runs[run_id]
            if full:
                self._dropped["runs_full"] += 1

    def _derive(self, memory: RunState, now_ns: int) -> Claims | None:
        """A run's claims as the data stands; None where nothing can have changed."""
        timed = self._judge_silence_and_damage(memory, now_ns) if self.live else memory.timed
        ended_at_ns = memory.finished_at_ns or memory.window.ended_at_ns
        until_ns = ended_at_ns or now_ns - memory.clock_ns
        clocked = self.live or ended_at_ns is not None
        dirty = memory.dirty_from is not None
        ended = ended_at_ns is not None and any(c.closing is None for c in memory.reported.values())
        quiet = not dirty and not ended and timed is memory.timed
        if quiet and not (clocked and memory.lacks(time_spent(memory, until_ns))):
            return None
        memory.timed = timed
        self._judge_steps(memory)
        if memory.window.ended_at_ns is not None:
            self.lessons.learn_from(memory.window, memory.window.ended_at_ns)
        claims = {**memory.remember(), **memory.claims}
        if clocked:
            claims = advance(claims, time_spent(memory, until_ns), until_ns, frozenset())
        if ended_at_ns is not None:
            claims = close(claims, ended_at_ns, Closing.RUN_ENDED)
        return {**claims, **timed}

    def _judge_steps(self, memory: RunState) -> None:
        """Judge every prefix from the first changed step on."""
        window = memory.window
        memory.follow(self.lessons.learned_at(window.began_at_ns or 0))
        if memory.dirty_from is None:
            return
        memory.limits = limits_for(self.policy, window.agent)
        del memory.states[memory.dirty_from :]
        claims = memory.claims
        expected = memory.expected()
        for length in range(len(memory.states) + 1, len(window) + 1):
            rules, kinds = rules_after(window.kind_at(length - 1))
            if rules:
                run = window.prefix(length)
                if expected:
                    run = replace(run, steps=expected[:length])
                if rests_on_others(run):
                    run = replace(run, changes=self.deeds.resting(run, memory.limits))
                claims = advance(claims, judge(run, memory.limits, rules), run.now_ns, kinds)
            memory.states.append(claims)
        memory.dirty_from = None

    def _judge_silence_and_damage(self, memory: RunState, now_ns: int) -> Claims:
        window = memory.window
        if window.ended_at_ns is not None and not memory.impacts and not memory.timed:
            return memory.timed
        local_ns = now_ns - memory.clock_ns
        run = replace(window.whole(local_ns), impacts=tuple(memory.impacts.values()))
        if run.newest is None:
            return memory.timed
        true_now: Iterable[Finding] = judge(run, memory.limits, LIVE_RULES)
        return memory.honest(advance(memory.timed, true_now, local_ns))


def time_spent(memory: RunState, until_ns: int) -> list[Finding]:
    """What the time up to a moment has used up, step or no step."""
    if memory.limits.budget.wall_time_s is None:
        return []
    return list(judge(memory.window.whole(until_ns), memory.limits, CLOCK_RULES))
