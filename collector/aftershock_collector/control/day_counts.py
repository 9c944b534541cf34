"""What agents, users and everybody used up today: counted from what arrives, for every process.

The worker's thread counts; the event loop answers. A snapshot in the store carries the day over a
restart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, cast

from aftershock.guard.protocol import day_row_json
from aftershock.limits import Limits
from aftershock.model import Step
from aftershock.runs.day_spending import DAY_NS, DayRow, DaySpending, DaySpent, Scope

USERS_MAX = 20_000  # runs whose user is known; the one longest without a step is forgotten
DELAY_MAX_NS = 600 * 1_000_000_000  # an exporter holds what it could not send for about this long
WANTED_MAX = 1_000  # counts that one process follows
TEXT_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class KeptDay:
    """The counts of a day, as the store keeps them."""

    day: int
    rows: tuple[DayRow, ...]


class DayCounts:
    """Safe for threads."""

    def __init__(self, limits: Limits, now_ns: int) -> None:
        """`limits`: with the prices that the policy declares. `now_ns` makes versions its own."""
        self._limits = limits
        self._days = DaySpending()
        self._users: OrderedDict[str, str] = OrderedDict()  # run → its user
        self._lock = Lock()
        self.version = now_ns

    def record(self, steps: Iterable[Step], arrived_ns: int) -> None:
        """Count steps that have begun or ended for the first time."""
        with self._lock:
            for step in steps:
                user = self._user_of(step)
                if step.ended_at_ns is not None:
                    self._days.add(by_our_clock(step, arrived_ns), step.agent, user, self._limits)
                    self.version += 1

    def used(self, scope: Scope, name: str, day: int) -> DaySpent:
        """What was used up on a day."""
        with self._lock:
            return self._days.used(scope, name, day)

    def answer(self, wanted: Sequence[tuple[Scope, str]], now_ns: int) -> dict[str, Any]:
        """The counts of today for these, as JSON."""
        day = now_ns // DAY_NS
        with self._lock:
            rows = [DayRow(s, name, self._days.used(s, name, day)) for s, name in wanted]
            version = self.version
        return {"day": day, "version": version, "counts": list(map(day_row_json, rows))}

    def keep(self) -> KeptDay:
        """What a restart must not forget."""
        with self._lock:
            return KeptDay(self._days.day, self._days.rows())

    def restore(self, kept: KeptDay) -> None:
        """Go on with what an earlier process counted."""
        with self._lock:
            self._days.restore(kept.day, kept.rows)

    def _user_of(self, step: Step) -> str | None:
        """The user of a step, or of its run, where another step of it named one."""
        if step.user:
            self._users[step.run_id] = step.user
            if len(self._users) > USERS_MAX:
                self._users.popitem(last=False)
        user = self._users.get(step.run_id)
        if user is not None:
            self._users.move_to_end(step.run_id)
        return user


def by_our_clock(step: Step, arrived_ns: int) -> Step:
    """A step as it is; one whose sender's clock is wrong, as if it had just ended.

    Otherwise one sender could begin another day for everybody.
    """
    assert step.ended_at_ns is not None
    if 0 <= arrived_ns - step.ended_at_ns <= DELAY_MAX_NS:
        return step
    lasted_ns = max(0, step.ended_at_ns - step.began_at_ns)
    return replace(step, began_at_ns=arrived_ns - lasted_ns, ended_at_ns=arrived_ns)


def wanted_in(body: Mapping[str, Any]) -> list[tuple[Scope, str]]:
    """Whose counts a request asks for; what cannot be read is left out."""
    listed: Any = body.get("of")
    found: list[tuple[Scope, str]] = []
    for one in cast("list[Any]", listed)[:WANTED_MAX] if isinstance(listed, list) else []:
        about = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        scope, name = about.get("scope"), about.get("name")
        if scope in list(Scope) and isinstance(name, str):
            found.append((Scope(scope), name[:TEXT_CHARS_MAX]))
    return found
