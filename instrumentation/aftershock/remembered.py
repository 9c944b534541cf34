"""What is asked of a name again and again: names of tools, arguments and fields are few."""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

NAMES_MAX = 2_048  # for each question: the arguments and fields of all tools of one process
NAME_CHARS_MAX = 64  # of a name that is remembered: longer ones are data, and would fill the memory


def remembered(question: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """A pure function of a name that remembers its answers, within bounds."""
    known = lru_cache(maxsize=NAMES_MAX)(question)

    @wraps(question)
    def answer(name: str) -> Answer:
        return known(name) if len(name) <= NAME_CHARS_MAX else question(name)

    return answer
