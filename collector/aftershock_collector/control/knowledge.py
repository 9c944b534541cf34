"""Knowledge: what an agent should know of a target before it acts, kept beside the judging thread.

Written by the thread that judges, read by the event loop: so that preflight waits for no judging.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

from aftershock.model import Change, ChangeKind, Step
from aftershock.runs.size import TEXT_BYTES
from aftershock_collector.control.saturation import Saturation, SaturationLevels
from aftershock_collector.impact.fair_shares import FairShares
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.wording import clean

RECENT_S = 900.0  # how long a change or an action of others is worth knowing
FIRING_S = 86_400.0  # an alert that never resolved says nothing about today any more
CHANGES_MAX = 10_000
ACTIONS_MAX = 5_000
ACTION_BYTES = 2_048  # that one place has room for: a usual action takes a third of it
TEXT_CHARS_MAX = 300  # of one fact
FACTS_MAX = 20  # handed to one agent at once: what a model can act on
# Kinds of facts, as policies name them.
KINDS = {
    ChangeKind.ALERT: "alert",
    ChangeKind.WARNING: "warning",
    ChangeKind.DEPLOY: "deploy",
    ChangeKind.FLAG: "feature_flag",
    ChangeKind.EVENT: "event",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of an Alertmanager: somebody expects trouble, as in a maintenance window."""

    id: str
    matchers: tuple[tuple[str, str], ...]  # label, value; regular expressions are left out
    by: str
    comment: str
    starts_ns: int
    ends_ns: int


class Acted(NamedTuple):
    """What is worth knowing of an action: the rest of its step may be a hundred times as large."""

    run_id: str
    tool: str
    agent: str | None
    targets: tuple[str, ...]
    last_ns: int
    is_running: bool


class Knowledge:
    """Changes, alerts, silences and others' actions by target. Bounded; safe for threads."""

    def __init__(self, topology: Mapping[str, Sequence[str]]) -> None:
        self._topology = topology
        self._changes: OrderedDict[str, Change] = OrderedDict()
        self._actions: OrderedDict[str, Acted] = OrderedDict()  # by span id, newest last
        self._shares = FairShares(ACTION_BYTES)  # of the actions
        self._silences: tuple[Silence, ...] = ()
        self._levels = SaturationLevels()
        self._lock = Lock()

    def record(self, steps: Iterable[Step], changes: Iterable[Change]) -> None:
        """Remember what arrived."""
        acts = [s for s in steps if s.action and s.action.tier.has_effect and s.action.targets]
        with self._lock:
            for step in acts:
                self._remember(step)
            for change in changes:
                if change.kind in KINDS:
                    self._changes[change.id] = change
                    self._changes.move_to_end(change.id)
            while len(self._changes) > CHANGES_MAX:
                self._changes.popitem(last=False)

    def _remember(self, step: Step) -> None:
        known, acted = self._actions.get(step.span_id), acted_of(step)
        if known is not None and known.run_id != acted.run_id:
            return  # the id is taken: two runs do not share a span
        self._actions[step.span_id] = acted
        self._actions.move_to_end(step.span_id)
        declared = step.action is not None and step.action.targets_declared
        self._shares.hold(step.span_id, step, size_of_acted(acted), declared=declared)
        while self._shares.in_use > ACTIONS_MAX:
            leaves = self._shares.heaviest()
            self._shares.release(leaves)
            del self._actions[leaves]

    def measure(self, samples: Iterable[Sample]) -> None:
        """Remember how full what was measured is."""
        self._levels.record(samples)

    def set_silences(self, silences: tuple[Silence, ...]) -> None:
        """Replace the silences, as their Alertmanager lists them now."""
        self._silences = silences

    def about(self, targets: Sequence[str], run: str, now_ns: int) -> list[dict[str, Any]]:
        """Facts about targets and what they depend on, newest first, each with source and age."""
        near = frozenset(self._near(targets))
        if not near:
            return []
        with self._lock:
            changes = [one for one in self._changes.values() if one.entity in near]
            actions = [one for one in self._actions.values() if not near.isdisjoint(one.targets)]
        found = [
            *(changed(one, now_ns) for one in changes if matters(one, now_ns)),
            *(silenced(one, near, now_ns) for one in self._silences if covers(one, near, now_ns)),
            *(action_fact(one, near, now_ns) for one in of_others(actions, run, now_ns)),
        ]
        found += [saturated(one, now_ns) for one in self._levels.about(near, now_ns)]
        found.sort(key=lambda fact: fact["age_s"])
        return found[:FACTS_MAX]

    def _near(self, targets: Sequence[str]) -> Iterator[str]:
        """The targets, and what they call, as far as the topology says."""
        seen: set[str] = set()
        waiting = list(targets)
        while waiting:
            entity = waiting.pop()
            if entity not in seen:
                seen.add(entity)
                yield entity
                waiting += self._topology.get(entity, ())


def acted_of(step: Step) -> Acted:
    """What is worth knowing of a step's action."""
    targets = () if step.action is None else step.action.targets
    running = step.ended_at_ns is None
    return Acted(step.run_id, step.name, step.agent, targets, step.last_ns, running)


def size_of_acted(acted: Acted) -> int:
    """Bytes that it takes in memory, estimated."""
    texts = (acted.run_id, acted.tool, acted.agent or "", *acted.targets)
    return sum(TEXT_BYTES + len(text) for text in texts)


def matters(change: Change, now_ns: int) -> bool:
    """True for what lasts, and for what happened a moment ago."""
    if change.ended_at_ns is not None and change.kind is not ChangeKind.DEPLOY:
        return now_ns - change.ended_at_ns < RECENT_S * 1e9 and not change.kind.is_trouble
    lasting = change.kind in {ChangeKind.ALERT, ChangeKind.EVENT}
    return now_ns - change.began_at_ns < (FIRING_S if lasting else RECENT_S) * 1e9


def of_others(actions: Iterable[Acted], run: str, now_ns: int) -> list[Acted]:
    """The newest action of each other run and tool, of the last minutes."""
    newest = {
        (one.run_id, one.tool): one
        for one in actions
        if one.run_id != run and now_ns - one.last_ns < RECENT_S * 1e9
    }
    return list(newest.values())


def covers(silence: Silence, near: frozenset[str], now_ns: int) -> bool:
    """True for a silence in force whose labels name an entity, or that names none at all."""
    if not silence.starts_ns <= now_ns < silence.ends_ns:
        return False
    values = {value for _, value in silence.matchers}
    return any(entity.rpartition("/")[2] in values for entity in near)


def changed(change: Change, now_ns: int) -> dict[str, Any]:
    """A change as a fact."""
    kind = KINDS[change.kind]
    began_s = max(0.0, (now_ns - change.began_at_ns) / 1e9)
    state = "has been firing" if change.kind is ChangeKind.ALERT else "began"
    detail = f": {change.detail}" if change.detail else ""
    when = f"for {age(began_s)}" if change.kind is ChangeKind.ALERT else f"{age(began_s)} ago"
    text = f"{kind.replace('_', ' ')} {change.name} on {change.entity} {state} {when}{detail}"
    return fact(f"{change.id}", kind, change.entity, text, "events and alerts", began_s)


def silenced(silence: Silence, near: frozenset[str], now_ns: int) -> dict[str, Any]:
    """A silence as a fact."""
    entity = next((e for e in sorted(near) if covers(silence, frozenset({e}), now_ns)), "*")
    left_s = (silence.ends_ns - now_ns) / 1e9
    comment = f": {silence.comment}" if silence.comment else ""
    text = f"alerts of {entity} are silenced by {silence.by} for another {age(left_s)}{comment}"
    began_s = max(0.0, (now_ns - silence.starts_ns) / 1e9)
    return fact(f"silence/{silence.id}", "silence", entity, text, "Alertmanager", began_s)


def saturated(level: Saturation, now_ns: int) -> dict[str, Any]:
    """How full something is, as a fact."""
    share = level.used / level.most
    name = level.name.replace("_", " ")
    text = f"{name} of {level.entity}: {level.used:g} of {level.most:g} are used ({share:.0%})"
    age_s = max(0.0, (now_ns - level.measured_ns) / 1e9)
    key = f"saturation/{level.entity}/{level.name}"
    return fact(key, "saturation", level.entity, text, "live metrics", age_s)


def action_fact(acted: Acted, near: frozenset[str], now_ns: int) -> dict[str, Any]:
    """Another agent's action as a fact."""
    entity = next((target for target in acted.targets if target in near), "*")
    ago_s = max(0.0, (now_ns - acted.last_ns) / 1e9)
    doing = "is running" if acted.is_running else f"ran {age(ago_s)} ago"
    who = acted.agent or "another agent"
    text = f"{acted.tool} of {who} {doing} on {entity} (run {acted.run_id})"
    name = f"action/{acted.run_id}/{acted.tool}"
    return fact(name, "other_agent", entity, text, "agents' traces", ago_s)


def fact(  # noqa: PLR0917 (a row)
    name: str, kind: str, subject: str, text: str, source: str, age_s: float
) -> dict[str, Any]:
    """One fact for an agent. Names and details are others' words: one line, cut, as data."""
    return {
        "id": name,
        "kind": kind,
        "subject": subject,
        "text": f"{clean(text, TEXT_CHARS_MAX)} (source: {source})",
        "source": source,
        "age_s": round(age_s, 1),
    }


def age(seconds: float) -> str:
    """A stretch of time in one unit."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.0f} h"
