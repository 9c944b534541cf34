"""What one simple command can do, and the words and options of a command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aftershock.model import Tier

Words = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one simple command can do."""

    tier: Tier
    targets: tuple[str, ...] = ()
    understood: bool = True


READS = Effect(Tier.READ)
WRITES = Effect(Tier.WRITE)
DESTROYS = Effect(Tier.DESTRUCTIVE)
UNKNOWN = Effect(Tier.WRITE, understood=False)


def positional(words: Words, valued: frozenset[str]) -> list[str | None]:
    """Words that are neither options nor values of options."""
    found: list[str | None] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word is None or not word.startswith("-") or word == "-":
            found.append(word)
        else:
            skip = word in valued
    return found


def option(words: Words, names: frozenset[str]) -> str | None:
    """The value of an option: `-n x`, `--name x`, `--name=x` or `-nx`."""
    for place, word in enumerate(words):
        if word is None:
            continue
        if word in names and place + 1 < len(words):
            return words[place + 1]
        name, equals, value = word.partition("=")
        if equals and name in names:
            return value
        if len(word) > 2 and word[:2] in names and not word.startswith("--"):
            return word[2:]
    return None
