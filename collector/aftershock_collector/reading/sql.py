"""SQL statements: what they can do, and which tables they work on, by parsing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from aftershock.model import Tier
from aftershock_collector.reading.tiers import worst

TEXT_CHARS_MAX = 100_000
READING = (exp.Select, exp.SetOperation, exp.Show, exp.Describe, exp.Use, exp.Values)
DESTROYING = (exp.Drop, exp.TruncateTable)
# Settings of a session and the like, which change no data.
HARMLESS = (exp.Set, exp.Transaction, exp.Commit, exp.Rollback, exp.Pragma)


@dataclass(frozen=True, slots=True)
class Statements:
    """What a text of SQL can do."""

    tier: Tier
    tables: tuple[str, ...] = ()
    understood: bool = True


def read_sql(text: str, dialect: str | None = None) -> Statements:
    """A text of one or more statements. What cannot be parsed counts as a write."""
    if not text.strip() or len(text) > TEXT_CHARS_MAX:
        return Statements(Tier.WRITE, understood=False)
    try:
        parsed = [one for one in sqlglot.parse(text, dialect=dialect) if one is not None]
    except (SqlglotError, RecursionError, ValueError):
        return Statements(Tier.WRITE, understood=False)
    if not parsed:
        return Statements(Tier.READ)
    tables = [table.sql() for one in parsed for table in one.find_all(exp.Table)]
    tiers = [tier_of(one) for one in parsed]
    understood = not any(isinstance(one, exp.Command) for one in parsed)
    return Statements(worst(tiers), tuple(dict.fromkeys(tables)), understood)


def tier_of(statement: Any) -> Tier:
    """What one statement can do, with everything inside it: a CTE or an EXPLAIN may write."""
    inside = [kind for kind in (exp.Delete, exp.Insert, exp.Update, exp.Merge, exp.Into)
              if statement.find(kind) is not None]  # fmt: skip
    if statement.find(*DESTROYING) is not None:
        return Tier.DESTRUCTIVE
    if exp.Delete in inside:
        return Tier.DESTRUCTIVE
    if isinstance(statement, exp.Alter) and statement.find(exp.Drop) is not None:
        return Tier.DESTRUCTIVE
    if inside:
        return Tier.WRITE
    if isinstance(statement, READING + HARMLESS):
        return Tier.WRITE if calls_something(statement) else Tier.READ
    if isinstance(statement, exp.Command) and statement.name.upper() in {"EXPLAIN", "SHOW"}:
        return read_explained(statement)
    return Tier.WRITE


def read_explained(statement: Any) -> Tier:
    """EXPLAIN reads; EXPLAIN ANALYZE does what it explains."""
    rest = statement.expression
    text = rest if isinstance(rest, str) else str(getattr(rest, "name", "") or "")
    first, _, inner = text.strip().partition(" ")
    if statement.name.upper() == "EXPLAIN" and first.upper().lstrip("(").startswith("ANALY"):
        return read_sql(inner).tier
    return Tier.READ


# Functions that change something although they stand in a SELECT.
ACTING = frozenset(
    {
        "pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile",
        "pg_promote", "pg_switch_wal", "lo_import", "lo_export", "lo_unlink", "setval", "nextval",
        "dblink_exec", "dblink", "pg_read_file", "pg_write_file", "query_to_xml", "load_extension",
    }
)  # fmt: skip


def calls_something(statement: Any) -> bool:
    """True where a function is called that is known to act."""
    return any(function.name.lower() in ACTING for function in statement.find_all(exp.Anonymous))
