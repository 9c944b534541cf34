"""What a valid aftershock.yaml probably does not mean: misspelt facts and placeholders.

Pure: documents in, (path, message) out. `misspelt` finds what is certainly a mistake; `doubts`
finds what only a person can decide.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Document = Mapping[str, Any]
KeyPath = tuple[str | int, ...]
Advice = tuple[KeyPath, str]

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
CLOSE = 0.75  # of difflib: one or two letters of a word


def misspelt(document: Document) -> Iterator[Advice]:
    """Required facts and placeholders that differ by a letter from one that is known."""
    provided = provided_facts(document)
    for path, fact in required_facts(document):
        if fact not in provided and (near := nearest(fact, provided)):
            yield path, f"no tool provides the fact {fact!r}; did you mean {near!r}?"
    for name, tool in tools_of(document):
        places = list(placeholders(tool, ("tools", name)))
        for path, word in places:
            others = {other for _, other in places if other != word}
            known = {other for other in others if sum(o == other for _, o in places) > 1} or others
            if sum(o == word for _, o in places) == 1 and (near := nearest(word, known)):
                yield path, f"unknown placeholder '{{{word}}}'; did you mean '{{{near}}}'?"


def doubts(document: Document) -> Iterator[Advice]:
    """Required facts that no tool of the file provides: only the agent's own code could."""
    provided = provided_facts(document)
    for path, fact in required_facts(document):
        if fact not in provided and not nearest(fact, provided):
            yield (
                path,
                (
                    f"no tool provides the fact {fact!r}: every call will lack it, unless the "
                    f"agent's code records it with run.saw({fact!r}, …)"
                ),
            )


def tools_of(document: Document) -> Iterator[tuple[str, Document]]:
    """The tools of a file by name."""
    tools: Document = document.get("tools") or {}
    for name, tool in tools.items():
        if isinstance(tool, dict):
            yield name, cast("Document", tool)


def facts_of(tool: Document, key: str) -> Iterator[tuple[int, str]]:
    """(place, fact) of everything that a tool requires or provides."""
    listed: Any = tool.get(key) or []
    for place, one in enumerate(listed):
        fact: Any = cast("Document", one).get("fact") if isinstance(one, dict) else one
        if isinstance(fact, str):
            yield place, fact


def required_facts(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Every fact that is required or assumed, with the path of its key."""
    for name, tool in tools_of(document):
        for key in ("requires", "assumes"):
            for place, fact in facts_of(tool, key):
                yield ("tools", name, key, place), fact


def provided_facts(document: Document) -> set[str]:
    """Every fact that some tool provides."""
    return {fact for _, tool in tools_of(document) for _, fact in facts_of(tool, "provides")}


def placeholders(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every `{placeholder}` in the texts of a tool, with the path of its text."""
    if isinstance(value, str):
        for found in PLACEHOLDER.finditer(value):
            yield path, found.group(1)
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from placeholders(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(cast("list[Any]", value)):
            yield from placeholders(inner, (*path, place))


def nearest(word: str, known: set[str]) -> str | None:
    """The known word that was probably meant."""
    close = difflib.get_close_matches(word, sorted(known), 1, CLOSE)
    return close[0] if close else None
