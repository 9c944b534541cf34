"""Forgetting: everything that the store holds of some runs, removed so that no byte stays.

SQLite leaves deleted rows in free pages and in its log. Here both are overwritten and cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftershock.fingerprints.keyed import hash_subject
from aftershock_collector.access.run_owners import APART
from aftershock_collector.store.sqlite_errors import translated
from aftershock_collector.store.writer import SqliteStore

AUDIT_FILE = "forgotten.jsonl"  # one line for each time; names nothing of what was forgotten
SUBJECT_CHARS_MIN = 4  # shorter ones are in everything
# Everything that belongs to the runs in the table `gone`, in the order in which it goes.
BY_RUN: Mapping[str, str] = {
    "responses": "incident IN (SELECT number FROM incidents_gone)",
    "deliveries": (
        "incident IN (SELECT number FROM incidents_gone)"
        " OR subject IN (SELECT id FROM claims WHERE run_id IN (SELECT run_id FROM gone))"
    ),
    "incidents": "number IN (SELECT number FROM incidents_gone)",
    "incident_findings": "incident IN (SELECT number FROM incidents_gone)",
    "feedback": "claim_id IN (SELECT id FROM claims WHERE run_id IN (SELECT run_id FROM gone))",
    "claims": "run_id IN (SELECT run_id FROM gone)",
    "impacts": "run_id IN (SELECT run_id FROM gone)",
    "tickets": "json_extract(body, '$.run') IN (SELECT run_id FROM gone)",
    "canaries": "json_extract(body, '$.run') IN (SELECT run_id FROM gone)",
    "run_agents": "run IN (SELECT id FROM runs WHERE run_id IN (SELECT run_id FROM gone))",
    "spans": "run IN (SELECT id FROM runs WHERE run_id IN (SELECT run_id FROM gone))",
    "events": "run IN (SELECT id FROM runs WHERE run_id IN (SELECT run_id FROM gone))",
    "runs": "run_id IN (SELECT run_id FROM gone)",
}
DELIVERED = "SELECT receiver, count(*) FROM deliveries WHERE delivered_at_ns IS NOT NULL AND "
# Rows that are no run's own, and may name one: their key, and what is searched.
LOOSE: Mapping[str, tuple[str, str]] = {
    "spans": ("id", "body"),  # of no agent
    "changes": ("id", "body"),
    "suspects": ("alert_id", "body"),
    "snapshots": ("name", "body"),
    "deliveries": ("id", "body"),
    "mutes": ("number", "body"),
    "tickets": ("number", "body"),
    "canaries": ("number", "body"),
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, or would be."""

    runs: tuple[str, ...]
    rows: Mapping[str, int]  # by table
    sent: Mapping[str, int]  # pages that receivers already hold, by receiver


def runs_about(store: SqliteStore, subject: str) -> list[str]:
    """Runs that mention a subject: as text, or as the fingerprint of an argument."""
    needles = _needles(subject)
    origins = {row for row, body in _rows(store, "origins", "id", "body") if _has(body, needles)}
    found: dict[str, None] = {}
    statement = (
        "SELECT run_id, {0}.body, resource, scope FROM {0} JOIN runs ON runs.id = {0}.run"
        " ORDER BY {0}.id"
    )
    for table in ("spans", "events"):
        for run_id, body, *of in store.select(statement.format(table)):
            if run_id not in found and (_has(body, needles) or not origins.isdisjoint(of)):
                found[run_id] = None
    for table in ("claims", "impacts"):
        for run_id, body in _rows(store, table, "run_id", "body"):
            if _has(body, needles):
                found[run_id] = None
    for run_id, agent, service in store.select("SELECT run_id, agent, service FROM runs"):
        if _has(f"{run_id} {agent} {service}", needles):
            found[run_id] = None
    return list(found)


def siblings_of(store: SqliteStore, run_id: str) -> list[str]:
    """A run, and the runs that hold what other senders added to it."""
    first = run_id + APART
    statement = "SELECT run_id FROM runs WHERE run_id = ? OR (run_id >= ? AND run_id < ?)"
    return [one for (one,) in store.select(statement, (run_id, first, first + "g"))]


def forget(
    store: SqliteStore, runs: Collection[str], subject: str | None = None, *, really: bool
) -> Forgotten:
    """Remove runs, and what else mentions them or the subject.

    `really`: False removes nothing, and says what would be. The store must have no other writer.
    """
    needles = [*_needles(subject), *(run_id.lower().encode() for run_id in runs)]
    if subject is None:
        needles = [run_id.lower().encode() for run_id in runs]
    store.select("PRAGMA secure_delete = ON")
    rows: dict[str, int] = {}
    sent: dict[str, int] = {}
    try:
        with store.transaction() as connection:
            connection.execute("CREATE TEMP TABLE gone (run_id TEXT PRIMARY KEY)")
            connection.executemany("INSERT INTO gone VALUES (?)", [(one,) for one in runs])
            connection.execute(
                "CREATE TEMP TABLE incidents_gone AS SELECT DISTINCT incident AS number"
                " FROM incident_findings WHERE run_id IN (SELECT run_id FROM gone)"
            )
            one_of = f"({BY_RUN['deliveries']}) GROUP BY receiver"
            sent = dict(connection.execute(DELIVERED + one_of).fetchall())
            for table, condition in BY_RUN.items():
                statement = f"DELETE FROM {table} WHERE {condition}"  # noqa: S608
                rows[table] = connection.execute(statement).rowcount
            for table, (key, column) in LOOSE.items():
                loose = [
                    row for row, body in _rows(store, table, key, column) if _has(body, needles)
                ]
                connection.executemany(
                    f"DELETE FROM {table} WHERE {key} = ?",  # noqa: S608
                    [(row,) for row in loose],
                )
                rows[table] = rows.get(table, 0) + len(loose)
            unused = (
                "DELETE FROM origins WHERE id NOT IN (SELECT resource FROM spans UNION"
                " SELECT scope FROM spans UNION SELECT resource FROM events UNION"
                " SELECT scope FROM events)"
            )
            rows["origins"] = connection.execute(unused).rowcount
            connection.execute("DROP TABLE gone")
            connection.execute("DROP TABLE incidents_gone")
            if not really:
                raise _Undone  # noqa: TRY301
    except _Undone:
        pass
    else:
        with translated():
            store.select("PRAGMA wal_checkpoint(TRUNCATE)")
    return Forgotten(tuple(runs), {table: count for table, count in rows.items() if count}, sent)


class _Undone(Exception):  # noqa: N818  (never leaves this module)
    """Rolls back what was only counted."""


def record(home: Path, forgotten: Forgotten, by: str, because: str, at: str) -> None:
    """Add a line to the audit file: who, when, why and how much, and nothing of what it was."""
    line = {
        "at": at,
        "by": by,
        "because": because,
        "runs": len(forgotten.runs),
        "rows": dict(forgotten.rows),
    }
    place = home / AUDIT_FILE
    file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with closing(os.fdopen(file, "a", encoding="utf-8")) as written:
        written.write(json.dumps(line) + "\n")


def _needles(subject: str | None) -> list[bytes]:
    if subject is None:
        return []
    low = subject.lower()
    escaped = json.dumps(low)[1:-1]
    return list(
        dict.fromkeys([low.encode(), escaped.encode(), f"={hash_subject(subject)}".encode()])
    )


def _has(body: bytes | str | None, needles: Collection[bytes]) -> bool:
    if body is None:
        return False
    low = (body.encode("utf-8", "replace") if isinstance(body, str) else bytes(body)).lower()
    return any(needle in low for needle in needles)


def _rows(store: SqliteStore, table: str, key: str, column: str) -> Iterator[tuple[Any, Any]]:
    where = " WHERE run IS NULL" if table == "spans" else ""
    yield from store.select(f"SELECT {key}, {column} FROM {table}{where}")  # noqa: S608
