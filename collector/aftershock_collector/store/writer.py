"""The embedded store: one SQLite file, one writer, everything durable in transactions.

Journal: a write-ahead log, so that other processes read while this one writes. `synchronous` is
FULL: NORMAL would already survive kill -9, but an acknowledgement must also survive the power cut
that ends the incident; one fsync (1–4 ms) is shared by everything that waited for the commit.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aftershock.model import Change, Claim, Report, Step
from aftershock_collector.access.run_owners import apart
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.store.database import PAGE_BYTES, connect
from aftershock_collector.store.home_lock import private_folder
from aftershock_collector.store.incidents import Incident, Mute, Response
from aftershock_collector.store.interface import (
    Appended,
    Delivery,
    Pruned,
    State,
    StoreRefused,
    StoreUnavailable,
)
from aftershock_collector.store.pruned import PRUNED
from aftershock_collector.store.rows import (
    RowIds,
    agent_of,
    change_row,
    claim_row,
    event_row,
    impact_row,
    incident_finding_rows,
    incident_row,
    runs_in,
    span_row,
    suspects_row,
)
from aftershock_collector.store.schema import (
    APPLICATION_ID,
    CHANGE_IN,
    CLAIM_IN,
    CLAIM_UPDATE,
    DELIVERY_IN,
    DELIVERY_REFRESH,
    EVENT_IN,
    FEEDBACK_INSERT,
    FEEDBACK_REPORTED,
    IMPACT_IN,
    INCIDENT_FINDING_IN,
    INCIDENT_IN,
    MIGRATIONS,
    RESPONSE_APPLIED,
    RESPONSE_INSERT,
    RUN_AGENT_IN,
    RUN_APART,
    RUN_IN,
    SENDER_IN,
    SNAPSHOT_IN,
    SPAN_IN,
    SUSPECTS_IN,
)
from aftershock_collector.store.serialization import from_text, to_text
from aftershock_collector.store.sqlite_errors import translated
from aftershock_collector.store.upgrade import REWRITES

CACHE_KB = 32_768  # the upper levels of every index at ten million spans
CHECKPOINT_PAGES = 1_000  # 16 MB: the log stays small and a checkpoint takes under 0.1 s
LOCK_WAIT_S = 0.25  # then the caller gets an error; it may queue the write and try again
ORIGINS_CACHED_MAX = 1_024  # processes that send at one time; some 500 bytes each, ...
ORIGINS_BYTES_MAX = 16_000_000  # ... and the largest one that a request can bring
ORIGIN_REFRESH_S = 3_600  # how stale the time of an origin's newest use may be
FUTURE_NS = 10**9  # that a run may lie ahead of our clock in lists: what clocks usually differ by
PRUNE_ROWS_MAX = 5_000  # at a time: 0.1 s in which nothing else is stored

_NS = 1_000_000_000


class SqliteStore:
    """`Store` in one SQLite file. Methods may be called from any thread; one runs at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.trouble: str | None = None  # why the newest write failed; None: it worked
        self._connection = connection
        state = path.stat()
        self._file = (state.st_dev, state.st_ino)
        self._turn = threading.RLock()
        self.listeners: list[Callable[[], None]] = []  # called after deliveries were queued
        self._origins: dict[bytes, tuple[int, int]] = {}  # body → id, time of newest use
        self._origins_bytes = 0
        self._senders: dict[str, int] = {}  # name → id

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        """Open or make the file and bring its schema up to date."""
        private_folder(path.parent)
        with translated():
            path.touch(mode=0o600)
            path.chmod(0o600)  # SQLite gives its log and its index the same mode
            connection = connect(path, LOCK_WAIT_S)
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that pruning frees disk
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        store = cls(path, connection)
        store._migrate()
        return store

    def close(self) -> None:
        """Write the log back into the file and let go of it."""
        with self._turn, translated():
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All of it or nothing; raises StoreUnavailable or StoreRefused."""
        with self._turn:
            self.check_file()
            try:
                with translated():
                    yield from self._transaction()
            except StoreUnavailable as error:
                self.trouble = error.reason
                raise
            self.trouble = None

    def check_file(self) -> None:
        """Raise StoreUnavailable once the file was removed: writes to it would be lost."""
        try:
            state = self.path.stat()
        except OSError:
            state = None
        if state is None or (state.st_dev, state.st_ino) != self._file:
            self.trouble = "removed"
            raise StoreUnavailable("removed", f"{self.path} was removed or replaced: restart")

    def _transaction(self) -> Generator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            self._origins.clear()  # ids that this transaction made are gone with it
            self._senders.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def append(
        self,
        spans: Sequence[tuple[Span, Step | None]],
        events: Sequence[tuple[LogEvent, Step | None]],
        changes: Sequence[Change],
        arrived_ns: int,
    ) -> Appended:
        """Keep what arrived, each with the step that it was read as (`None`: no agent's step).

        Of one sender's records of one span the one that ended later stays; anything else that is
        known is left alone.
        """
        arrived_s = arrived_ns // _NS
        with self.transaction() as connection:
            steps = [step for _, step in spans if step] + [step for _, step in events if step]
            runs = self._runs(steps, arrived_s)
            ids = RowIds(runs, self._origin, self._sender)
            span_rows = [span_row(*span, ids, arrived_s) for span in spans]
            event_rows = [event_row(*event, ids, arrived_s) for event in events]
            before = connection.total_changes
            connection.executemany(SPAN_IN, span_rows)
            after_spans = connection.total_changes
            connection.executemany(EVENT_IN, event_rows)
            after_events = connection.total_changes
            connection.executemany(CHANGE_IN, [change_row(c, arrived_s) for c in changes])
            after_changes = connection.total_changes
        given = len(spans) + len(events) + len(changes)
        return Appended(
            after_spans - before,
            after_events - after_spans,
            after_changes - after_events,
            given - (after_changes - before),
        )

    def record(  # noqa: PLR0917
        self,
        report: Report,
        deliveries: Iterable[Delivery],
        arrived_ns: int,
        suspects: Iterable[Suspects] = (),
        feedback: Iterable[int] = (),
        incidents: Iterable[Incident] = (),
        responses: Iterable[int] = (),
    ) -> int:
        """Keep a report, rankings of suspects, incidents and pages, in one transaction.

        `feedback` and `responses` are rows of people's decisions that this report acts on.
        Returns how many deliveries are new. An opening that was not sent yet gets the new text.
        """
        arrived_s = arrived_ns // _NS
        with self.transaction() as connection:
            for claim in (*report.opened, *report.updated, *report.closed):
                row = claim_row(claim, arrived_s)
                if connection.execute(CLAIM_UPDATE, row).rowcount == 0:  # no open life of it
                    connection.execute(CLAIM_IN, row)
            impacts = [impact_row(impact, arrived_s) for impact in report.impacts]
            connection.executemany(IMPACT_IN, impacts)
            changes = [change_row(change, arrived_s) for change in report.changes]
            connection.executemany(CHANGE_IN, changes)
            rankings = [suspects_row(ranking, arrived_s) for ranking in suspects]
            connection.executemany(SUSPECTS_IN, rankings)
            connection.executemany(FEEDBACK_REPORTED, [(arrived_ns, row) for row in feedback])
            connection.executemany(RESPONSE_APPLIED, [(arrived_ns, row) for row in responses])
            for incident in incidents:
                connection.execute(INCIDENT_IN, incident_row(incident, arrived_s))
                connection.executemany(INCIDENT_FINDING_IN, incident_finding_rows(incident))
            queued = [_queue(connection, delivery, arrived_ns) for delivery in deliveries]
        if queued:
            for listener in self.listeners:
                listener()
        return sum(queued)

    def feedback(self, over: Claim, arrived_ns: int) -> None:
        """Keep a person's feedback and the finding that it closed, in one transaction.

        The collector that works on this store reads it at its next tick and updates the pages.
        """
        assert over.feedback is not None, "feedback closed this claim"
        row = claim_row(over, arrived_ns // _NS)
        text = to_text(over.feedback)
        with self.transaction() as connection:
            connection.execute(FEEDBACK_INSERT, (over.finding.id, over.feedback.given_at_ns, text))
            connection.execute(CLAIM_IN, row)

    def respond(self, response: Response) -> None:
        """Keep an acknowledgement or a snooze; the collector applies it at its next tick."""
        row = (response.incident, response.given_at_ns, to_text(response))
        with self.transaction() as connection:
            connection.execute(RESPONSE_INSERT, row)

    def mute(self, mute: Mute) -> int:
        """Keep a mute; returns its number."""
        statement = "INSERT INTO mutes (given_at_ns, until_ns, body) VALUES (?, ?, ?)"
        with self.transaction() as connection:
            row = (mute.given_at_ns, mute.until_ns, to_text(mute))
            number = connection.execute(statement, row).lastrowid or 0
            text = to_text(replace(mute, number=number))
            connection.execute("UPDATE mutes SET body = ? WHERE number = ?", (text, number))
        return number

    def unmute(self, number: int, by: str, at_ns: int) -> bool:
        """End a mute early; False where there is no such mute or it had ended."""
        with self.transaction() as connection:
            statement = "SELECT body FROM mutes WHERE number = ?"
            found = connection.execute(statement, (number,)).fetchone()
            mute = None if found is None else from_text(Mute, found[0])
            if mute is None or not mute.holds(at_ns):
                return False
            text = to_text(replace(mute, ended_by=by, ended_at_ns=at_ns))
            statement = "UPDATE mutes SET until_ns = ?, body = ? WHERE number = ?"
            connection.execute(statement, (at_ns, text, number))
        return True

    def save_snapshot(self, name: str, body: bytes, at_ns: int) -> None:
        """Replace what a part of the collector needs to continue after a restart."""
        with self.transaction() as connection:
            connection.execute(SNAPSHOT_IN, (name, at_ns, body))

    def select(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Rows as this store's own connection sees them; for lists, open a Reader."""
        with self._turn, translated():
            return self._connection.execute(statement, values).fetchall()

    def size_bytes(self) -> int:
        """What the rows use of the file; pages that pruning freed do not count."""
        ((pages,),) = self.select("PRAGMA page_count")
        ((free,),) = self.select("PRAGMA freelist_count")
        return (pages - free) * PAGE_BYTES

    def prune(self, before_ns: int, bytes_max: int) -> Pruned:
        """Remove what arrived before `before_ns`, and the oldest spans while there is too much.

        Does a bounded piece of work; call again while `more`.
        """
        before_s = before_ns // _NS
        crowded = self.size_bytes() > bytes_max
        rows: dict[str, int] = {}
        with self.transaction() as connection:
            for table in ("spans", "events"):
                any_age = crowded and table == "spans"
                old = "" if any_age else f"AND arrived_s < {int(before_s)}"
                oldest = f"SELECT coalesce(min(id), 0) FROM {table}"  # noqa: S608
                (first,) = connection.execute(oldest).fetchone()
                statement = f"DELETE FROM {table} WHERE id < ? {old}"  # noqa: S608
                rows[table] = connection.execute(statement, (first + PRUNE_ROWS_MAX,)).rowcount
            for table, condition in PRUNED:
                statement = f"DELETE FROM {table} WHERE {condition}"  # noqa: S608
                rows[table] = connection.execute(statement, {"before_s": before_s}).rowcount
            if rows["origins"]:
                self._origins.clear()
        with self._turn, translated():  # as a script: `execute` would free one page and stop
            self._connection.executescript(f"PRAGMA incremental_vacuum({PRUNE_ROWS_MAX})")
        more = any(rows[table] >= PRUNE_ROWS_MAX for table in ("spans", "events"))
        return Pruned(rows, more or (crowded and rows["spans"] > 0))

    # --- Inside ------------------------------------------------------------------------------

    def _migrate(self) -> None:
        ((version,),) = self.select("PRAGMA user_version")
        ((application,),) = self.select("PRAGMA application_id")
        if version and application != APPLICATION_ID:
            raise StoreRefused(f"{self.path} is a database of another program")
        if version > len(MIGRATIONS):
            raise StoreRefused(
                f"{self.path} has schema {version}, this version knows {len(MIGRATIONS)}: "
                "it was written by a newer aftershock"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            with self.transaction() as connection:
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement)
                if number in REWRITES:
                    REWRITES[number](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")

    def _runs(self, steps: Sequence[Step], arrived_s: int) -> dict[str, int]:
        """Make or extend the runs that these steps belong to; run id → row id."""
        found: dict[str, int] = {}
        ahead_ns = arrived_s * _NS + FUTURE_NS  # a wrong clock must not lead every list for ever
        for run in runs_in(steps):
            sender = self._sender(run.sender)
            if run.acts:
                services = (apart(run.run_id, "services"), run.run_id, sender)
                self._connection.execute(RUN_APART, services)
            times = (min(run.began_ns, ahead_ns), min(run.last_ns, ahead_ns))
            about = (run.run_id, run.agent, run.service)
            row = (*about, *times, arrived_s, run.acts, sender, run.outermost)
            (found[run.run_id],) = self._connection.execute(RUN_IN, row).fetchone()
        agents = {(found[step.run_id], agent_of(step)) for step in steps}
        named = [(run, agent) for run, agent in agents if agent]
        self._connection.executemany(RUN_AGENT_IN, named)
        return found

    def _sender(self, name: str) -> int:
        known = self._senders.get(name)
        if known is None:
            if len(self._senders) >= ORIGINS_CACHED_MAX:
                self._senders.clear()
            (known,) = self._connection.execute(SENDER_IN, (name,)).fetchone()
            self._senders[name] = known
        return known

    def _origin(self, body: bytes, arrived_s: int) -> int:
        known = self._origins.get(body)
        if known is not None and arrived_s - known[1] < ORIGIN_REFRESH_S:
            return known[0]
        self._origins_bytes += len(body) if known is None else 0
        if len(self._origins) >= ORIGINS_CACHED_MAX or self._origins_bytes > ORIGINS_BYTES_MAX:
            self._origins.clear()
            self._origins_bytes = len(body)
        (identity,) = self._connection.execute(
            "INSERT INTO origins (digest, arrived_s, body) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET arrived_s = max(arrived_s, excluded.arrived_s)"
            " RETURNING id",
            (hashlib.blake2b(body, digest_size=16).digest(), arrived_s, body),
        ).fetchone()
        self._origins[body] = (identity, arrived_s)
        return identity


def _queue(connection: sqlite3.Connection, delivery: Delivery, at_ns: int) -> int:
    """Rows that queueing one delivery added: none where it is known."""
    due_ns = at_ns + delivery.wait_ns
    if delivery.state in {State.OPENED, State.UPDATED} and delivery.incident is not None:
        values = (delivery.body, delivery.urgent, due_ns, delivery.subject, delivery.receiver)
        if connection.execute(DELIVERY_REFRESH, values).rowcount:
            return 0
    row = (
        delivery.subject, delivery.incident, delivery.state.value, delivery.revision,
        delivery.receiver, delivery.urgent, delivery.body, at_ns, due_ns,
    )  # fmt: skip
    return connection.execute(DELIVERY_IN, row).rowcount
