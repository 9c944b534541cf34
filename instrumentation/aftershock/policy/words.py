"""Sets of words, as lists of them are written."""

from __future__ import annotations


def words_of(text: str) -> frozenset[str]:
    """A set of words from a text."""
    return frozenset(text.split())
