"""Commands that look for something: where they look, apart from what they look for."""

from __future__ import annotations

import re

PLACES_MAX = 8  # of one command; a sweep names one or two
FIRST_WORD = re.compile(r"\s*(?:\S*/)?([a-z]+)\s")
# The pattern comes first, and the places follow; `find` names its places first.
PATTERN_FIRST = frozenset(
    ["ack", "ag", "egrep", "fd", "fgrep", "grep", "rg", "ripgrep", "zegrep", "zfgrep", "zgrep"]
)
WORD = re.compile(r"""'[^']*'|"[^"]*"|[^\s|;&<>]+|[|;&<>]""")
HERE = "."  # a command that names no place looks where it runs


def places_of(command: str) -> list[str]:
    """Where a command looks; empty for a command that does not begin with a search."""
    found = FIRST_WORD.match(command)
    program = found[1] if found else ""
    if program != "find" and program not in PATTERN_FIRST:
        return []
    places: list[str] = []
    for word in WORD.findall(command, found.end() if found else 0):
        if word in ("|", ";", "&", "<", ">"):
            break
        if word.startswith("-"):
            if program == "find":
                break
        elif len(places) <= PLACES_MAX:
            places.append(word.strip("'\""))
    return (places if program == "find" else places[1:]) or [HERE]
