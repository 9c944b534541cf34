"""Clients of databases on a command line: whether the statements that they are given only read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aftershock.model import Tier
from aftershock.policy.sql_tiers import tier_of_sql
from aftershock.policy.words import words_of

SQL_CLIENTS = frozenset({"mariadb", "mysql", "psql"})
STATEMENT_LETTERS = "ce"  # psql -c, mysql -e
VALUE_LETTERS = "hpPuUdDF"  # where to connect, and how fields are separated
FLAG_LETTERS = "tAqXwxNBsr"  # how an answer is printed
STATEMENT_OPTIONS = frozenset({"command", "execute"})
VALUE_OPTIONS = words_of("database dbname host password port protocol user username")
FLAG_OPTIONS = frozenset(
    {"batch", "csv", "no-align", "no-psqlrc", "quiet", "silent", "tuples-only"}
)
INTO = re.compile(r"\binto\b", re.IGNORECASE)  # SELECT … INTO makes a table
LISTS = re.compile(r"\\+(?:d\w*|l)\b[^\\]*")  # commands of psql


def client_only_reads(words: Sequence[str]) -> bool:
    """True where every statement on the command line reads; False without one, or in doubt."""
    statements = list(statements_in(words))
    return bool(statements) and all(map(only_reads, statements))


def statements_in(words: Sequence[str]) -> Iterator[str]:
    """The statements among a client's words; an empty one for each option that is not known."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            yield from _of_option(word, rest)
        elif word.startswith("-"):
            yield from _of_letters(word, rest)


def _of_option(word: str, rest: Iterator[str]) -> Iterator[str]:
    name, has_value, value = word[2:].partition("=")
    if name in STATEMENT_OPTIONS:
        yield value if has_value else next(rest, "")
    elif name in VALUE_OPTIONS:
        _ = value if has_value else next(rest, "")
    elif name not in FLAG_OPTIONS:
        yield ""


def _of_letters(word: str, rest: Iterator[str]) -> Iterator[str]:
    """Options of one letter each, of which the last may have a value, as in `-tAc`."""
    for place, letter in enumerate(word[1:], 2):
        if letter in STATEMENT_LETTERS:
            yield word[place:] or next(rest, "")
            return
        if letter in VALUE_LETTERS:
            _ = word[place:] or next(rest, "")
            return
        if letter not in FLAG_LETTERS:
            yield ""


def only_reads(statement: str) -> bool:
    """True for one statement that reads, or that lists what there is."""
    text = statement.strip().removesuffix(";")
    if LISTS.fullmatch(text):
        return True
    is_plain = not any(mark in text for mark in ";`$") and not INTO.search(text)
    return is_plain and tier_of_sql(text) is Tier.READ
