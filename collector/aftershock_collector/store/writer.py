"""The embedded store: one SQLite file, one writer, everything durable in transactions.

Journal: a write-ahead log, so that other processes read while this one writes. `synchronous` is
FULL: NORMAL would already survive kill -9, but an acknowledgement must also survive the power cut
that ends the incident; one fsync (1–4 ms) is shared by everything that waited for the commit.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aftershock.model import Change, Claim, Report, Step, StepKind
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.store import serialization
from aftershock_collector.store.rows import (
    change_row,
    claim_row,
    event_row,
    impact_row,
    span_row,
    suspects_row,
)
from aftershock_collector.store.schema import (
    APPLICATION_ID,
    CHANGE_IN,
    CLAIM_IN,
    CLAIM_UPDATE,
    DELIVERY_IN,
    EVENT_IN,
    FEEDBACK_INSERT,
    FEEDBACK_REPORTED,
    IMPACT_IN,
    MIGRATIONS,
    RUN_IN,
    SPAN_IN,
    SUSPECTS_IN,
)

PAGE_BYTES = 16_384  # a dozen spans to a page: as fast as 4 kB and less space lost at the ends
CACHE_KB = 32_768  # the upper levels of every index at ten million spans
CHECKPOINT_PAGES = 1_000  # 16 MB: the log stays small and a checkpoint takes under 0.1 s
LOCK_WAIT_S = 0.25  # then the caller hears of it; whoever queues may wait longer
ORIGINS_CACHED_MAX = 1_024  # processes that send at one time; some 500 bytes each
ORIGIN_REFRESH_S = 3_600  # how stale the time of an origin's newest use may be
PRUNE_ROWS_MAX = 5_000  # at a time: 0.1 s in which nothing else is stored

_NS = 1_000_000_000
_REASONS = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_IOERR: "input_output",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_NOMEM: "out_of_memory",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


class StoreUnavailable(Exception):  # noqa: N818  (it says what the store is)
    """The store cannot write now (`reason`: full, locked, …); the same write may work later."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreRefused(ValueError):  # noqa: N818  (it says what the store did)
    """What was given cannot be stored, now or later."""


class Appended(NamedTuple):
    """What one append added; what is missing from these numbers was known already."""

    spans: int
    events: int
    changes: int
    duplicates: int


class Delivery(NamedTuple):
    """One thing to tell one receiver about one state of one finding."""

    claim_id: str
    state: str
    receiver: str
    body: str


class Pruned(NamedTuple):
    """Rows that were removed, by table; `more` where another call has work left."""

    rows: Mapping[str, int]
    more: bool


class Store:
    """The only writer. Methods may be called from any thread; they take turns."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.trouble: str | None = None  # why the newest write failed; None: it worked
        self._connection = connection
        self._turn = threading.RLock()
        self._origins: dict[bytes, tuple[int, int]] = {}  # body → id, time of newest use

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open or make the file and bring its schema up to date."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with translated():
            connection = sqlite3.connect(
                path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
            )
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
            try:
                with translated():
                    yield from self._transaction()
            except StoreUnavailable as error:
                self.trouble = error.reason
                raise
            self.trouble = None

    def _transaction(self) -> Generator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            self._origins.clear()  # ids that this transaction made are gone with it
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

        A span that ended replaces its open version; anything else that is known is left alone.
        """
        arrived_s = arrived_ns // _NS
        with self.transaction() as connection:
            steps = [step for _, step in spans if step] + [step for _, step in events if step]
            runs = self._runs(steps, arrived_s)
            span_rows = [span_row(*span, runs, self._origin, arrived_s) for span in spans]
            event_rows = [event_row(*event, runs, self._origin, arrived_s) for event in events]
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

    def record(
        self,
        report: Report,
        deliveries: Iterable[Delivery],
        arrived_ns: int,
        suspects: Iterable[Suspects] = (),
        votes: Iterable[int] = (),
    ) -> int:
        """Keep a report, rankings of suspects and what must be told of them, in one transaction.

        `votes` are the rows of people's verdicts that this report tells of.
        Returns how many deliveries are new: one page per finding, state and receiver.
        """
        with self.transaction() as connection:
            for claim in (*report.opened, *report.updated, *report.closed):
                row = claim_row(claim, arrived_ns // _NS)
                if connection.execute(CLAIM_UPDATE, row).rowcount == 0:  # no open life of it
                    connection.execute(CLAIM_IN, row)
            impacts = [impact_row(impact, arrived_ns // _NS) for impact in report.impacts]
            connection.executemany(IMPACT_IN, impacts)
            changes = [change_row(change, arrived_ns // _NS) for change in report.changes]
            connection.executemany(CHANGE_IN, changes)
            rankings = [suspects_row(ranking, arrived_ns // _NS) for ranking in suspects]
            connection.executemany(SUSPECTS_IN, rankings)
            connection.executemany(
                FEEDBACK_REPORTED, [(arrived_ns, feedback) for feedback in votes]
            )
            before = connection.total_changes
            told = [(*delivery, arrived_ns, arrived_ns) for delivery in deliveries]
            connection.executemany(DELIVERY_IN, told)
            return connection.total_changes - before

    def feedback(self, over: Claim, arrived_ns: int) -> None:
        """Keep a person's verdict, and the finding that it closed, in one transaction.

        Whoever judges this store picks the vote up and tells those who were paged.
        """
        assert over.feedback is not None, "a vote closed this claim"
        row = claim_row(over, arrived_ns // _NS)
        text = serialization.feedback_text(over.feedback)
        with self.transaction() as connection:
            connection.execute(FEEDBACK_INSERT, (over.finding.id, over.feedback.given_at_ns, text))
            connection.execute(CLAIM_IN, row)

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
            for table, condition in _PRUNED_WHOLE:
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
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number}")

    def _runs(self, steps: Iterable[Step], arrived_s: int) -> dict[str, int]:
        """Make or extend the runs that these steps belong to; run id → row id."""
        seen: dict[str, list[Any]] = {}
        for step in steps:
            run = seen.get(step.run_id)
            if run is None:
                run = seen[step.run_id] = [None, step.service, step.began_at_ns, 0, False, False]
            run[2] = min(run[2], step.began_at_ns)
            run[3] = max(run[3], step.last_ns)
            run[5] |= step.kind is not StepKind.OUTGOING
            outermost = step.kind is StepKind.AGENT and step.parent_id is None
            if outermost or (run[0] is None and not run[4]):
                run[0] = step.agent or (step.name if outermost else None)
                run[4] = outermost and run[0] is not None
        found: dict[str, int] = {}
        for run_id, (agent, service, began, last, outermost, acts) in seen.items():
            row = (run_id, agent, service, began, last, arrived_s, acts, outermost)
            (found[run_id],) = self._connection.execute(RUN_IN, row).fetchone()
        return found

    def _origin(self, body: bytes, arrived_s: int) -> int:
        known = self._origins.get(body)
        if known is not None and arrived_s - known[1] < ORIGIN_REFRESH_S:
            return known[0]
        if len(self._origins) >= ORIGINS_CACHED_MAX:
            self._origins.clear()
        (identity,) = self._connection.execute(
            "INSERT INTO origins (digest, arrived_s, body) VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET arrived_s = max(arrived_s, excluded.arrived_s)"
            " RETURNING id",
            (hashlib.blake2b(body, digest_size=16).digest(), arrived_s, body),
        ).fetchone()
        self._origins[body] = (identity, arrived_s)
        return identity


# An origin's time of use may be stale by ORIGIN_REFRESH_S; the second hour is a margin.
_PRUNED_WHOLE = (
    ("changes", "arrived_s < :before_s"),
    ("claims", "arrived_s < :before_s AND closed_at_ns IS NOT NULL"),
    ("impacts", "arrived_s < :before_s"),
    ("suspects", "arrived_s < :before_s"),
    ("deliveries", "queued_at_ns / 1000000000 < :before_s AND next_attempt_ns IS NULL"),
    (
        "runs",
        (
            "arrived_s < :before_s AND NOT EXISTS (SELECT 1 FROM spans WHERE run = runs.id)"
            " AND NOT EXISTS (SELECT 1 FROM events WHERE run = runs.id)"
        ),
    ),
    ("origins", f"arrived_s < :before_s - {2 * ORIGIN_REFRESH_S}"),
)


@contextmanager
def translated() -> Generator[None]:
    """SQLite's errors as ours: can't now, or can't ever."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        reason = None if code is None else _REASONS.get(code & 0xFF)
        if reason is not None:
            raise StoreUnavailable(reason, str(error)) from error
        raise StoreRefused(str(error)) from error
    except (OverflowError, TypeError, ValueError) as error:
        if isinstance(error, StoreRefused):
            raise
        raise StoreRefused(str(error)) from error
