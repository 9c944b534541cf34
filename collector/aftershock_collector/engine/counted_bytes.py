"""CountedBytes: the estimated size of a list that is added to, without measuring it each time."""

from __future__ import annotations

from dataclasses import dataclass

SLACK = 128  # items: so that short lists are not measured over and over


@dataclass(slots=True)
class CountedBytes:
    """Bytes of everything that was added, or more: what was replaced still counts."""

    size_bytes: int = 0
    items: int = 0  # that those bytes are of

    def add(self, size_bytes: int, items: int = 1) -> None:
        """Count more items, of so many bytes together."""
        self.size_bytes += size_bytes
        self.items += items

    def is_stale(self, held: int) -> bool:
        """True where most of what was counted is not among the items held now."""
        return self.items > 2 * held + SLACK
