"""What agents, users and everybody used up today, as this process knows it.

The collector counts for every process and hands its counts over: to the first call that needs them,
and with each poll. What this process used since then is added. Without the collector its last
word holds, with what this process used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aftershock.guard.protocol import read_day_row
from aftershock.runs.day_spending import DaySpent, Scope

if TYPE_CHECKING:
    from aftershock.gate.budgets import Today

FOLLOWED_MAX = 1_000  # agents and users of one process; the first ones are let go of

Name = tuple[Scope, str]


class Counted(NamedTuple):
    """A count of the collector, and what this process had used when it came."""

    day: int
    used: DaySpent
    own: DaySpent


class DayCounts:
    """Replaced value by value, so that readers on other threads, and forks, need no lock."""

    def __init__(self, own: Today) -> None:
        """`own`: what this process used."""
        self._own = own
        self._followed: dict[Name, None] = {}
        self._counted: dict[Name, Counted] = {}
        self.version: int | None = None  # of what the collector last sent

    def follow(self, names: Iterable[Name]) -> list[Name]:
        """Follow counts from now on; returns those that were not followed before."""
        new = [name for name in names if name not in self._followed]
        for name in new:
            self._followed[name] = None
        while len(self._followed) > FOLLOWED_MAX:
            oldest = next(iter(self._followed))
            self._followed.pop(oldest, None)
            self._counted.pop(oldest, None)
        return new

    def wanted(self) -> list[dict[str, str]]:
        """What the collector is asked to count, as JSON."""
        return [{"scope": str(scope), "name": name} for scope, name in list(self._followed)]

    def apply(self, answer: Mapping[str, Any]) -> None:
        """Take over what the collector counted. Raises KeyError, TypeError or ValueError."""
        day = int(answer["day"])
        for body in answer["counts"]:
            row = read_day_row(body)
            own = self._own(row.scope, row.name, day)
            self._counted[row.scope, row.name] = Counted(day, row.used, own)
        self.version = int(answer["version"])

    def used(self, scope: Scope, name: str, day: int) -> DaySpent:
        """What was used up on a day, as far as it is known here."""
        own = self._own(scope, name, day)
        counted = self._counted.get((scope, name))
        if counted is None or counted.day != day:
            return own
        return counted.used.plus(own.since(counted.own)).at_least(own)
