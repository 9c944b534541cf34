"""SQL in logs: what a statement does and to which table, by parsing it without its values."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from aftershock.model import Tier
from aftershock_collector.reading.links import Link
from aftershock_collector.reading.logs.line import Logged
from aftershock_collector.reading.sql import tier_of
from aftershock_collector.reading.tiers import ORDER

STATEMENT_CHARS_MAX = 8_000  # what follows is values, or a program
SHAPES_MAX = 1_024  # that are remembered: an application has a few hundred
TABLES_MAX = 3  # named of one statement
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|--[^\n]*", re.DOTALL)
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*(?:'|$)")
_DOLLARS = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)
_NUMBER = re.compile(r"\b\d[\d.]*\b")
_LIST = re.compile(r"(\bIN\s*\(\s*)(?:(?:0|'')\s*,\s*)+", re.IGNORECASE)
_EMPTIES = re.compile(r"\s*(?:TRUNCATE|DROP\s+(?:TABLE|SCHEMA|DATABASE))\b", re.IGNORECASE)
_COUNTED = ("DELETE", "INSERT", "UPDATE", "MERGE")  # statements that change rows
_VERB = re.compile(r"[\s(;]*([A-Za-z]+)")
_WRITING = (
    exp.Delete, exp.Insert, exp.Update, exp.Merge, exp.Drop, exp.TruncateTable, exp.Alter,
    exp.Create, exp.Copy,
)  # fmt: skip


class Statement(NamedTuple):
    """What a statement does: `DELETE orders`."""

    did: str
    tier: Tier
    deletes: bool = False  # rows
    empties: bool = False  # a whole table, by dropping or truncating it


def read_statement(sql: str, dialect: str) -> Statement:
    """One statement, or the gravest of several."""
    shape = _COMMENT.sub(" ", sql[:STATEMENT_CHARS_MAX])
    shape = _DOLLARS.sub("''", _TEXT.sub("''", shape))
    return _of_shape(_LIST.sub(r"\1", _NUMBER.sub("0", shape)).strip(), dialect)


@lru_cache(SHAPES_MAX)
def _of_shape(shape: str, dialect: str) -> Statement:
    verb = _VERB.match(shape)
    word = verb[1].upper() if verb else "statement"
    try:
        parsed = [one for one in sqlglot.parse(shape, dialect=dialect) if one is not None]
    except (SqlglotError, RecursionError, ValueError):
        empties = bool(_EMPTIES.match(shape))
        return Statement(word, Tier.WRITE, word == "DELETE", empties)
    if not parsed:
        return Statement(word, Tier.READ)
    return _of_parsed(max(parsed, key=lambda one: ORDER.index(tier_of(one))), word)


def _of_parsed(statement: Any, word: str) -> Statement:
    tier = tier_of(statement)
    acting = statement.find(*_WRITING) or statement
    # A statement that writes inside another one is what was done: WITH gone AS (DELETE …).
    named = "TRUNCATE" if isinstance(acting, exp.TruncateTable) else acting.key.upper()
    if acting is statement and not isinstance(acting, (*_WRITING, exp.Query)):
        named = word
    if isinstance(acting, exp.Create | exp.Drop | exp.Alter):
        named = f"{named} {str(acting.args.get('kind') or '').upper()}".strip()
    tables = ", ".join(dict.fromkeys(_tables(acting)))
    empties = isinstance(acting, exp.TruncateTable) or _drops_data(acting)
    did = f"{named} {tables}".strip()
    return Statement(did, tier, isinstance(acting, exp.Delete), empties)


def _tables(acting: Any) -> list[str]:
    target: Any = acting.this
    if isinstance(acting, _WRITING) and hasattr(target, "find_all"):  # it may be a text, or a list
        own: list[Any] = list(target.find_all(exp.Table))[:1]
        if own:
            return [_plain(own[0])]
    every: list[Any] = list(acting.find_all(exp.Table))
    return [_plain(table) for table in every[:TABLES_MAX]]


def _plain(table: Any) -> str:
    return ".".join(part.name for part in table.parts if part.name and part.name != "public")


def _drops_data(acting: Any) -> bool:
    """An index or a view can be made again from what is still there; a table cannot."""
    if not isinstance(acting, exp.Drop):
        return False
    return str(acting.args.get("kind") or "").upper() in {"TABLE", "SCHEMA", "DATABASE"}


def logged(  # noqa: PLR0917
    link: Link | None,
    sql: str,
    dialect: str,
    at_ns: int | None,
    database: str,
    rows: int | None,
    error: str | None,
    trouble: bool = False,
) -> list[Logged]:
    """A statement that changed something, or that failed, as the log of a database has it."""
    if link is None:
        return []
    statement = read_statement(sql, dialect)
    if statement.tier is Tier.READ and error is None:
        return []
    counted = statement.did.startswith(_COUNTED)
    return [
        Logged(
            link,
            statement.did,
            statement.tier,
            at_ns,
            f"db/{database}" if database else None,
            rows if counted else None,
            statement.deletes,
            statement.empties,
            error,
            trouble,
        )
    ]
