"""What the runs of one day used up together: by agent, by user, and by everybody.

A day is one of UTC. Only the newest one is kept: a budget of a day asks about no other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from aftershock.model.steps import NOTHING_SPENT, Spent
from aftershock.policy.prices import COUNTED, spent_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aftershock.limits import Limits
    from aftershock.model import Step

DAY_NS = 86_400 * 1_000_000_000
NAMES_MAX = 20_000  # agents and users of one day; 5 MB. Who is beyond counts with everybody only
RUNS_MAX = 20_000  # whose newest moment is known; a forgotten run's time goes on with its next step


class Scope(StrEnum):
    """Whose runs are counted together."""

    AGENT = "agent"
    USER = "user"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class DaySpent:
    """What runs used up in one day. `wall_time_s`: each run from its first step to its last."""

    spent: Spent = NOTHING_SPENT
    wall_time_s: float = 0.0

    def plus(self, other: DaySpent) -> DaySpent:
        """Both together."""
        mine, more = self.spent, other.spent
        return DaySpent(
            Spent(
                mine.steps + more.steps,
                mine.tokens + more.tokens,
                mine.cost_usd + more.cost_usd,
                mine.tool_errors + more.tool_errors,
            ),
            self.wall_time_s + other.wall_time_s,
        )

    def since(self, before: DaySpent) -> DaySpent:
        """What was added since `before`."""
        now, then = self.spent, before.spent
        return DaySpent(
            Spent(
                now.steps - then.steps,
                now.tokens - then.tokens,
                now.cost_usd - then.cost_usd,
                now.tool_errors - then.tool_errors,
            ),
            self.wall_time_s - before.wall_time_s,
        )

    def at_least(self, other: DaySpent) -> DaySpent:
        """The greater one, amount by amount."""
        mine, more = self.spent, other.spent
        return DaySpent(
            Spent(
                max(mine.steps, more.steps),
                max(mine.tokens, more.tokens),
                max(mine.cost_usd, more.cost_usd),
                max(mine.tool_errors, more.tool_errors),
            ),
            max(self.wall_time_s, other.wall_time_s),
        )


NO_DAY_SPENT = DaySpent()


@dataclass(frozen=True, slots=True)
class DayRow:
    """One count of a day, as it is kept and sent."""

    scope: Scope
    name: str  # of the agent or the user; "" for all
    used: DaySpent


class DaySpending:
    """The counts of the newest day. Of one thread at a time."""

    def __init__(self) -> None:
        self.day = -1  # since 1970; nothing was counted before
        self._used: dict[tuple[Scope, str], DaySpent] = {}
        self._runs: OrderedDict[str, int] = OrderedDict()  # run → its newest moment

    def add(self, step: Step, agent: str | None, user: str | None, limits: Limits) -> None:
        """Count a step that has ended, on the day of its end. `limits` has the prices."""
        if step.kind not in COUNTED or step.ended_at_ns is None:
            return
        day = step.ended_at_ns // DAY_NS
        if day > self.day:
            self._begin(day)
        elif day < self.day:
            return
        used = DaySpent(spent_with(NOTHING_SPENT, step, limits), self._seconds(step))
        for scope, name in scopes_of(agent, user):
            key = scope, name
            known = self._used.get(key)
            if known is not None or len(self._used) < NAMES_MAX:
                self._used[key] = used if known is None else known.plus(used)

    def used(self, scope: Scope, name: str, day: int) -> DaySpent:
        """What was used up on a day; nothing, where another day is counted."""
        return self._used.get((scope, name), NO_DAY_SPENT) if day == self.day else NO_DAY_SPENT

    def rows(self) -> tuple[DayRow, ...]:
        """Every count of the day."""
        return tuple(DayRow(scope, name, used) for (scope, name), used in self._used.items())

    def restore(self, day: int, rows: Iterable[DayRow]) -> None:
        """Go on with what was counted before."""
        self._begin(day)
        self._used = {(row.scope, row.name): row.used for row in rows}

    def _begin(self, day: int) -> None:
        self.day, self._used = day, {}
        self._runs.clear()

    def _seconds(self, step: Step) -> float:
        """By how much a step prolongs its run, on this day."""
        assert step.ended_at_ns is not None
        since_ns = self._runs.pop(step.run_id, step.began_at_ns)
        since_ns = max(since_ns, self.day * DAY_NS)
        self._runs[step.run_id] = max(since_ns, step.ended_at_ns)
        if len(self._runs) > RUNS_MAX:
            self._runs.popitem(last=False)
        return max(0, step.ended_at_ns - since_ns) / 1e9


def scopes_of(agent: str | None, user: str | None) -> list[tuple[Scope, str]]:
    """Whose counts a step of this agent and user belongs to."""
    found = [(Scope.ALL, "")]
    if agent:
        found.append((Scope.AGENT, agent))
    if user:
        found.append((Scope.USER, user))
    return found
