"""Who gives up a place in a table that is full: a flood must hurt the flooder.

Of all senders the one that holds most gives up a place; there, of its services and agents the one
that holds most; there, what nobody declared before what the operator declared, the oldest first.
"""

from __future__ import annotations

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


class FairShares:
    """The keys of a bounded table, by who holds them."""

    def __init__(self) -> None:
        self._holders: dict[str, dict[Holder, dict[str, bool]]] = {}  # key → declared
        self._places: dict[str, tuple[str, Holder]] = {}
        self._held: dict[str, int] = {}  # by sender

    def hold(self, key: str, step: Step, *, declared: bool = True) -> None:
        """A key entered the table, or is known better."""
        if key in self._places:
            sender, holder = self._places[key]
            self._holders[sender][holder][key] |= declared
            return
        sender, holder = step.sender, (step.service or "", step.agent or "")
        self._places[key] = sender, holder
        self._holders.setdefault(sender, {}).setdefault(holder, {})[key] = declared
        self._held[sender] = self._held.get(sender, 0) + 1

    def release(self, key: str) -> None:
        """A key left the table."""
        place = self._places.pop(key, None)
        if place is None:
            return
        sender, holder = place
        keys = self._holders[sender][holder]
        del keys[key]
        self._held[sender] -= 1
        if not keys:
            del self._holders[sender][holder]
        if not self._held[sender]:
            del self._holders[sender], self._held[sender]

    def heaviest(self) -> str:
        """The key that must leave. Of equal holders the newest gives way: names cost nothing."""
        holders = self._holders[max(reversed(self._held), key=self._held.__getitem__)]
        keys = holders[max(reversed(holders), key=lambda holder: len(holders[holder]))]
        return next((key for key, declared in keys.items() if not declared), next(iter(keys)))

    @property
    def most(self) -> Holding | None:
        """The sender that holds most, and its service and agent that hold most of that."""
        return most_of(
            (sender, service, agent, float(len(keys)))
            for sender, holders in self._holders.items()
            for (service, agent), keys in holders.items()
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
