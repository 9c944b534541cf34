"""Screening: a pattern is not searched in a text that certainly holds no match of it.

Our patterns are long lists of phrases. Most texts hold none of them, and to find that out takes
tens of microseconds for each pattern. Which pieces of text each match must hold, one of some few,
is read from the pattern itself, so there is no list beside it to be kept up to date. A text is cut
into its trigrams once, and one index says which patterns have a piece that begins with one of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PIECE_CHARS_MIN = 3  # shorter ones are in every text
CHARS_MAX = 2_000  # of a text that is screened; of longer ones the patterns read a part
TEXTS_CACHED_MAX = 16  # one answer, its head, its tail, its fields: they are asked for in turn

Pieces = frozenset[str]
# All white space is one, because `\s` matches all of it. `re.IGNORECASE` takes the two special
# letters for an i, which `str.casefold` does not.
EQUAL = {
    **{code: " " for code in range(0x3001) if chr(code).isspace()},
    **dict.fromkeys(map(ord, "\u0130\u0131"), "i"),
}


class Screened:
    """A compiled pattern with the methods of `re.Pattern` that are used here.

    To be made when a module is imported, and never again: the index holds each of them.
    """

    def __init__(self, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        self.pattern = re.compile(pattern, flags)
        _all.append(self)
        index.cache_clear()
        candidates.cache_clear()

    def may_match(self, text: str) -> bool:
        """False where the text certainly holds no match."""
        return len(text) > CHARS_MAX or self in candidates(text)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match."""
        return self.pattern.search(text) if self.may_match(text) else None

    def match(self, text: str) -> re.Match[str] | None:
        """A match at the beginning."""
        return self.pattern.match(text) if self.may_match(text) else None

    def findall(self, text: str) -> list[Any]:
        """Every match, as its group or groups."""
        return self.pattern.findall(text) if self.may_match(text) else []

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Every match."""
        return self.pattern.finditer(text) if self.may_match(text) else iter(())

    def sub(self, replacement: str, text: str) -> str:
        """The text with each match replaced."""
        return self.pattern.sub(replacement, text) if self.may_match(text) else text


_all: list[Screened] = []
Index = dict[str, dict[str, frozenset[Screened]]]  # trigram → pieces that begin so → whose they are


@lru_cache(maxsize=TEXTS_CACHED_MAX)
def candidates(text: str) -> frozenset[Screened]:
    """The patterns that a text of at most CHARS_MAX may hold a match of."""
    plain, by_trigram = folded(text), index()
    trigrams = set(map("".join, zip(plain, plain[1:], plain[2:], strict=False)))
    there = (
        patterns
        for first in trigrams & by_trigram.keys()
        for piece, patterns in by_trigram[first].items()
        if piece in plain
    )
    return by_trigram[""][""].union(*there)


@lru_cache(maxsize=1)
def index() -> Index:
    """Which patterns need which pieces. Those that need none stand under the empty piece."""
    found: Index = {"": {"": frozenset()}}
    for screened in _all:
        for piece in needed_by(screened.pattern) or {""}:
            pieces = found.setdefault(piece[:PIECE_CHARS_MIN], {})
            pieces[piece] = pieces.get(piece, frozenset()) | {screened}
    return found


def needed_by(pattern: re.Pattern[str]) -> Pieces | None:
    """Pieces of which each match holds one, in a folded text. None: no such are known."""
    try:
        parse: Callable[[str, int], Any] = import_module("re._parser").parse
        return pieces_in(parse(pattern.pattern, pattern.flags))
    except Exception:  # noqa: BLE001 (Python's own parser, which may change: no screening then)
        return None


def folded(text: str) -> str:
    r"""A text in which characters are equal that `re.IGNORECASE` or `\s` takes for equal."""
    return text.translate(EQUAL).casefold()


def pieces_in(nodes: Iterable[tuple[Any, Any]]) -> Pieces | None:
    """Of a sequence of parsed nodes the pieces of which each match holds one; None: no such."""
    found: list[Pieces | None] = []
    run = ""  # of characters that follow each other in each match
    for kind, value in nodes:
        name = str(kind)
        letter = letter_of(name, value)
        if letter is not None:
            run += letter
        elif name != "AT":  # which takes no room
            found += piece_of(run), pieces_inside(name, value)
            run = ""
    found.append(piece_of(run))
    # The last of several: what follows the name of a field is rarer than the name.
    return max((pieces for pieces in reversed(found) if pieces), key=rarity, default=None)


def rarity(pieces: Pieces) -> int:
    """Greater for pieces that fewer texts hold: the length of the shortest."""
    return min(map(len, pieces))


def piece_of(run: str) -> Pieces | None:
    """A run of characters as the piece that is needed; None where it is too short."""
    return frozenset({run}) if len(run) >= PIECE_CHARS_MIN else None


def letter_of(name: str, value: Any) -> str | None:
    """The one character that a node matches, folded; None for any other node."""
    if name == "IN":
        is_space = [tuple(map(str, part)) for part in value] == [("CATEGORY", "CATEGORY_SPACE")]
        return " " if is_space else None
    letter = folded(chr(value)) if name == "LITERAL" else ""
    return letter if len(letter) == 1 else None


def pieces_inside(name: str, value: Any) -> Pieces | None:
    """Of a node with nodes inside the pieces of which each match holds one."""
    if name == "SUBPATTERN":
        return pieces_in(value[-1])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        least, _, nodes = value
        return pieces_in(nodes) if least else None
    if name == "ASSERT":
        return pieces_in(value[1])
    if name == "BRANCH":
        each = [pieces_in(nodes) for nodes in value[1]]
        return None if None in each else frozenset[str]().union(*filter(None, each))
    return None
