"""Drop counters: what our code could not do or had to drop, by reason, logged once each."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from pathlib import Path
from threading import RLock

logger = logging.getLogger("aftershock")

_counts: Counter[str] = Counter()
_lock = RLock()


def begin_anew() -> None:
    """In a forked child: a lock that is free; what the parent dropped is the parent's to report."""
    global _lock  # noqa: PLW0603 (one process, one count)
    _lock = RLock()
    _counts.clear()


os.register_at_fork(after_in_child=begin_anew)


def count_drop(reason: str, number: int = 1) -> None:
    """Count something dropped on purpose, because a bound was reached."""
    with _lock:
        _counts[reason] += number


def record_failure(place: str) -> None:
    """Count an exception of our own that must not reach the app; log the first of each place.

    To be called in an `except` block. The log is one line; AFTERSHOCK_DEBUG=1 adds the traceback.
    """
    with _lock:
        _counts[place] += 1
        first = _counts[place] == 1
    if first:
        error = sys.exc_info()[1]
        logger.warning(
            "aftershock failed in %s; the app is not affected: %s",
            place,
            one_line(error),
            exc_info=error if os.environ.get("AFTERSHOCK_DEBUG") else None,
        )


def drop_counts() -> dict[str, int]:
    """Everything dropped so far in this process: reason → count."""
    with _lock:
        return dict(_counts)


def one_line(error: BaseException | None) -> str:
    """Class of an exception and the place in our code that raised it; its text may hold content."""
    last = None if error is None else error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return type(error).__name__
    code = last.tb_frame.f_code
    return f"{type(error).__name__} at {Path(code.co_filename).name}:{last.tb_lineno}"
