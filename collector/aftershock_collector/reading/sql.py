"""SQL statements: what they can do, and which tables they work on, by parsing them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from aftershock.model import Tier
from aftershock.policy.sql_tiers import (
    ACTING_FUNCTIONS,
    EXECUTABLE_COMMENT,
    is_doubtful,
    tier_of_sql,
)
from aftershock_collector.reading.tiers import worst

TEXT_CHARS_MAX = 10_000  # sqlglot needs up to half a second for them
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
    """A text of one or more statements. What cannot be parsed counts as a write.

    Where the dialect is not known, it counts as the worst that a database takes it for: what one
    reads as a string or a comment is a statement of another.
    """
    if not text.strip() or len(text) > TEXT_CHARS_MAX:
        return Statements(worst([Tier.WRITE, tier_of_sql(text) or Tier.READ]), understood=False)
    disputed = dialect is None and is_doubtful(text)
    dialects = (None, "postgres", "mysql") if disputed else (dialect,)
    texts = [text]
    if "/*!" in text:  # MySQL executes what stands in such a comment
        texts.append(EXECUTABLE_COMMENT.sub(" ", text))
    found = [parsed_as(each, one) for each in texts for one in dialects]
    understood = [one for one in found if one.understood]
    if not understood:
        return replace(found[0], tier=worst([found[0].tier, tier_of_sql(text) or Tier.READ]))
    return replace(understood[0], tier=worst(one.tier for one in understood))


def parsed_as(text: str, dialect: str | None) -> Statements:
    """A text as one dialect has it."""
    try:
        parsed = [one for one in sqlglot.parse(text, dialect=dialect) if one is not None]
    except (SqlglotError, RecursionError, ValueError):
        return Statements(Tier.WRITE, understood=False)
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
        return Tier.WRITE if calls_something(statement) or sets_for_all(statement) else Tier.READ
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


def calls_something(statement: Any) -> bool:
    """True where a function is called that is known to act."""
    return any(
        function.name.lower() in ACTING_FUNCTIONS for function in statement.find_all(exp.Anonymous)
    )


def sets_for_all(statement: Any) -> bool:
    """True where a setting is changed beyond the session: SET GLOBAL, PRAGMA x = y."""
    if isinstance(statement, exp.Pragma):
        return "=" in statement.sql()
    return (
        isinstance(statement, exp.Set)
        and re.search(r"\b(?:global|persist|persist_only)\b", statement.sql(), re.IGNORECASE)
        is not None
    )
