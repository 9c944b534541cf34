"""What a SQL statement asks about, however it is spelled: its tables, columns and values."""

from __future__ import annotations

import re

ARGUMENTS = frozenset({"sql", "query", "statement", "q", "soql"})
SUBJECT = "statement"  # the name under which a call's subjects hold it
CONDITION = "condition"  # likewise, of a write: the columns by which it picks its rows
READS = re.compile(r"\s*(?:select|with)\b.*?\bfrom\s+\S", re.IGNORECASE | re.DOTALL)
CHARS_MAX = 4_000
QUOTED = re.compile(r"'((?:[^']|'')*)'")
FLAGS = re.compile(r"\(\?\w+\)")  # of regular expressions: (?i)
NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b")
NO_LETTER = re.compile(r"[^\w]+|_")
NAME = re.compile(r"[a-z_][\w$]*(?:\.[a-z_][\w$]*)*(?!\w*\s*\()")
# UPDATE products SET price = 12.9 WHERE sku = 'A': what is done, and to which rows.
WRITES = re.compile(
    r"\s*(?P<done>update\s+\S+\s+set\s.+?|delete\s+from\s+\S+?)\s+where\s+(?P<rows>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
KEYWORDS = frozenset(
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "between",
        "binary",
        "by",
        "case",
        "cast",
        "collate",
        "cross",
        "current_date",
        "current_timestamp",
        "desc",
        "distinct",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "false",
        "fetch",
        "first",
        "for",
        "from",
        "full",
        "group",
        "having",
        "ilike",
        "in",
        "inner",
        "intersect",
        "interval",
        "into",
        "is",
        "join",
        "last",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "null",
        "nulls",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "r",
        "recursive",
        "regexp",
        "right",
        "rlike",
        "rows",
        "select",
        "similar",
        "some",
        "table",
        "then",
        "to",
        "true",
        "union",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
    ]
)


def subjects_in(text: str) -> list[tuple[str, str]]:
    """(name, value) of what a statement asks or does; empty for a text that is no statement."""
    if (asked := subject_of(text)) is not None:
        return [(SUBJECT, asked)]
    change = change_of(text)
    return [] if change is None else list(zip((SUBJECT, CONDITION), change, strict=True))


def change_of(text: str) -> tuple[str, str] | None:
    """What an UPDATE or a DELETE does, and the columns that its condition names; None: neither."""
    found = WRITES.match(text) if len(text) <= CHARS_MAX else None
    if found is None:
        return None
    columns = set(NAME.findall(QUOTED.sub(" ", found["rows"]).lower())) - KEYWORDS
    return " ".join(found["done"].lower().split()), " ".join(sorted(columns))


def subject_of(text: str) -> str | None:
    """Equal for statements that ask the same of the same, in another spelling; None: no query.

    Case, wildcards, functions and the order of words do not matter; another table, column or value
    does.
    """
    if len(text) > CHARS_MAX or not READS.match(text):
        return None
    values = {NO_LETTER.sub("", FLAGS.sub("", value)).casefold() for value in QUOTED.findall(text)}
    values |= set(NUMBER.findall(QUOTED.sub(" ", text)))
    names = set(NAME.findall(QUOTED.sub(" ", text).lower())) - KEYWORDS
    return f"{' '.join(sorted(names))}|{' '.join(sorted(values))}"
