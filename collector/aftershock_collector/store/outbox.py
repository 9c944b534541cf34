"""The outbox: what must still be told to whom, kept beside the findings until it was.

An entry is made in the transaction that records its finding, so a crash neither forgets a page nor
sends it twice to a receiver that had confirmed it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from aftershock_collector.store.writer import Store

ERROR_CHARS_MAX = 500  # what a receiver said: enough to act on, not a page of HTML


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery whose time has come."""

    id: int
    claim_id: str
    state: str
    receiver: str
    body: str
    attempts: int  # made before this one
    queued_at_ns: int


class Outbox:
    """Deliveries of one store. Methods may be called from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, now_ns: int, limit: int = 32, receiver: str | None = None) -> list[Due]:
        """What should be sent now, longest waiting first; to one receiver or to all.

        What a finding's closing says waits until its opening was delivered or given up.
        """
        rows = self._store.select(
            "SELECT id, claim_id, state, receiver, body, attempts, queued_at_ns"
            " FROM deliveries AS mine WHERE next_attempt_ns <= ? AND (? IS NULL OR receiver = ?)"
            " AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier"
            " WHERE earlier.claim_id = mine.claim_id AND earlier.receiver = mine.receiver"
            " AND earlier.id < mine.id AND earlier.next_attempt_ns IS NOT NULL)"
            " ORDER BY next_attempt_ns, id LIMIT ?",
            (now_ns, receiver, receiver, limit),
        )
        return [Due(*row) for row in rows]

    def told(self, claim_id: str, state: str, receiver: str) -> bool:
        """True where the receiver has confirmed this."""
        rows = self._store.select(
            "SELECT 1 FROM deliveries WHERE claim_id = ? AND state = ? AND receiver = ?"
            " AND delivered_at_ns IS NOT NULL",
            (claim_id, state, receiver),
        )
        return bool(rows)

    def delivered(self, delivery: int, at_ns: int) -> None:
        """The receiver confirmed it."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, delivered_at_ns = ?,"
            " next_attempt_ns = NULL, error = NULL WHERE id = ?",
            at_ns,
            delivery,
        )

    def postpone(self, delivery: int, next_attempt_ns: int, error: str) -> None:
        """It did not work; try again then."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, next_attempt_ns = ?, error = ?"
            " WHERE id = ?",
            next_attempt_ns,
            error[:ERROR_CHARS_MAX],
            delivery,
        )

    def give_up(self, delivery: int, error: str) -> None:
        """The receiver will never take it; kept with its error, so that somebody can see it."""
        self._settle(
            "UPDATE deliveries SET attempts = attempts + 1, next_attempt_ns = NULL, error = ?"
            " WHERE id = ?",
            error[:ERROR_CHARS_MAX],
            delivery,
        )

    def counts(self) -> Counter[str]:
        """Deliveries by state of affairs: delivered, waiting, given_up."""
        rows = self._store.select(
            "SELECT CASE WHEN delivered_at_ns IS NOT NULL THEN 'delivered'"
            " WHEN next_attempt_ns IS NULL THEN 'given_up' ELSE 'waiting' END, count(*)"
            " FROM deliveries GROUP BY 1"
        )
        return Counter(dict(rows))

    def _settle(self, statement: str, *values: int | str) -> None:
        with self._store.transaction() as connection:
            connection.execute(statement, values)
