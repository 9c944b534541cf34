"""Changes that cross runs: what runs and everybody else changed, and which runs rely on that.

A run that acts on what it read may have been overtaken by another run's action, a deploy, a flag,
or an alert. The answer does not depend on which of the two arrives first.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from aftershock.model import Change, ChangeKind, Step
from aftershock.rules.actions import changed_something
from aftershock_collector.engine.evidence import names_of

KEYS_MAX = 20_000  # things that were changed; the one that was unchanged for longest goes first
CHANGES_MAX = 40_000  # of all things together: 40 MB
CHANGES_OF_KEY_MAX = 16  # newest ones: a fact is stale from the first change on
DEPENDENTS_MAX = 64  # runs that rely on one thing
DEPENDENCES_MAX = 200_000  # of runs on things: a hundred of each live run; 30 MB


class Entry(NamedTuple):
    """One change of one thing."""

    began_at_ns: int
    id: str
    run_id: str | None  # of the run that made it; None: not an agent
    change: Change


class CrossRunChanges:
    """Changes and dependent runs by key, bounded. Drops are counted in `dropped` by reason."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._by_key: OrderedDict[str, list[Entry]] = OrderedDict()
        self._changes = 0  # of all keys
        self._dependents: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._dependences = 0  # of all keys

    def record_change(self, change: Change) -> set[str]:
        """Record a change that no agent made; returns ids of the runs to judge again."""
        return self._record(names_of(change.entity), change, None)

    def record_action(self, step: Step) -> set[str]:
        """Record what a run's action changed; returns ids of the other runs to judge again."""
        action = step.action
        if action is None or not changed_something(action) or step.ended_at_ns is None:
            return set()
        again: set[str] = set()
        for entity in action.targets:
            change = Change(
                id=f"{step.run_id}/{step.span_id}",
                kind=ChangeKind.EVENT,
                entity=entity,
                name=f"{action.tool} of {step.agent or 'another agent'}",
                began_at_ns=step.ended_at_ns,
                detail=f"run {step.run_id}",
            )
            again |= self._record(names_of(entity), change, step.run_id)
        return again

    def of_others(self, run_id: str, keys: Iterable[str]) -> dict[str, tuple[Change, ...]]:
        """What others changed of these keys. The run is judged again when more is known of them."""
        found: dict[str, tuple[Change, ...]] = {}
        for key in keys:
            dependents = self._dependents.setdefault(key, {})
            self._dependents.move_to_end(key)
            if run_id in dependents:
                pass
            elif len(dependents) < DEPENDENTS_MAX:
                dependents[run_id] = None
                self._dependences += 1
            else:
                self.dropped["dependent_runs_full"] += 1
            entries = self._by_key.get(key, ())
            changes = tuple(entry.change for entry in entries if entry.run_id != run_id)
            if changes:
                found[key] = changes
        while len(self._dependents) > KEYS_MAX or self._dependences > DEPENDENCES_MAX:
            self._dependences -= len(self._dependents.popitem(last=False)[1])
        return found

    def _record(self, keys: Iterable[str], change: Change, run_id: str | None) -> set[str]:
        again: set[str] = set()
        for key in keys:
            entries = self._by_key.setdefault(key, [])
            self._by_key.move_to_end(key)
            before = len(entries)
            known = [entry for entry in entries if entry.id == change.id]
            if any(entry.change == change for entry in known):
                continue
            for entry in known:
                entries.remove(entry)
            insort(
                entries, Entry(change.began_at_ns, change.id, run_id, change), key=lambda e: e[:2]
            )
            del entries[:-CHANGES_OF_KEY_MAX]
            self._changes += len(entries) - before
            again |= set(self._dependents.get(key, ())) - {run_id}
        while len(self._by_key) > KEYS_MAX or self._changes > CHANGES_MAX:
            self._changes -= len(self._by_key.popitem(last=False)[1])
            self.dropped["cross_run_changes_full"] += 1
        return again


def may_overtake(step: Step) -> bool:
    """True for an action that ended and can have changed what others read."""
    action = step.action
    return action is not None and action.tier.has_effect and step.ended_at_ns is not None
