"""The sketch of a call's arguments: what they name, and the words of what they say in prose.

A short value is a name: an address, a path, an identifier, a number, an enum. Another name asks
something else. A sentence is compared word by word, apart from the names inside it. The lowest
three bits of a hash say which of these it is, because sketches travel as plain sets of hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, cast

from aftershock.fingerprints.keyed import hash_line, hash_word
from aftershock.fingerprints.personal import is_personal_name, without_personal
from aftershock.fingerprints.search_commands import places_of

NAME_WORDS_MAX = 3  # "Gare de Lyon" is a name; a question has more words
NAMES = 0b001  # it names one thing among many
WHOLE = 0b010  # it is a whole argument, with the argument's name
DIGIT = 0b100  # it holds a digit
KIND = NAMES | WHOLE | DIGIT

WORD = re.compile(r"\w+")
HAS_DIGIT = re.compile(r"\d")
# Words that any sentence may hold or lack: they ask nothing.
FILLERS = frozenset(
    [
        "a",
        "about",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "could",
        "do",
        "does",
        "for",
        "from",
        "how",
        "in",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "please",
        "that",
        "the",
        "their",
        "this",
        "to",
        "was",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "with",
        "would",
        "you",
        "your",
    ]
)
# Every word of a command or a statement matters, so that the whole of it is one name.
COMMAND_NAMES = frozenset({"command", "cmd", "sql"})
COMMANDS = frozenset({"command", "cmd"})
STATEMENT = re.compile(r"\s*(?:select|with|insert|update|delete|explain|show|create|alter|drop)\b")
CODE_NAMES = frozenset({"code", "script"})  # its names are the language's; only digits tell apart
# Addresses, domains and files, paths, identifiers, @people and #channels inside a sentence.
NAMED = re.compile(
    r"""\w+://[^\s'"<>]+ | [\w.\-~]*/[\w./\-~]{2,} | [\w\-]+(?:\.[\w\-]+)*\.[a-z]\w{1,5}\b
      | \w+(?:_\w+)+ | [@\#]\w[\w\-]*""",
    re.VERBOSE,
)
NAMED_MARKS = re.compile(r"[/._@#]")


def asked_in(normal: Any, chars_max: int) -> tuple[set[int], int]:
    """Hashes of what normalised arguments name and say, and how many values were left out.

    Values about a person are left out: there are too few of them to hash one by one.
    """
    hashes: set[int] = set()
    left_out = 0
    for name, text in leaves_of(normal, ""):
        if chars_max <= 0:
            break
        if is_personal_name(name):
            left_out += 1
            continue
        spoken, personal = without_personal(text[:chars_max].casefold())
        chars_max -= len(spoken)
        left_out += personal
        if not is_name(name, spoken):
            hashes |= prose_in(spoken, in_code=name in CODE_NAMES)
        elif not personal:
            hashes.add(hash_argument(name, spoken))
            if name in COMMANDS:
                hashes.update(map(hash_name, places_of(spoken)))
    return hashes, left_out


def leaves_of(normal: Any, name: str) -> Iterator[tuple[str, str]]:
    """The texts inside a normal form with the name of their argument."""
    if isinstance(normal, str):
        yield name, normal
    elif isinstance(normal, dict):
        for key, item in cast("dict[str, Any]", normal).items():
            yield from leaves_of(item, key)
    else:
        for item in normal:
            yield from leaves_of(item, name)


def is_name(argument: str, text: str) -> bool:
    """True for a value that names something; false for a sentence, and for code."""
    if argument in COMMAND_NAMES or len(text.split(None, NAME_WORDS_MAX)) <= NAME_WORDS_MAX:
        return True
    return argument == "query" and STATEMENT.match(text) is not None


def prose_in(text: str, *, in_code: bool) -> set[int]:
    """Hashes of the words of a sentence in lower case; names inside it are hashed as a whole."""
    hashes: set[int] = set()
    if not in_code and NAMED_MARKS.search(text):
        hashes.update(hash_name(name.rstrip(".")) for name in NAMED.findall(text))
        text = NAMED.sub(" ", text)
    hashes.update(map(hash_spoken, set(WORD.findall(text)) - FILLERS))
    return hashes


def hash_argument(name: str, value: str) -> int:
    """A whole argument with its name; "shoes refund" names the same as "refund shoes"."""
    if " " in value and name not in COMMAND_NAMES:
        value = " ".join(sorted(value.split()))
    digit = DIGIT if HAS_DIGIT.search(value) else 0
    return hash_line(f"{name}={value}".encode("utf-8", "replace")) & ~KIND | NAMES | WHOLE | digit


def hash_name(name: str) -> int:
    """A name inside a sentence."""
    return hash_word(name) & ~KIND | NAMES | (DIGIT if HAS_DIGIT.search(name) else 0)


def hash_spoken(word: str) -> int:
    """A word of a sentence; with a digit, as dates and page numbers have, it is a name."""
    if word.isalpha() or not HAS_DIGIT.search(word):
        return hash_word(word) & ~KIND
    return hash_name(word)


def unnamed(hashed: int) -> int:
    """The hash of values that were left out: together they tell one call from another."""
    return hashed | KIND


class Asked:
    """What one sketch holds, by kind."""

    __slots__ = ("arguments", "names", "numbers", "words")

    def __init__(self, sketch: frozenset[int]) -> None:
        self.arguments = frozenset(part for part in sketch if part & KIND & ~DIGIT == NAMES | WHOLE)
        self.names = frozenset(part for part in sketch if part & (NAMES | WHOLE) == NAMES)
        self.numbers = frozenset(part for part in sketch if part & NAMES and part & DIGIT)
        self.words = frozenset(part for part in sketch if not part & NAMES)


@lru_cache(maxsize=512)  # asked for at each step of a run that holds it; 26 MB at worst
def asked_of(sketch: frozenset[int]) -> Asked:
    """The parts of a sketch by kind."""
    return Asked(sketch)
