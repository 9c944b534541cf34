"""Reading the embedded store, from any process, while another one writes it.

Every reader has its own read-only connection; what it sees is one consistent moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from aftershock.model import Change, Claim, Feedback, Impact, Step
from aftershock.policy.policy import Policy
from aftershock_collector.access.run_owners import APART
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.clocks import grounded
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.store.database import connect
from aftershock_collector.store.incidents import Incident, Mute, Response
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.run_summary import RunSummary, summary_of
from aftershock_collector.store.schema import MIGRATIONS
from aftershock_collector.store.serialization import from_text
from aftershock_collector.store.sqlite_errors import translated

NS = 10**9
LOCK_WAIT_S = 5.0  # a person waits this long for a list; only recovery after a crash locks readers
SENT = "(SELECT name FROM senders WHERE senders.id = sender), arrived_s, body, resource, scope"
ROWS_AT_ONCE = 64  # of spans and events: few, because one may be as large as a request
ORIGINS_BYTES_MAX = 4_000_000  # resources and scopes kept while one run is read


class Reader:
    """Read-only view of aftershock.db. Not to be shared between threads at the same time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Reader:
        """Open an existing file; raises StoreUnavailable where there is none (`cannot_open`)."""
        with translated():
            connection = connect(path, LOCK_WAIT_S, read_only=True)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != len(MIGRATIONS):
            connection.close()
            raise StoreUnavailable(
                "other_version",
                f"{path} has schema {version}, this version reads {len(MIGRATIONS)}",
            )
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def moment(self) -> Generator[None]:
        """Everything read inside is of one moment, however much is written meanwhile."""
        with translated():
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    # --- Runs --------------------------------------------------------------------------------

    def runs(
        self,
        *,
        limit: int = 50,
        since_ns: int = 0,
        until_ns: int = 2**62,
        agent: str | None = None,
        prefix: str = "",
    ) -> list[RunSummary]:
        """Newest first: runs that were at work between two moments.

        `agent` narrows to runs in which it took part, `prefix` to run ids that begin with it.
        """
        rows = self._all(
            "SELECT id, run_id, agent, service, began_at_ns, last_ns FROM runs"
            " WHERE acts AND last_ns >= ? AND began_at_ns <= ? AND (? IS NULL OR id IN"
            " (SELECT run FROM run_agents WHERE agent = ?)) AND substr(run_id, 1, ?) = ?"
            " ORDER BY last_ns DESC, id DESC LIMIT ?",
            (since_ns, until_ns, agent, agent, len(prefix), prefix, limit),
        )
        return [summary_of(row, self._all) for row in rows]

    def live_since(self, since_ns: int, limit: int = 2_000) -> list[str]:
        """Runs whose newest step or heartbeat is since then (their own time), newest first."""
        rows = self._all(
            "SELECT run_id FROM runs WHERE acts AND last_ns >= ? ORDER BY last_ns DESC LIMIT ?",
            (since_ns, limit),
        )
        return [run_id for (run_id,) in rows]

    def newest_run(self) -> int:
        """The highest row of a run; 0 where there is none."""
        return self._all("SELECT coalesce(max(id), 0) FROM runs")[0][0]

    def run_row(self, run_id: str) -> int | None:
        """The row of a run: rows grow in the order in which runs first arrive."""
        rows = self._all("SELECT id FROM runs WHERE run_id = ?", (run_id,))
        return rows[0][0] if rows else None

    def steps(self, run_id: str, policy: Policy, newest: int | None = None) -> list[Step]:
        """A run's steps, read again from what arrived, in event order.

        `newest`: of the newest so many spans, and as many events, only.
        """
        found: list[Step] = []
        for sender, arrived_s, *row in self._sent("spans", run_id, newest):
            step = read(decode_span(*row), policy)
            if step is not None:
                sent = replace(step, run_id=run_id, sender=sender)
                found.append(grounded(sent, (arrived_s + 1) * NS))
        for sender, arrived_s, *row in self._sent("events", run_id, newest):
            read_as = read_event(decode_log(*row), policy)
            if isinstance(read_as, Step):
                sent = replace(read_as, run_id=run_id, sender=sender)
                found.append(grounded(sent, (arrived_s + 1) * NS))
        return sorted(found, key=lambda step: (step.began_at_ns, step.span_id, step.name))

    def spans(self, run_id: str, newest: int | None = None) -> Iterator[Span]:
        """A run's spans as they arrived, oldest first; or the newest so many, newest first."""
        return (decode_span(*row) for _, _, *row in self._sent("spans", run_id, newest))

    def events(self, run_id: str, newest: int | None = None) -> Iterator[LogEvent]:
        """A run's log events as they arrived, in the same order."""
        return (decode_log(*row) for _, _, *row in self._sent("events", run_id, newest))

    def owner(self, run_id: str) -> str:
        """The sender that opened a run; "" where that is not known, or no agent acted in it."""
        statement = (
            "SELECT name FROM runs JOIN senders ON senders.id = sender WHERE run_id = ? AND acts"
        )
        rows = self._all(statement, (run_id,))
        return rows[0][0] if rows else ""

    def apart(self, run_id: str, limit: int = 10) -> list[tuple[str, str]]:
        """(run id, sender) of the runs that hold what other senders added to a run."""
        first = run_id + APART
        return self._all(
            "SELECT run_id, name FROM runs JOIN senders ON senders.id = sender"
            " WHERE run_id >= ? AND run_id < ? AND acts ORDER BY run_id LIMIT ?",
            (first, first + "g", limit),
        )

    # --- Claims and changes --------------------------------------------------------------------

    def claims(
        self,
        run_id: str | None = None,
        *,
        open_only: bool = False,
        since_ns: int = 0,
        prefix: str = "",
        after: int = 0,
        limit: int = 1_000,
    ) -> list[Claim]:
        """Findings with their lives, newest first; one run's or everybody's.

        `prefix` narrows to findings whose id begins with it; `after` passes over so many.
        """
        rows = self._all(
            "SELECT body FROM claims WHERE (? IS NULL OR run_id = ?) AND opened_at_ns >= ?"
            " AND (NOT ? OR closed_at_ns IS NULL) AND substr(id, 1, ?) = ?"
            " ORDER BY opened_at_ns DESC, id LIMIT ? OFFSET ?",
            (run_id, run_id, since_ns, open_only, len(prefix), prefix, limit, after),
        )
        return [from_text(Claim, body) for (body,) in rows]

    def number_of(self, claim: Claim) -> int:
        """The number of one life of a finding: short, and the same for ever. 0: not stored."""
        rows = self._all(
            "SELECT number FROM claims WHERE id = ? AND opened_at_ns = ?",
            (claim.finding.id, claim.opened_at_ns),
        )
        return rows[0][0] if rows else 0

    def claim(self, number: int) -> Claim | None:
        """The finding with a number."""
        rows = self._all("SELECT body FROM claims WHERE number = ?", (number,))
        return from_text(Claim, rows[0][0]) if rows else None

    def suspects(
        self, name: str = "", *, began_ns: int = 0, until_ns: int = 2**62, limit: int = 1_000
    ) -> list[Suspects]:
        """Rankings of alerts, newest first; `name` narrows to names and ids that begin with it."""
        rows = self._all(
            "SELECT body FROM suspects WHERE began_at_ns BETWEEN ? AND ?"
            " AND (substr(name, 1, ?) = ? OR substr(alert_id, 1, ?) = ?)"
            " ORDER BY began_at_ns DESC, alert_id LIMIT ?",
            (began_ns, until_ns, len(name), name, len(name), name, limit),
        )
        return [from_text(Suspects, body) for (body,) in rows]

    def feedback(self) -> list[Feedback]:
        """Everybody's feedback, oldest first."""
        return [
            from_text(Feedback, b) for (b,) in self._all("SELECT body FROM feedback ORDER BY id")
        ]

    def unreported_feedback(self) -> list[tuple[int, Feedback, Claim]]:
        """(row, feedback, newest life of its finding) that no collector has acted on yet."""
        rows = self._all(
            "SELECT feedback.id, feedback.body, claims.body FROM feedback"
            " JOIN claims ON claims.id = feedback.claim_id AND claims.opened_at_ns ="
            " (SELECT max(opened_at_ns) FROM claims AS lives WHERE lives.id = feedback.claim_id)"
            " WHERE reported_at_ns IS NULL ORDER BY feedback.id"
        )
        return [
            (row, from_text(Feedback, given), from_text(Claim, claim)) for row, given, claim in rows
        ]

    def impacts_named(self, name: str, limit: int = 100) -> list[Impact]:
        """Attributions of actions whose span id or tool begins with `name`, newest action first."""
        rows = self._all(
            "SELECT body FROM impacts WHERE substr(span_id, 1, ?) = ?"
            " OR substr(json_extract(body, '$.tool'), 1, ?) = ?"
            " ORDER BY acted_at_ns DESC, span_id, entity LIMIT ?",
            (len(name), name, len(name), name, limit),
        )
        return [from_text(Impact, body) for (body,) in rows]

    def impacts(self, run_id: str) -> list[Impact]:
        """The attributions of a run's actions, in the order of the actions."""
        rows = self._all(
            "SELECT body FROM impacts WHERE run_id = ? ORDER BY acted_at_ns, entity", (run_id,)
        )
        return [from_text(Impact, body) for (body,) in rows]

    def delivered(self, run_id: str) -> list[tuple[str, int, str]]:
        """(receiver, when in ns, body) of messages about a run's findings, in order of delivery."""
        return self._all(
            "SELECT receiver, delivered_at_ns, body FROM deliveries"
            " WHERE delivered_at_ns IS NOT NULL"
            " AND (subject IN (SELECT id FROM claims WHERE run_id = ?)"
            " OR incident IN (SELECT incident FROM incident_findings WHERE run_id = ?))"
            " ORDER BY delivered_at_ns, id",
            (run_id, run_id),
        )

    def unclosed(self, prefix: str) -> str | None:
        """The newest subject that begins so, whose messages were opened and not closed."""
        rows = self._all(
            "SELECT subject FROM deliveries WHERE substr(subject, 1, ?) = ?"
            " AND subject NOT IN (SELECT subject FROM deliveries WHERE state = 'closed')"
            " ORDER BY id DESC LIMIT 1",
            (len(prefix), prefix),
        )
        return rows[0][0] if rows else None

    def changes(self, began_ns: int, until_ns: int, limit: int = 1_000) -> list[Change]:
        """What changed outside the agents between two moments, or was still going on then."""
        rows = self._all(
            "SELECT body FROM changes WHERE began_at_ns <= ?"
            " AND (began_at_ns >= ? OR ended_at_ns >= ?) ORDER BY began_at_ns LIMIT ?",
            (until_ns, began_ns, began_ns, limit),
        )
        return [from_text(Change, body) for (body,) in rows]

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        tables = (
            "runs",
            "spans",
            "events",
            "changes",
            "claims",
            "impacts",
            "suspects",
            "feedback",
            "deliveries",
            "incidents",
            "responses",
            "mutes",
        )
        statements = ((table, f"SELECT count(*) FROM {table}") for table in tables)  # noqa: S608
        return {table: self._all(statement)[0][0] for table, statement in statements}

    # --- Incidents -----------------------------------------------------------------------------

    def incidents(
        self,
        *,
        open_only: bool = False,
        run_id: str | None = None,
        since_ns: int = 0,
        until_ns: int = 2**62,
        limit: int = 1_000,
    ) -> list[Incident]:
        """Newest first: those that were open at some time between two moments."""
        rows = self._all(
            "SELECT body FROM incidents WHERE (NOT ? OR closed_at_ns IS NULL)"
            " AND opened_at_ns <= ? AND coalesce(closed_at_ns, ?) >= ? AND (? IS NULL OR number IN"
            " (SELECT incident FROM incident_findings WHERE run_id = ?))"
            " ORDER BY number DESC LIMIT ?",
            (open_only, until_ns, 2**62, since_ns, run_id, run_id, limit),
        )
        return [from_text(Incident, body) for (body,) in rows]

    def incident(self, number: int) -> Incident | None:
        """The incident with a number."""
        rows = self._all("SELECT body FROM incidents WHERE number = ?", (number,))
        return from_text(Incident, rows[0][0]) if rows else None

    def claims_of(self, incident: int, limit: int = 1_000) -> list[Claim]:
        """The findings of an incident with their lives, oldest first."""
        rows = self._all(
            "SELECT body FROM claims WHERE id IN (SELECT claim_id FROM incident_findings"
            " WHERE incident = ?) ORDER BY opened_at_ns, id LIMIT ?",
            (incident, limit),
        )
        return [from_text(Claim, body) for (body,) in rows]

    def newest_incident(self) -> int:
        """The highest number that was ever given to an incident; 0 before the first."""
        rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'incidents'")
        return rows[0][0] if rows else 0

    def responses(self, incident: int) -> list[Response]:
        """Acknowledgements and snoozes of an incident, oldest first."""
        statement = "SELECT body FROM responses WHERE incident = ? ORDER BY id"
        return [from_text(Response, body) for (body,) in self._all(statement, (incident,))]

    def unapplied_responses(self) -> list[tuple[int, Response]]:
        """(row, response) that no collector has applied yet, oldest first."""
        statement = "SELECT id, body FROM responses WHERE applied_at_ns IS NULL ORDER BY id"
        return [(row, from_text(Response, body)) for row, body in self._all(statement)]

    def mutes(self, at_ns: int | None = None) -> list[Mute]:
        """Mutes, newest first: those in force at a moment, or all that are kept."""
        rows = self._all(
            "SELECT body FROM mutes WHERE ? IS NULL OR (given_at_ns <= ?"
            " AND (until_ns IS NULL OR until_ns > ?)) ORDER BY number DESC",
            (at_ns, at_ns, at_ns),
        )
        return [from_text(Mute, body) for (body,) in rows]

    def snapshot(self, name: str) -> bytes | None:
        """What `Store.save_snapshot` kept last under a name."""
        rows = self._all("SELECT body FROM snapshots WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    # --- Inside --------------------------------------------------------------------------------

    def _sent(self, table: str, run_id: str, newest: int | None) -> Iterator[Any]:
        """(sender, arrived_s, body, resource's body, scope's body), a few rows at a time."""
        when = "began_at_ns" if table == "spans" else "time_ns"
        statement = (
            f"SELECT {SENT} FROM {table}"  # noqa: S608  (words of our own)
            " WHERE run = (SELECT id FROM runs WHERE run_id = ?)"
            f" ORDER BY {when} {'' if newest is None else 'DESC'} LIMIT ?"
        )
        origins: dict[int, bytes] = {}
        with translated():
            cursor = self._connection.execute(statement, (run_id, -1 if newest is None else newest))
            while rows := cursor.fetchmany(ROWS_AT_ONCE):  # a run may be large
                for *sent, resource, scope in rows:
                    yield *sent, self._origin(origins, resource), self._origin(origins, scope)

    def _origin(self, kept: dict[int, bytes], place: int) -> bytes:
        body = kept.get(place)
        if body is None:
            statement = "SELECT body FROM origins WHERE id = ?"
            (body,) = self._connection.execute(statement, (place,)).fetchone()
            if sum(map(len, kept.values())) > ORIGINS_BYTES_MAX:
                kept.clear()
            kept[place] = body
        return body

    def _all(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        with translated():
            return self._connection.execute(statement, tuple(values)).fetchall()
