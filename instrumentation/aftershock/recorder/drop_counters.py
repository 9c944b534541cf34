"""Losses: what our own code could not do or had to drop, counted by reason and said once each."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from threading import RLock

logger = logging.getLogger("aftershock")

_counts: Counter[str] = Counter()
_lock = RLock()


def renew_lock() -> None:
    """In a forked child: a lock that nobody holds."""
    global _lock  # noqa: PLW0603 (one process, one count)
    _lock = RLock()


os.register_at_fork(after_in_child=renew_lock)


def count_drop(reason: str, number: int = 1) -> None:
    """Count something dropped on purpose, because a bound was reached."""
    with _lock:
        _counts[reason] += number


def record_failure(place: str) -> None:
    """Count an exception of our own that must not reach the app; log the first one of each place.

    To be called from an `except` block: the exception is the one being handled.
    """
    with _lock:
        _counts[place] += 1
        first = _counts[place] == 1
    if first:
        error = sys.exc_info()[1]
        logger.warning("aftershock failed in %s; the app is not affected", place, exc_info=error)


def drop_counts() -> dict[str, int]:
    """Everything lost so far in this process: reason → count."""
    with _lock:
        return dict(_counts)
