"""What each span of a run is inside of: spans of steps, and those around them that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.model import Step

ANCESTORS_MAX = 64  # agents nest a few levels; a longer chain is a cycle of parent ids


class Ancestry:
    """Parents by span, the first ones, for as long as nobody forgets them."""

    __slots__ = ("_max", "_parents")

    def __init__(self, parents_max: int) -> None:
        self._max = parents_max
        self._parents: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._parents)

    @property
    def is_full(self) -> bool:
        """True where no other span can be remembered."""
        return len(self._parents) >= self._max

    def add(self, step: Step) -> bool:
        """Remember what a span is inside of; False: nothing new, or no room."""
        if not step.parent_id or step.parent_id == step.span_id:
            return False
        if step.span_id in self._parents or self.is_full:
            return False
        self._parents[step.span_id] = step.parent_id
        return True

    def forget(self, span_id: str) -> None:
        """Give the room of a span back."""
        self._parents.pop(span_id, None)

    def above(self, step: Step) -> Iterator[str]:
        """The spans that a step is inside of, innermost first."""
        span_id = step.parent_id
        for _ in range(ANCESTORS_MAX):
            if span_id is None:
                return
            yield span_id
            span_id = self._parents.get(span_id)
