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


def values(
    words: Words, names: frozenset[str], valued: frozenset[str] = frozenset()
) -> list[str | None]:
    """Every value of an option: `-n x`, `--name x`, `--name=x`, `-nx`, and `-tAn x` in a cluster.

    `valued`: other options that have a value, so that theirs is not taken for a cluster.
    """
    found: list[str | None] = []
    for place, word in enumerate(words):
        if word is None or not word.startswith("-"):
            continue
        following = words[place + 1] if place + 1 < len(words) else None
        name, equals, value = word.partition("=")
        if word in names:
            found.append(following)
        elif equals and name in names:
            found.append(value)
        elif not word.startswith("--"):
            for at, letter in enumerate(word[1:], 2):
                if f"-{letter}" in names:
                    found.append(word[at:] or following)
                if f"-{letter}" in names | valued:
                    break
    return found


def option(words: Words, names: frozenset[str]) -> str | None:
    """The last value of an option, which is the one that counts; None: unknown, or not given."""
    return next(reversed(values(words, names)), None)


VERBS_MAX = 8  # places where a verb may stand


def from_verb(words: Words, valued: frozenset[str], flags: frozenset[str]) -> list[Words]:
    """What follows the options before a verb, once for each place where the verb may stand.

    An option that is not known may have a value: then the verb is the word behind it.
    """
    found: list[Words] = []
    place = 0
    while place < len(words):
        word = words[place]
        if word is None or not word.startswith("-") or word == "-":
            return [*found, words[place:]]
        following = words[place + 1] if place + 1 < len(words) else "-"
        is_flag = "=" in word or word in flags or word.startswith("--no-")
        if len(found) == VERBS_MAX:
            return [*found, [None]]
        if word in valued:
            place += 1
        elif not is_flag and not (following or "").startswith("-"):
            found.append(words[place + 1 :])
            place += 1
        place += 1
    return found
