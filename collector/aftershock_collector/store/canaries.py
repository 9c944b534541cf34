"""Canaries: the steps of rollouts that were let pass, and how they ended.

A step begins in one transaction with the judgement that it is the next one, so that two processes
cannot both begin it, and a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aftershock.approval import Gate
from aftershock.gate.admission import Reason
from aftershock.gate.assumptions import Measured
from aftershock.gate.canary import REMEMBERED_NS, Canary, CanaryState, amount_now, judge
from aftershock_collector.store.serialization import from_text, to_text
from aftershock_collector.store.writer import SqliteStore

STEPS_MAX = 500  # of one tool, and of one list
SELECT = "SELECT number, body FROM canaries WHERE begun_at_ns > ?"


class SqliteCanaries:
    """Canaries of one store. Methods may be called from any thread."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def of_tool(self, tool: str, now_ns: int) -> list[Canary]:
        """The steps of a tool that still count, newest first."""
        return self._read(" AND tool = ?", now_ns - REMEMBERED_NS, tool)

    def newest(self, now_ns: int) -> list[Canary]:
        """The steps of every tool that still count, newest first."""
        return self._read("", now_ns - REMEMBERED_NS)

    def begin(
        self, wanted: Canary, current: Measured | None, if_unknown: Gate
    ) -> tuple[Canary | None, list[Reason]]:
        """Begin a step, or say why it is not the next one. The same call may ask again."""
        now_ns = wanted.begun_at_ns
        with self._store.transaction() as connection:
            rows = connection.execute(
                f"{SELECT} AND tool = ? ORDER BY number DESC LIMIT ?",
                (now_ns - REMEMBERED_NS, wanted.call.tool, STEPS_MAX),
            ).fetchall()
            steps = [replace(from_text(Canary, body), number=number) for number, body in rows]
            known = next((one for one in steps if one.nonce == wanted.nonce), None)
            if known is not None:
                return known, []
            found = judge(wanted.call, steps, current, now_ns, if_unknown)
            reasons = [reason for reason in found if reason.gate is Gate.DENY]
            if reasons:
                return None, reasons
            seen = [one.seen_at(now_ns) for one in steps]
            begun = replace(wanted, before=amount_now(wanted.call, seen, current))
            number = connection.execute(
                "INSERT INTO canaries (tool, begun_at_ns, body) VALUES (?, ?, ?)",
                (begun.call.tool, now_ns, to_text(begun)),
            ).lastrowid
        return replace(begun, number=number or 0), []

    def change(self, number: int, **changes: Any) -> Canary | None:
        """Change a step; returns it as it is then. None: there is none of this number."""
        with self._store.transaction() as connection:
            row = connection.execute(
                "SELECT body FROM canaries WHERE number = ?", (number,)
            ).fetchone()
            if row is None:
                return None
            changed = replace(from_text(Canary, row[0]), number=number, **changes)
            connection.execute(
                "UPDATE canaries SET body = ? WHERE number = ?", (to_text(changed), number)
            )
        return changed

    def release(self, number: int, by: str, because: str, now_ns: int) -> tuple[bool, str]:
        """Let a rollout go on after a step. (True, its tool), or (False, why not)."""
        found = next((one for one in self.newest(now_ns) if one.number == number), None)
        if found is None:
            return False, f"there is no canary {number} of the last day"
        state = found.seen_at(now_ns).state
        if state not in {CanaryState.STOPPED, CanaryState.UNMEASURED}:
            return False, f"canary {number} is {state}: there is nothing to release"
        self.change(number, state=CanaryState.RELEASED, by=by, because=because)
        return True, found.call.tool

    def _read(self, condition: str, since_ns: int, *values: str) -> list[Canary]:
        rows: Sequence[tuple[int, str]] = self._store.select(
            f"{SELECT}{condition} ORDER BY number DESC LIMIT ?", (since_ns, *values, STEPS_MAX)
        )
        return [replace(from_text(Canary, body), number=number) for number, body in rows]
