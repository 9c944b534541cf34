"""Who gives up a place in a table that is full: a flood must hurt the flooder.

Of all senders the one that holds most gives up a place; there, of its services and agents the one
that holds most; there, what nobody declared before what the operator declared, the oldest first.
What is larger than a place takes several, so a table that is bounded in places is so in bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from aftershock.model import Step

Holder = tuple[str, str]  # service, agent


class Holding(NamedTuple):
    """Who holds most of something that is full, and how much of it."""

    sender: str  # "": not known
    service: str
    agent: str
    share: float  # of the whole, 0 to 1


class Place(NamedTuple):
    """Where a key stands, and how many places it takes."""

    sender: str
    holder: Holder
    places: int


class FairShares:
    """The keys of a bounded table, by who holds them.

    Args:
        place_bytes: what one place has room for, in bytes.
    """

    def __init__(self, place_bytes: int) -> None:
        self._place_bytes = place_bytes
        self._holders: dict[str, dict[Holder, dict[str, bool]]] = {}  # key → declared
        self._places: dict[str, Place] = {}
        self._held: Counter[str] = Counter()  # places by sender
        self._held_by: Counter[tuple[str, Holder]] = Counter()
        self.in_use = 0  # places, by all keys

    def hold(self, key: str, step: Step, size_bytes: int, *, declared: bool = True) -> None:
        """A key entered the table, or is known better.

        Args:
            key: of the table.
            step: whose sender, service and agent hold it.
            size_bytes: what the table keeps for it, estimated.
            declared: whether the operator declared what it is about.
        """
        known = self._places.get(key)
        if known is None:
            sender, holder = step.sender, (step.service or "", step.agent or "")
        else:
            sender, holder = known.sender, known.holder
        keys = self._holders.setdefault(sender, {}).setdefault(holder, {})
        keys[key] = keys.get(key, False) or declared
        place = self._places[key] = Place(sender, holder, 1 + size_bytes // self._place_bytes)
        self._count(place, place.places - (known.places if known else 0))

    def release(self, key: str) -> None:
        """A key left the table."""
        place = self._places.pop(key, None)
        if place is None:
            return
        sender, holder, places = place
        del self._holders[sender][holder][key]
        self._count(place, -places)
        if not self._held_by[sender, holder]:
            del self._holders[sender][holder], self._held_by[sender, holder]
        if not self._held[sender]:
            del self._holders[sender], self._held[sender]

    def heaviest(self) -> str:
        """The key that must leave. Of equal holders the newest gives way: names cost nothing."""
        sender = max(reversed(self._held), key=self._held.__getitem__)
        holders = self._holders[sender]
        keys = holders[max(reversed(holders), key=lambda one: self._held_by[sender, one])]
        return next((key for key, declared in keys.items() if not declared), next(iter(keys)))

    def _count(self, place: Place, places: int) -> None:
        self._held[place.sender] += places
        self._held_by[place.sender, place.holder] += places
        self.in_use += places

    @property
    def most(self) -> Holding | None:
        """The sender that holds most, and its service and agent that hold most of that."""
        return most_of(
            (sender, service, agent, float(places))
            for (sender, (service, agent)), places in self._held_by.items()
        )


def most_of(held: Iterable[tuple[str, str, str, float]]) -> Holding | None:
    """Who holds most of (sender, service, agent, weight); None where nobody holds anything."""
    by_sender: dict[str, float] = {}
    by_holder: dict[tuple[str, str, str], float] = {}
    for *holder, weight in held:
        sender, service, agent = holder
        by_sender[sender] = by_sender.get(sender, 0.0) + weight
        key = (sender, service, agent)
        by_holder[key] = by_holder.get(key, 0.0) + weight
    total = sum(by_sender.values())
    if not total:
        return None
    first = max(by_sender, key=by_sender.__getitem__)
    of_first = {key: weight for key, weight in by_holder.items() if key[0] == first}
    _, service, agent = max(of_first, key=of_first.__getitem__)
    return Holding(first, service, agent, by_sender[first] / total)
