"""Deeds: what everybody did or changed, by what it touched; and which runs rest on that.

A run that acts on what it read may have been overtaken: by another run's action, a deploy, a flag,
an alert. Whatever comes first, the deed or the action that rests on it, the answer is the same.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, OrderedDict
from collections.abc import Iterable

from aftershock.limits import Limits
from aftershock.model import Change, ChangeKind, Run, Step
from aftershock.policy.policy import ANY
from aftershock.rules.actions import changed_something

KEYS_MAX = 20_000  # things that were touched; the longest untouched is forgotten first
DEEDS_MAX = 16  # newest ones on one thing: a fact is overtaken by the first
RUNS_MAX = 64  # that rest on one thing

Entry = tuple[int, str, str | None, Change]  # when, id, whose run, what; sorts by time


class CrossRunChanges:
    """The memory of deeds, bounded."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._by_key: OrderedDict[str, list[Entry]] = OrderedDict()
        self._resting: OrderedDict[str, dict[str, None]] = OrderedDict()

    def record_change(self, change: Change) -> set[str]:
        """Something outside the agents became different; the runs to be judged again."""
        return self._note(names_of(change.entity), change, None)

    def record_action(self, step: Step) -> set[str]:
        """A run did something that had an effect; the other runs to be judged again."""
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
            again |= self._note(names_of(entity), change, step.run_id)
        return again

    def resting(self, run: Run, limits: Limits) -> tuple[Change, ...]:
        """What others changed, before the newest action of a run, of what it rests on."""
        found: dict[tuple[str, str], Entry] = {}
        assert run.newest is not None, "an empty run rests on nothing"
        for key in rests_on(run):
            runs = self._resting.setdefault(key, {})
            self._resting.move_to_end(key)
            if run.id in runs or len(runs) < RUNS_MAX:
                runs[run.id] = None
            else:
                self.dropped["resting_runs_full"] += 1
            for entry in self._by_key.get(key, ()):
                if entry[2] != run.id and entry[0] <= run.newest.began_at_ns:
                    found[entry[1], entry[3].entity] = entry
        while len(self._resting) > KEYS_MAX:
            self._resting.popitem(last=False)
        newest = sorted(found.values(), key=lambda e: (e[0], e[1], e[3].entity))
        return tuple(entry[3] for entry in newest[-limits.changes_max :])

    def _note(self, keys: Iterable[str], change: Change, run_id: str | None) -> set[str]:
        again: set[str] = set()
        for key in keys:
            entries = self._by_key.setdefault(key, [])
            self._by_key.move_to_end(key)
            known = [entry for entry in entries if entry[1] == change.id]
            if any(entry[3] == change for entry in known):
                continue
            for entry in known:
                entries.remove(entry)
            insort(entries, (change.began_at_ns, change.id, run_id, change), key=lambda e: e[:2])
            del entries[:-DEEDS_MAX]
            again |= set(self._resting.get(key, ())) - {run_id}
        while len(self._by_key) > KEYS_MAX:
            self._by_key.popitem(last=False)
            self.dropped["deeds_full"] += 1
        return again


def names_of(entity: str) -> set[str]:
    """What facts may call an entity: its key, and the name at its end."""
    return {entity, entity.rpartition("/")[2]} - {""}


def may_overtake(step: Step) -> bool:
    """True for an action that ended and can have changed what others read."""
    action = step.action
    return action is not None and action.tier.has_effect and step.ended_at_ns is not None


def rests_on_others(run: Run) -> bool:
    """True where the newest step of a run can have overlooked what others did."""
    action = run.newest.action if run.newest else None
    return action is not None and action.tier.has_effect and bool(action.requires or action.targets)


def rests_on(run: Run) -> set[str]:
    """Subjects that the newest action of a run rests on: required, read, and acted upon."""
    action = run.newest.action if run.newest else None
    if action is None:
        return set()
    kinds = {requirement.kind for requirement in action.requires}
    keys = {want.subject for want in action.requires if want.learnt_support is None}
    if kinds:
        keys |= {fact.subject for step in run.steps for fact in step.facts if fact.kind in kinds}
    for target in action.targets:
        keys |= names_of(target)
    return keys - {ANY, ""}
