"""Precision, recall, F1 and the area under the precision–recall curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """How often a detector was right."""

    true: int  # reported and so
    false: int  # reported and not so
    missed: int  # so and not reported

    @property
    def precision(self) -> float:
        """Share of what was reported that is so; 1 where nothing was reported."""
        return self.true / (self.true + self.false) if self.true + self.false else 1.0

    @property
    def recall(self) -> float:
        """Share of what is so that was reported."""
        return self.true / (self.true + self.missed) if self.true + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.true / (2 * self.true + self.false + self.missed) if self.true else 0.0

    def __str__(self) -> str:
        return f"{self.precision:.2f} / {self.recall:.2f} / {self.f1:.3f}"


def score(pairs: Iterable[tuple[bool, bool]]) -> Score:
    """The score of (reported, so) pairs."""
    counted = list(pairs)
    return Score(
        sum(reported and so for reported, so in counted),
        sum(reported and not so for reported, so in counted),
        sum(so and not reported for reported, so in counted),
    )


def average_precision(truth: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the precision–recall curve, equal scores taken together."""
    positives = sum(truth)
    ranked = sorted(zip(scores, truth, strict=True), key=lambda pair: -pair[0])
    area = found = seen = 0.0
    place = 0
    while place < len(ranked):
        tied = [so for value, so in ranked[place:] if value == ranked[place][0]]
        before = found
        found += sum(tied)
        seen += len(tied)
        area += (found - before) / positives * (found / seen)
        place += len(tied)
    return area
