"""Halves of a set of recordings: one to choose by, the other one to report on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Half:
    """One of two random halves, the same for the same seed whatever the order of the records."""

    seed: int
    second: bool

    def of(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records that are in this half, in their order."""
        names = sorted(record["id"] for record in records)
        random.Random(self.seed).shuffle(names)
        middle = len(names) // 2
        chosen = set(names[middle:] if self.second else names[:middle])
        return [record for record in records if record["id"] in chosen]


class Whole:
    """Everything: no half."""

    def of(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All of them."""
        return records


WHOLE = Whole()
Part = Half | Whole
