"""A command line as its program reads it: words in their order, options with their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aftershock.model import Tier

_SEVERITY = (Tier.READ, Tier.WRITE, Tier.PROVISION, Tier.DESTRUCTIVE, Tier.DECOMMISSION)

Read = tuple[str, Tier, list[str]]  # verb, tier, targets as entity keys


@dataclass(frozen=True, slots=True)
class Words:
    """A command line without its program: words in their order, and options with their values."""

    words: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def value(self, *names: str) -> str:
        """The last value of an option under any of its names; empty without one."""
        return next((self.options[n][-1] for n in names if self.options.get(n)), "")

    def has(self, *names: str) -> bool:
        """True where an option is given, with a value or without."""
        return any(name in self.options for name in names)

    def word(self, number: int) -> str:
        """A word by its number; empty where there are fewer."""
        return self.words[number] if number < len(self.words) else ""


@dataclass(frozen=True, slots=True)
class Program:
    """One program: options that take a value, and how its words are read."""

    valued: frozenset[str]
    read: Callable[[Words], Read]


def words_of(rest: Sequence[str], valued: frozenset[str]) -> Words:
    """Split what follows a program, knowing which of its options take a value."""
    words: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    waiting = list(rest)
    while waiting:
        each = waiting.pop(0)
        if each == "--":
            words += waiting
            break
        if not each.startswith("-") or each == "-":
            words.append(each)
            continue
        name, equals, value = each.partition("=")
        short = each[:2]
        if equals:
            options[name] = (*options.get(name, ()), value)
        elif each in valued and waiting:
            options[each] = (*options.get(each, ()), waiting.pop(0))
        elif short in valued and not each.startswith("--") and len(each) > 2:
            options[short] = (*options.get(short, ()), each[2:])
        else:
            options.setdefault(each, ())
    return Words(tuple(words), options)


def tier_by(verb: str, tiers: Mapping[Tier, frozenset[str]], usual: Tier = Tier.WRITE) -> Tier:
    """The tier whose verbs hold this one."""
    return next((tier for tier, verbs in tiers.items() if verb in verbs), usual)


def gravest(tiers: Sequence[Tier], usual: Tier) -> Tier:
    """The tier that can do most; the usual one where there is none."""
    return max(tiers, key=_SEVERITY.index, default=usual)


def valued(names: str) -> frozenset[str]:
    """Names of options that take a value."""
    return frozenset(names.split())
