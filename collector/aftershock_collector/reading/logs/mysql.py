"""MySQL and MariaDB: general log, slow log, and audit logs (JSON, MariaDB's server_audit).

The trace comes back in a comment of the statement (sqlcommenter); their command-line clients keep
comments with `--comments`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aftershock_collector.reading.links import link_in_text
from aftershock_collector.reading.logs.line import (
    Logged,
    Record,
    document,
    moment,
    number,
    table,
    text,
)
from aftershock_collector.reading.logs.statements import logged

_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_OLD = r"\d{6} +\d?\d:\d\d:\d\d"
_GENERAL = re.compile(
    rf"(?P<time>{_ISO}|{_OLD})?\t+ *\d+ (?P<command>[A-Z][a-z]+(?: [A-Za-z]+)?)\t(?P<sql>.*)",
    re.DOTALL,
)
_GENERAL_BEGINS = re.compile(rf"(?:{_ISO}|{_OLD}|\t)\t+? *\d+ [A-Z][a-z]+")
_SERVER_AUDIT = re.compile(
    r"\d{8} \d\d:\d\d:\d\d,[^,]*,[^,]*,[^,]*,\d+,\d+,QUERY[A-Z_]*,"
    r"(?P<database>[^,]*),'(?P<sql>.*)',(?P<code>\d+)\s*$",
    re.DOTALL,
)
_SLOW = re.compile(r"# (?:Time|User@Host): ")
_SLOW_TIME = re.compile(rf"# Time: ({_ISO})")
_FIELD = re.compile(r"\b(Rows_affected|Rows_sent|Schema|Errno|Last_errno): (\w+)")
_SET_TIME = re.compile(r"SET timestamp=(\d{9,11})(?:\.\d+)?;")
_USE = re.compile(r"(?im)^use `?([\w$-]{1,64})`?;")
_RUN = frozenset({"Query", "Execute"})
# Errors of the server and its locks; the others are of what it was asked for.
_OWN_CODES = frozenset({
    "1021", "1037", "1038", "1040", "1041", "1053", "1079", "1114", "1180", "1197", "1203",
    "1205", "1206", "1213", "1226", "1290", "3572",
})  # fmt: skip


def read_mysql(record: Record) -> list[Logged]:
    """What one record says was done for a trace."""
    fields = document(record)
    if fields:
        return _audited(fields)
    if not isinstance(record, str):
        return []
    if _SLOW.match(record):
        return _slow(record)
    if found := _SERVER_AUDIT.match(record):
        code = "" if found["code"] == "0" else found["code"]
        # It writes the server's own time without its zone, which names no moment.
        sql = found["sql"].replace("\\'", "'")
        return _logged(sql, None, found["database"], code=code)
    if (found := _GENERAL.match(record)) and found["command"] in _RUN:
        return _logged(found["sql"], moment(found["time"] or ""), "")
    return []


def begins_mysql(line: str, held: str) -> bool:
    """True where a line is the first of a record."""
    if line.startswith("# User@Host: "):
        return not (held.startswith("# Time: ") and "\n" not in held)
    return line.startswith(("# Time: ", "{")) or bool(
        _GENERAL_BEGINS.match(line) or re.match(r"\d{8} \d\d:\d\d:\d\d,", line)
    )


def _slow(record: str) -> list[Logged]:
    head, sql = _split(record)
    fields = dict(_FIELD.findall(head))
    use, stamp, time = _USE.search(sql), _SET_TIME.search(sql), _SLOW_TIME.match(record)
    database = use[1] if use else fields.get("Schema", "")
    sql = _USE.sub("", _SET_TIME.sub("", sql)).strip()
    at_ns = moment(time[1]) if time else int(stamp[1]) * 10**9 if stamp else None
    code = fields.get("Last_errno") or fields.get("Errno") or "0"
    return _logged(
        sql, at_ns, database, rows=number(fields.get("Rows_affected")),
        code="" if code == "0" else code,
    )  # fmt: skip


def _split(record: str) -> tuple[str, str]:
    """The lines that describe the statement, and the statement."""
    lines = record.split("\n")
    first = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(lines[:first]), "\n".join(lines[first:])


def _audited(fields: Mapping[str, Any]) -> list[Logged]:
    """Percona's audit log, and MySQL Enterprise's, as JSON."""
    flat = table(fields, "audit_record")
    if flat:
        sql, database, status = flat.get("sqltext"), flat.get("db"), flat.get("status")
        written = text(flat.get("timestamp")).replace(" UTC", "Z")
    else:
        general = table(fields, "general_data")
        sql, status = general.get("query"), general.get("status")
        database = table(fields, "connection_data").get("db") or general.get("database")
        written = text(fields.get("timestamp"))
    code = text(status)
    return _logged(text(sql), moment(written), text(database), code="" if code == "0" else code)


def _logged(
    sql: str, at_ns: int | None, database: str, *, rows: int | None = None, code: str = ""
) -> list[Logged]:
    error = f"error {code}" if code else None
    own = code in _OWN_CODES
    return logged(link_in_text(sql), sql, "mysql", at_ns, database, rows, error, own)
