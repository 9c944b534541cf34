"""Reading the embedded store, from any process, while another one writes it.

Every reader has its own read-only connection; what it sees is one consistent moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from aftershock.attributes import EVENT_STARTED
from aftershock.model import Change, Claim, Feedback, Impact, Step
from aftershock.policy.policy import Policy
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.store import serialization
from aftershock_collector.store.schema import MIGRATIONS
from aftershock_collector.store.writer import StoreUnavailable, translated

LOCK_WAIT_S = 5.0  # a person waits this long for a list; only recovery after a crash locks readers

_ORIGINS = (
    " JOIN origins AS resources ON resources.id = resource JOIN origins AS scopes"
    " ON scopes.id = scope"
)
_OPEN_EVENTS = """
    SELECT count(*) FROM events WHERE run = ? AND name = ? AND NOT EXISTS (
        SELECT 1 FROM spans WHERE spans.trace_id = events.trace_id
        AND spans.span_id = events.span_id)
"""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs."""

    run_id: str
    agent: str | None
    service: str | None
    began_at_ns: int
    last_ns: int  # newest sign of life
    ended_at_ns: int | None  # None: not known to be over
    steps: Mapping[str, int]  # by kind
    failed: int  # steps that reported an error
    open: int  # steps that started and have not ended
    warnings: int  # findings, open or closed, of level warn
    alarms: int


class Reader:
    """Read-only view of aftershock.db. Not to be shared between threads at the same time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Reader:
        """Open an existing file; raises StoreUnavailable where there is none (`cannot_open`)."""
        with translated():
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=ro",
                uri=True,
                timeout=LOCK_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != len(MIGRATIONS):
            connection.close()
            raise StoreUnavailable(
                "other_version",
                f"{path} has schema {version}, this version reads {len(MIGRATIONS)}",
            )
        return cls(connection)

    def close(self) -> None:
        """Let go of the file."""
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
        agent: str | None = None,
        prefix: str = "",
    ) -> list[RunSummary]:
        """Newest first; `prefix` narrows to run ids that begin with it."""
        rows = self._all(
            "SELECT id, run_id, agent, service, began_at_ns, last_ns FROM runs"
            " WHERE acts AND last_ns >= ? AND (? IS NULL OR agent = ?) AND substr(run_id, 1, ?) = ?"
            " ORDER BY last_ns DESC, id DESC LIMIT ?",
            (since_ns, agent, agent, len(prefix), prefix, limit),
        )
        return [self._summary(row) for row in rows]

    def live_since(self, since_ns: int, limit: int = 2_000) -> list[str]:
        """Runs that were heard of since then (their own time), newest first."""
        rows = self._all(
            "SELECT run_id FROM runs WHERE acts AND last_ns >= ? ORDER BY last_ns DESC LIMIT ?",
            (since_ns, limit),
        )
        return [run_id for (run_id,) in rows]

    def newest_run(self) -> int:
        """The row of the run that was first heard of last; 0 where there is none."""
        return self._all("SELECT coalesce(max(id), 0) FROM runs")[0][0]

    def run_row(self, run_id: str) -> int | None:
        """The row of a run: rows grow in the order in which runs are first heard of."""
        rows = self._all("SELECT id FROM runs WHERE run_id = ?", (run_id,))
        return rows[0][0] if rows else None

    def steps(self, run_id: str, policy: Policy) -> list[Step]:
        """A run's steps, read again from what arrived, in event order."""
        found: list[Step] = []
        for span in self.spans(run_id):
            step = read(span, policy)
            if step is not None:
                found.append(step)
        for event in self.events(run_id):
            read_as = read_event(event, policy)
            if isinstance(read_as, Step):
                found.append(read_as)
        return sorted(found, key=lambda step: (step.began_at_ns, step.span_id, step.name))

    def spans(self, run_id: str) -> Iterator[Span]:
        """A run's spans as they arrived."""
        statement = (
            f"SELECT spans.body, resources.body, scopes.body FROM spans{_ORIGINS}"  # noqa: S608
            " WHERE run = (SELECT id FROM runs WHERE run_id = ?) ORDER BY began_at_ns"
        )
        return (decode_span(*row) for row in self._all(statement, (run_id,)))

    def events(self, run_id: str) -> Iterator[LogEvent]:
        """A run's log events as they arrived."""
        statement = (
            f"SELECT events.body, resources.body, scopes.body FROM events{_ORIGINS}"  # noqa: S608
            " WHERE run = (SELECT id FROM runs WHERE run_id = ?) ORDER BY time_ns"
        )
        return (decode_log(*row) for row in self._all(statement, (run_id,)))

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
        return [serialization.claim_from_text(body) for (body,) in rows]

    def number_of(self, claim: Claim) -> int:
        """Which of all findings a claim is, counted from 1, the newest."""
        opened, identity = claim.opened_at_ns, claim.finding.id
        rows = self._all(
            "SELECT count(*) FROM claims WHERE opened_at_ns > ? OR (opened_at_ns = ? AND id < ?)",
            (opened, opened, identity),
        )
        return 1 + rows[0][0]

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
        return [serialization.suspects_from_text(body) for (body,) in rows]

    def votes(self) -> list[Feedback]:
        """Every verdict of a person, oldest first."""
        return [
            serialization.feedback_from_text(b)
            for (b,) in self._all("SELECT body FROM votes ORDER BY id")
        ]

    def unreported_feedback(self) -> list[tuple[int, Feedback, Claim]]:
        """(row, vote, newest life of its finding) of verdicts that no collector has told of."""
        rows = self._all(
            "SELECT votes.id, votes.body, claims.body FROM votes"
            " JOIN claims ON claims.id = votes.claim_id AND claims.opened_at_ns ="
            " (SELECT max(opened_at_ns) FROM claims AS lives WHERE lives.id = votes.claim_id)"
            " WHERE told_at_ns IS NULL ORDER BY votes.id"
        )
        return [
            (row, serialization.feedback_from_text(feedback), serialization.claim_from_text(claim))
            for row, feedback, claim in rows
        ]

    def impacts_named(self, name: str, limit: int = 100) -> list[Impact]:
        """Verdicts on actions whose span id or tool begins with `name`, newest action first."""
        rows = self._all(
            "SELECT body FROM impacts WHERE substr(span_id, 1, ?) = ?"
            " OR substr(json_extract(body, '$.tool'), 1, ?) = ?"
            " ORDER BY acted_at_ns DESC, span_id, entity LIMIT ?",
            (len(name), name, len(name), name, limit),
        )
        return [serialization.impact_from_text(body) for (body,) in rows]

    def impacts(self, run_id: str) -> list[Impact]:
        """The verdicts on a run's actions, in the order of the actions."""
        rows = self._all(
            "SELECT body FROM impacts WHERE run_id = ? ORDER BY acted_at_ns, entity", (run_id,)
        )
        return [serialization.impact_from_text(body) for (body,) in rows]

    def told(self, run_id: str) -> list[tuple[str, int, str]]:
        """(receiver, when in ns, body) of what was delivered about a run's findings, in order."""
        return self._all(
            "SELECT receiver, delivered_at_ns, body FROM deliveries"
            " WHERE delivered_at_ns IS NOT NULL"
            " AND claim_id IN (SELECT id FROM claims WHERE run_id = ?)"
            " ORDER BY delivered_at_ns, id",
            (run_id,),
        )

    def changes(self, began_ns: int, until_ns: int, limit: int = 1_000) -> list[Change]:
        """What changed outside the agents between two moments, or was still going on then."""
        rows = self._all(
            "SELECT body FROM changes WHERE began_at_ns <= ?"
            " AND (began_at_ns >= ? OR ended_at_ns >= ?) ORDER BY began_at_ns LIMIT ?",
            (until_ns, began_ns, began_ns, limit),
        )
        return [serialization.change_from_text(body) for (body,) in rows]

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
            "votes",
            "deliveries",
        )
        statements = ((table, f"SELECT count(*) FROM {table}") for table in tables)  # noqa: S608
        return {table: self._all(statement)[0][0] for table, statement in statements}

    # --- Inside --------------------------------------------------------------------------------

    def _all(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        with translated():
            return self._connection.execute(statement, tuple(values)).fetchall()

    def _summary(self, row: tuple[int, str, str | None, str | None, int, int]) -> RunSummary:
        run, run_id, agent, service, began, last = row
        kinds = self._all(
            "SELECT kind, count(*), sum(failed), count(ended_at_ns), max(ended_at_ns)"
            " FROM spans WHERE run = ? GROUP BY kind",
            (run,),
        )
        ((begun,),) = self._all(_OPEN_EVENTS, (run, EVENT_STARTED))
        frames = [row for row in kinds if row[0] == "agent" and row[1] == row[3]]
        levels = dict(
            self._all(
                "SELECT level, count(*) FROM claims WHERE run_id = ? GROUP BY level", (run_id,)
            )
        )
        return RunSummary(
            run_id=run_id,
            agent=agent,
            service=service,
            began_at_ns=began,
            last_ns=last,
            ended_at_ns=frames[0][4] if frames else None,
            steps={kind: count for kind, count, *_ in kinds},
            failed=sum(failed for _, _, failed, *_ in kinds),
            open=begun + sum(count - ended for _, count, _, ended, _ in kinds),
            warnings=levels.get("warn", 0),
            alarms=levels.get("alarm", 0),
        )
