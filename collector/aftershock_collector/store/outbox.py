"""The outbox: messages that receivers must still get, kept beside the findings until they have.

An entry is made in the transaction that records its finding, so a crash neither forgets a page nor
sends it twice to a receiver that had confirmed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from aftershock_collector.store.interface import Due, State
from aftershock_collector.store.writer import SqliteStore

ERROR_CHARS_MAX = 500  # of a receiver's answer: enough to act on, not a page of HTML


class SqliteOutbox:
    """`Outbox` of one SQLite store. Methods may be called from any thread."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def on_queued(self, listener: Callable[[], None]) -> None:
        """Call something after each report whose deliveries were queued, in the writer's thread."""
        self._store.listeners.append(listener)

    def due(self, now_ns: int, limit: int = 32, receiver: str | None = None) -> list[Due]:
        """Deliveries to send now, to one receiver or to all: urgent first, then oldest first.

        An update or a closing waits until its opening was delivered or given up.
        """
        rows = self._store.select(
            "SELECT id, subject, state, receiver, body, attempts, queued_at_ns, incident,"
            " (SELECT later.body FROM deliveries AS later WHERE mine.state = 'opened'"
            " AND later.subject = mine.subject AND later.receiver = mine.receiver"
            " AND later.state = 'closed' AND later.next_attempt_ns IS NOT NULL)"
            " FROM deliveries AS mine WHERE next_attempt_ns <= ? AND (? IS NULL OR receiver = ?)"
            " AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier"
            " WHERE earlier.subject = mine.subject AND earlier.receiver = mine.receiver"
            " AND earlier.id < mine.id AND earlier.next_attempt_ns IS NOT NULL)"
            " ORDER BY urgent DESC, next_attempt_ns, id LIMIT ?",
            (now_ns, receiver, receiver, limit),
        )
        return [
            Due(identity, subject, State(state), to, body, attempts, queued, incident, closing)
            for identity, subject, state, to, body, attempts, queued, incident, closing in rows
        ]

    def next_ns(self, receiver: str) -> int | None:
        """When the next delivery to a receiver is due; None where none waits."""
        ((due_ns,),) = self._store.select(
            "SELECT min(next_attempt_ns) FROM deliveries"
            " WHERE receiver = ? AND next_attempt_ns IS NOT NULL",
            (receiver,),
        )
        return due_ns

    def is_queued(self, subject: str) -> bool:
        """True where an opening about this subject was ever queued, for whichever receiver."""
        statement = "SELECT 1 FROM deliveries WHERE subject = ? AND state = 'opened' LIMIT 1"
        return bool(self._store.select(statement, (subject,)))

    def confirmed(self, subject: str, receiver: str) -> bool:
        """True where the receiver confirmed the opening."""
        return bool(self._opening("1", subject, receiver))

    def receipt(self, subject: str, receiver: str) -> str | None:
        """What the receiver answered to the opening, where an update needs it."""
        rows = self._opening("receipt", subject, receiver)
        return rows[0][0] if rows else None

    def delivered(self, delivery: int, at_ns: int, receipt: str | None = None) -> None:
        """The receiver confirmed it."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, delivered_at_ns = ?,"
            " next_attempt_ns = NULL, error = NULL, receipt = ? WHERE id = ?",
            at_ns,
            receipt,
            delivery,
        )

    def postpone(self, delivery: int, next_attempt_ns: int, error: str) -> None:
        """The attempt failed; the next one is at `next_attempt_ns`."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, next_attempt_ns = ?, error = ?"
            " WHERE id = ?",
            next_attempt_ns,
            error[:ERROR_CHARS_MAX],
            delivery,
        )

    def give_up(self, delivery: int, error: str) -> None:
        """No attempt will follow; the row stays with its error, so that a person can see it."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, next_attempt_ns = NULL, error = ?"
            " WHERE id = ?",
            error[:ERROR_CHARS_MAX],
            delivery,
        )

    def counts(self) -> Counter[str]:
        """Deliveries by outcome: delivered, waiting, given_up."""
        rows = self._store.select(
            "SELECT CASE WHEN delivered_at_ns IS NOT NULL THEN 'delivered'"
            " WHEN next_attempt_ns IS NULL THEN 'given_up' ELSE 'waiting' END, count(*)"
            " FROM deliveries GROUP BY 1"
        )
        return Counter(dict(rows))

    def _opening(self, column: str, subject: str, receiver: str) -> list[tuple[str | None]]:
        return self._store.select(
            f"SELECT {column} FROM deliveries WHERE subject = ? AND receiver = ?"  # noqa: S608
            " AND state = 'opened' AND delivered_at_ns IS NOT NULL",
            (subject, receiver),
        )

    def _settle(self, statement: str, *values: int | str | None) -> None:
        with self._store.transaction() as connection:
            connection.execute(statement, values)
