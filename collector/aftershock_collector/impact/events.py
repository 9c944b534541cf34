"""Discrete changes in the unit of metrics: how surprising an alert or a warning is, in nats.

Trouble of one name on one entity comes at a rate λ = (count + .5) / (observed time + τ). That one
comes within Δ of an action by chance has the probability 1 - exp(-λΔ), and S = -ln of it. What
others did (deploys, flags) is no evidence of damage: it is another explanation of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from math import expm1, log
from typing import NamedTuple

from aftershock.model import Change, ChangeKind
from aftershock_collector.metrics.entities import workload

CHANGES_MAX = 10_000  # remembered: a storm of alerts a second for three hours; 10 MB
RATE_PRIOR_S = 3_600.0  # τ: a name that was never received is assumed to come every other hour
WAIT_MIN_S = 15.0  # rules are evaluated and events are sent no more often than this
BEFORE_S = 300.0  # trouble that began this long before an action was there when it acted
FIRING_S = 86_400.0  # an alert that never resolved says nothing about today any more
# This formula was proposed and never measured. With 6 nats alone an action can be suspected (P .65,
# .77 for a destructive one) but not become probable, so discrete changes alone page nobody.
NATS_MAX = 6.0
CAUSES_MAX = 16  # deploys and flags that compete in one round, newest first
UNNAMED = "alert/"  # entities of alerts whose labels name nothing: they may be about anything

Canonical = Callable[[str], str]


class SurprisingChange(NamedTuple):
    """One change, and how surprising it was."""

    change: Change
    nats: float


class Events:
    """The changes received, bounded; whatever is forgotten early is counted in `dropped`."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.since_ns: int | None = None  # observed from here on; None: not at all yet
        self._changes: OrderedDict[str, Change] = OrderedDict()
        self._onsets: dict[str, dict[str, list[int]]] = {}  # entity → name → when it began

    def __len__(self) -> int:
        return len(self._changes)

    def observing(self, since_ns: int) -> None:
        """From here on every change is received: one that is not recorded did not happen."""
        if self.since_ns is None or since_ns < self.since_ns:
            self.since_ns = since_ns

    def record(self, change: Change) -> bool:
        """Remember a change, or how it ended; True for trouble that is new."""
        if change.kind is ChangeKind.METRIC:
            return False  # our own words; the series themselves are the evidence
        known = change.id in self._changes
        self._changes[change.id] = change
        if known:
            return False
        names = self._onsets.setdefault(change.entity, {})
        onsets = names.setdefault(change.name, [])
        onsets.insert(bisect_left(onsets, change.began_at_ns), change.began_at_ns)
        if len(self._changes) > CHANGES_MAX:
            self._forget_oldest()
        return change.kind.is_trouble

    def around(self, canonical: Canonical, now_ns: int) -> Around:
        """Everything as it is known at one moment, under the keys that series are filed under."""
        return Around(self._changes.values(), self.surprise, canonical, now_ns)

    def surprise(self, change: Change, wait_ns: int) -> float:
        """Nats of hearing a change of this entity and name within `wait_ns` of any moment."""
        names = self._onsets.get(change.entity, {})
        onsets = names.get(change.name, [])
        since_ns = change.began_at_ns if self.since_ns is None else self.since_ns
        earlier = bisect_left(onsets, change.began_at_ns) - bisect_left(onsets, since_ns)
        observed_s = max(0, change.began_at_ns - since_ns) / 1e9
        rate = (max(0, earlier) + 0.5) / (observed_s + RATE_PRIOR_S)
        nats = -log(-expm1(-rate * max(wait_ns / 1e9, WAIT_MIN_S)))
        several = log(max(len(names), 1))  # with more names, one of them comes by chance
        return min(NATS_MAX, max(0.0, nats - several))

    def _forget_oldest(self) -> None:
        _, gone = self._changes.popitem(last=False)
        onsets = self._onsets[gone.entity][gone.name]
        onsets.remove(gone.began_at_ns)
        if not onsets:
            del self._onsets[gone.entity][gone.name]
        if not self._onsets[gone.entity]:
            del self._onsets[gone.entity]
        # What came before is not known any more: the rate is taken from here on.
        self.since_ns = max(self.since_ns or 0, gone.began_at_ns)
        self.dropped["changes_full"] += 1


class Around:
    """Changes by entity, for one scoring round."""

    def __init__(
        self,
        changes: Iterable[Change],
        surprise: Callable[[Change, int], float],
        canonical: Canonical,
        now_ns: int,
    ) -> None:
        self._surprise = surprise
        self._now_ns = now_ns
        self._trouble: dict[str, list[Change]] = {}
        self._causes: dict[str, list[Change]] = {}
        for change in changes:
            if change.began_at_ns > now_ns or change.entity.startswith(UNNAMED):
                continue
            found = self._trouble if change.kind.is_trouble else self._causes
            for key in dict.fromkeys((filed(change.entity, canonical), change.entity)):
                found.setdefault(key, []).append(change)

    def entities(self) -> list[str]:
        """Every entity that had trouble."""
        return list(self._trouble)

    def after(self, entity: str, moment_ns: int) -> SurprisingChange | None:
        """The most surprising trouble that began after a moment; None where there was none."""
        received = [
            SurprisingChange(change, self._surprise(change, change.began_at_ns - moment_ns))
            for change in self._trouble.get(entity, ())
            if change.began_at_ns > moment_ns
        ]
        return max(received, key=lambda each: (each.nats, -each.change.began_at_ns), default=None)

    def before(self, entity: str, moment_ns: int) -> SurprisingChange | None:
        """The most surprising trouble that was there at a moment already."""
        received = [
            SurprisingChange(change, self._surprise(change, min(age_ns, int(BEFORE_S * 1e9))))
            for change in self._trouble.get(entity, ())
            if (age_ns := moment_ns - change.began_at_ns) >= 0 and _lasted(change, moment_ns)
        ]
        return max(received, key=lambda each: (each.nats, -each.change.began_at_ns), default=None)

    def causes(self, entities: Iterable[str], since_ns: int) -> list[Change]:
        """What others did to these entities, newest first."""
        found = {
            change.id: change
            for entity in entities
            for change in self._causes.get(entity, ())
            if change.began_at_ns >= since_ns
        }
        return sorted(found.values(), key=lambda c: (-c.began_at_ns, c.id))[:CAUSES_MAX]


def filed(entity: str, canonical: Canonical) -> str:
    """The key that series of the entity are filed under; a pod's is its deployment's."""
    key = canonical(entity)
    return canonical(workload(entity)) if key == entity else key


def _lasted(change: Change, moment_ns: int) -> bool:
    """True where trouble was there at a moment: firing still, or too new to be over."""
    if moment_ns - change.began_at_ns <= BEFORE_S * 1e9:
        return True
    firing = change.kind is ChangeKind.ALERT and (
        change.ended_at_ns is None or change.ended_at_ns > moment_ns
    )
    return firing and moment_ns - change.began_at_ns <= FIRING_S * 1e9
