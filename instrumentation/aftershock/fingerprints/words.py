"""Hashed id-like words: they show which message or result an id came from, or that none held it.

Id-like are letters with digits (HAT170, mia_li_3668), long numbers and mail addresses. Dates,
times, amounts and quantities are not. Of a value with too many words, those with the smallest
hashes are kept. A word whose hash is smaller than the largest kept one, and that was not kept, was
certainly not in the value.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints.keyed import hash_word, smallest
from aftershock.limits import DEFAULTS, NESTING_MAX, Limits
from aftershock.wire import encode_named_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORD = re.compile(r"[\w@+\-]+(?:\.[\w@+\-]+)*")
# Times, dates, versions, amounts, percentages and quantities: a model computes them.
AMOUNT = re.compile(r"[v+\-]?\d+(?:[.\-_+]\d+)*[a-z]{0,3}(?:\d\d)?|\d{4}-\d\d-\d\dt\d\d\w*")
WORD_CHARS_MIN = 4
WORD_CHARS_MAX = 128
NUMBER_DIGITS_MIN = 7  # shorter numbers are amounts more often than ids
IDS_MAX = 32  # of one call's arguments


def words_in(text: str, limits: Limits = DEFAULTS) -> frozenset[int] | None:
    """The hashed id-like words of a text; None if it is too long to be read completely."""
    if len(text) > limits.value_chars_max:
        return None
    words = {word for word in WORD.findall(text) if not word.isalpha()}
    hashes = {hash_word(word) for word in map(str.casefold, words) if is_id(word)}
    return smallest(hashes, limits.words_max)


def ids_in(arguments: Any) -> frozenset[str]:
    """`argument=hash` of the ids in a call's arguments; prose and code are left out."""
    found: dict[str, None] = {}
    collect_ids(arguments, "", found, 0)
    return frozenset(islice(found, IDS_MAX))


def collect_ids(value: Any, name: str, found: dict[str, None], depth: int) -> None:
    """Add the ids inside a value, bounded in depth and number."""
    if depth > NESTING_MAX or len(found) >= IDS_MAX:
        return
    if isinstance(value, str):
        if WORD_CHARS_MIN <= len(value) <= WORD_CHARS_MAX and not (value.isalpha() or " " in value):
            words = map(str.casefold, WORD.findall(value))
            found.update(
                (encode_named_hash(name, f"{hash_word(word):08x}"), None)
                for word in words
                if is_id(word)
            )
    elif isinstance(value, dict):
        for key, item in cast("Mapping[Any, Any]", value).items():
            collect_ids(item, str(key), found, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            collect_ids(item, name, found, depth + 1)
    elif isinstance(value, int) and not isinstance(value, bool):
        collect_ids(str(value), name, found, depth + 1)


def is_id(word: str) -> bool:
    """True for a lower-case word that looks like an id."""
    if not WORD_CHARS_MIN <= len(word) <= WORD_CHARS_MAX:
        return False
    if word.isdecimal():
        return len(word) >= NUMBER_DIGITS_MIN
    if "@" in word[1:-1]:
        return True
    return any(map(str.isdigit, word)) and not AMOUNT.fullmatch(word)


def is_absent(hashed: int, words: frozenset[int], limits: Limits) -> bool:
    """True if a word was certainly neither among the kept hashes nor among the dropped ones."""
    if hashed in words:
        return False
    return len(words) < limits.words_max or hashed < max(words)
