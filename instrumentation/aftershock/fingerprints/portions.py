"""Work that is done in portions: what an answer counts, and calls that bound how much they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aftershock.fingerprints.screening import Screened
from aftershock.model import AnswerState

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTION_MIN = 2  # one row or one object may come back; more are a portion of a larger amount
NUMBER = r"(?P<{}>\d[\d,_.']*)"
REMOVED_WORDS = (
    "deleted|removed|purged|expired|pruned|evicted|unlinked|trimmed|drained|dequeued|dropped"
)
COUNTED_WORDS = (
    "updated|affected|modified|changed|moved|archived|migrated|processed|copied|transferred"
    "|imported|exported|loaded|written|indexed|reindexed|backfilled|synced|converted|handled"
    "|redacted|anonymi[sz]ed|encrypted"
)


def counting(words: str, tag: str) -> Screened:
    """A pattern of a count before or after one of these words, in prose, JSON or SQL's answer."""
    before, after = NUMBER.format("before"), NUMBER.format("after")
    return Screened(
        rf"""^(?:{tag})\s{NUMBER.format("tag")}\s*$
          | (?<![\w.]){before}\s(?:[a-z]+\s){{0,2}}?(?:(?:was|were|have\sbeen)\s)?(?:{words})\b
          | \b(?:{words})(?:[_\s]?(?:count|rows|records|items|objects|keys|messages|docs))?
            ["']?\s*[:=]?\s*{after}(?![\w.]*[-:/])""",
        re.IGNORECASE | re.VERBOSE | re.MULTILINE,
    )


REMOVED = counting(REMOVED_WORDS, "DELETE")
COUNTED = counting(COUNTED_WORDS, r"UPDATE|MERGE|COPY|MOVE|INSERT\s0")
# Something of the amount is left: "remaining": 4000, 12 batches to go, a cursor to go on from.
REMAINING = Screened(
    r"""\b(?:remaining|left|to_go|has_?more|more|next_?(?:cursor|token|key|page\w*)|cursor)
        ["']?\s*[:=]\s*["']?(?!0\b|false\b|null\b|none\b|["',}])\S
      | (?<![\w.])(?!0\b)\d[\d,_.]*\s(?:\w+\s){0,2}?(?:remain(?:ing)?|left|to\sgo)\b""",
    re.IGNORECASE | re.VERBOSE,
)
# How a statement, a command or an argument says at most how much it does.
BOUND = re.compile(
    r"""\b(?:limit|top|rownum|(?:batch|chunk)[_\- ]?size|fetch\s(?:first|next)
          |max[_-]?(?:items|keys|rows|records|messages|objects|count|results|docs))
        ["']?\s*[\s:=<(]{1,4}["']?\d""",
    re.IGNORECASE | re.VERBOSE,
)
CHARS_MAX = 2_000  # of arguments; a statement says its limit near its end, but it is short


def portion_in(text: str) -> AnswerState | None:
    """What a short answer counts: a part that is done for good, or just how much was changed.

    What was removed is gone, and where something is left the part before it is done.
    """
    removed, counted = count_in(REMOVED, text), count_in(COUNTED, text)
    if max(removed, counted) < PORTION_MIN:
        return None
    done = removed >= PORTION_MIN or REMAINING.search(text)
    return AnswerState.PART_DONE if done else AnswerState.COUNTED


def count_in(pattern: Screened, text: str) -> int:
    """The greatest count that a pattern finds; zero if there is none."""
    return max((whole_of(match) for match in pattern.finditer(text)), default=0)


def whole_of(match: re.Match[str]) -> int:
    """The number of a match without its separators."""
    digits = re.sub(r"\D", "", next(filter(None, match.groups()), "0"))
    return int(digits[:15] or "0")


def is_portion(arguments: Mapping[str, Any]) -> bool:
    """True for a call that says at most how much of an amount it does."""
    return BOUND.search(str(dict(arguments))[:CHARS_MAX]) is not None
