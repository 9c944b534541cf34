"""Who gives up a place in a table that is full: a flood must hurt the flooder.

Of all senders the one that holds most gives up a place; there, of its services and agents the one
that holds most; there, what nobody declared before what the operator declared, the oldest first.
"""

from __future__ import annotations

from aftershock.model import Step

Holder = tuple[str, str]  # service, agent


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
