"""PostgreSQL's log: stderr with a prefix, csvlog, jsonlog; statements, durations, plans, pgAudit.

The trace comes back in a comment of the statement (sqlcommenter) or in `application_name`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aftershock.fingerprints.outcomes import error_class
from aftershock_collector.reading.links import link_in_text
from aftershock_collector.reading.logs.line import (
    Logged,
    Record,
    document,
    link_anywhere,
    moment,
    number,
    text,
)
from aftershock_collector.reading.logs.statements import logged

_LEVEL = re.compile(
    r"^(?P<prefix>[^\n]{0,600}?)\b(?P<level>LOG|ERROR|FATAL|PANIC|WARNING):\s+(?P<message>.*)",
    re.DOTALL,
)
_LEVEL_MARK = re.compile(r"\b(?:LOG|ERROR|FATAL|PANIC|WARNING):  ")
_BEGINS = re.compile(
    r"[^\t\n][^\n]*?\b(?:DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC):  "
    r"|(?:ERROR|FATAL|LOG):  "
)
_CSV_BEGINS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^,\s]+,")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:UTC|GMT|[+-]\d\d(?::?\d\d)?\b))?"
)
_USER_AT = re.compile(r"(?<![\w.@-])[\w.$-]{1,63}@([\w.$-]{1,63})")
_DATABASE = re.compile(r"\b(?:db|database|dbname)=([\w.$-]{1,63})")
_STATE = re.compile(r"\b(?:sqlstate|state|code|e|err)=([0-9A-Z]{5})\b")
_EXECUTED = re.compile(
    r"(?:duration: [\d.]+ ms  )?(?:statement|execute [^:\n]{1,128}): (.*)", re.DOTALL
)
_PLAN = re.compile(r"duration: [\d.]+ ms  plan:\s+Query Text: (.*)", re.DOTALL)
_NODE = re.compile(r"\n\s*\S[^\n]*?  \(cost=")
_CHANGED = re.compile(r"\n\s*(?:->\s+)?(?:Delete|Update|Insert|Merge) on [^\n]*")
_ACTUAL = re.compile(r"actual (?:time=\S+ )?rows=(\d+)(?:\.\d+)? loops=(\d+)")
_STATEMENT = re.compile(r"\bSTATEMENT:\s+(.*)", re.DOTALL)
# SQLSTATE classes and codes that are not the fault of what was asked: resources, locks, shutdown,
# the system, ourselves.
_OWN_CLASSES = ("53", "57", "58", "XX", "F0")
_OWN_CODES = frozenset({"40P01", "55P03", "54000"})
_ASKED_CODES = frozenset({"57014"})  # a statement that took longer than its session allows
_OWN_WORDS = re.compile(
    r"deadlock detected|lock timeout|too many clients|connection slots|out of (?:shared )?memory"
    r"|No space left|could not (?:extend|write|read|open|fsync)|disk full|terminating connection"
    r"|crash|PANIC|is shutting down|starting up",
    re.IGNORECASE,
)
_CSV_FIELDS = 23  # of the oldest supported version; later ones add behind them


class _Entry(NamedTuple):
    """One entry of the log, whichever way it was written."""

    level: str
    message: str
    written: str  # its time
    database: str
    application: str  # or the whole prefix, which the server wrote
    state: str  # SQLSTATE; "": not logged
    statement: str  # that failed
    is_forgeable: bool = False  # a client may have written what looks like the server's words


def read_postgresql(record: Record) -> list[Logged]:
    """What one entry says was done for a trace."""
    entry = _entry_of(record)
    if entry is None:
        return []
    found = _failed(entry) if entry.level in {"ERROR", "FATAL", "PANIC"} else _done(entry)
    return [one._replace(open_to_all=True) for one in found] if entry.is_forgeable else found


def begins_postgresql(line: str, _held: str) -> bool:
    """True where a line is the first of an entry: details, statements and texts belong to one."""
    return bool(_CSV_BEGINS.match(line)) or line.startswith("{") or bool(_BEGINS.match(line))


# --- Three ways to write an entry ----------------------------------------------------------------


def _entry_of(record: Record) -> _Entry | None:
    fields = document(record)
    if fields:
        return _of_json(fields)
    if not isinstance(record, str):
        return None
    if _CSV_BEGINS.match(record):
        return _of_csv(record)
    found = _LEVEL.match(record)
    if found is None:
        return None
    prefix, message = found["prefix"], found["message"]
    database = _DATABASE.search(prefix) or _USER_AT.search(prefix)
    written, state = _TIME.search(prefix), _STATE.search(prefix)
    failed = _STATEMENT.search(message) if found["level"] != "LOG" else None
    if failed is not None:  # on a line of its own, behind a prefix of its own
        line = message.rfind("\n", 0, failed.start())
        message = message[: failed.start() if line < 0 else line]
    return _Entry(
        found["level"],
        message,
        written[0] if written else "",
        database[1] if database else "",
        prefix,
        state[1] if state else "",
        failed[1] if failed else "",
        # The name of a client stands before the level: it may be called `LOG:  statement: …`.
        is_forgeable=_LEVEL_MARK.search(record.partition("\n")[0], found.start("message"))
        is not None,
    )


def _of_json(fields: Mapping[str, Any]) -> _Entry | None:
    if "error_severity" not in fields:
        return None
    return _Entry(
        level=text(fields["error_severity"]),
        message=text(fields.get("message")),
        written=text(fields.get("timestamp")),
        database=text(fields.get("dbname")),
        application=text(fields.get("application_name")),
        state=text(fields.get("state_code")),
        statement=text(fields.get("statement")),
    )


def _of_csv(record: str) -> _Entry | None:
    try:
        rows = list(csv.reader([record], strict=False))
    except csv.Error:
        return None
    row = rows[0] if rows else []
    if len(row) < _CSV_FIELDS:
        return None
    return _Entry(row[11], row[13], row[0], row[2], row[22], row[12], row[19])


# --- What an entry says --------------------------------------------------------------------------


def _done(entry: _Entry) -> list[Logged]:
    if entry.message.startswith("AUDIT: "):
        return _audited(entry)
    plan = _PLAN.match(entry.message)
    found = plan or _EXECUTED.match(entry.message)
    if found is None:
        return []
    sql, rows = found[1], None
    if plan:
        first = _NODE.search(sql)
        sql, nodes = (sql[: first.start()], sql[first.start() :]) if first else (sql, "")
        changed = _CHANGED.search(nodes)
        rows = _rows_of_plan(nodes[changed.end() :]) if changed else None
    return _logged(entry, sql, rows=rows)


def _rows_of_plan(below: str) -> int | None:
    """What the node below the one that writes handed to it."""
    found = _ACTUAL.search(below)
    return int(found[1]) * int(found[2]) if found and len(found[0]) < 80 else None


def _audited(entry: _Entry) -> list[Logged]:
    """pgAudit: AUDIT: SESSION,1,1,WRITE,DELETE,TABLE,public.orders,"…",<none>,1200 (log_rows)."""
    try:
        rows = list(csv.reader([entry.message.removeprefix("AUDIT: ")], strict=False))
    except csv.Error:
        return []
    row = rows[0] if rows else []
    if len(row) < 8:
        return []
    return _logged(entry, row[7], rows=number(row[-1]) if len(row) > 9 else None)


def _failed(entry: _Entry) -> list[Logged]:
    statement = entry.statement or entry.message
    return _logged(entry, statement, error=entry.message)


def _is_own(entry: _Entry) -> bool:
    """True where the server failed, and not what it was asked for."""
    if entry.level == "PANIC":
        return True
    if entry.state:
        known = entry.state in _OWN_CODES or entry.state.startswith(_OWN_CLASSES)
        return known and entry.state not in _ASKED_CODES
    return bool(_OWN_WORDS.search(entry.message))


def _logged(
    entry: _Entry, sql: str, *, rows: int | None = None, error: str | None = None
) -> list[Logged]:
    link = link_in_text(sql) or link_in_text(entry.message) or link_anywhere(entry.application)
    at_ns, trouble = moment(entry.written), error is not None and _is_own(entry)
    masked = None if error is None else error_class(error.partition("\n")[0])
    return logged(link, sql, "postgres", at_ns, entry.database, rows, masked, trouble)
