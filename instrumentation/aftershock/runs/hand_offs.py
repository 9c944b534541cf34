"""Who took the task over when: what is known of steps whose agent nobody has named yet.

A sender without start events names an agent when it ends, and a hand-off at once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from aftershock.model import StepKind

if TYPE_CHECKING:
    from aftershock.model import Step


class HandOffs:
    """The newest hand-offs of one run."""

    __slots__ = ("_max", "_takers")

    def __init__(self, hand_offs_max: int) -> None:
        self._max = hand_offs_max
        self._takers: list[tuple[int, str]] = []  # when, and who took over

    def add(self, step: Step) -> bool:
        """Remember a hand-off; False for any other step, and for one that is known."""
        place = (step.began_at_ns, step.name)
        if step.kind is not StepKind.HAND_OFF or not step.name or place in self._takers:
            return False
        insort(self._takers, place)
        del self._takers[: -self._max]
        return True

    def taker_before(self, step: Step) -> str | None:
        """Who took the task over last before a step. None: nobody is known to have."""
        length = bisect_left(self._takers, (step.began_at_ns, ""))
        return self._takers[length - 1][1] if length else None
