"""Activation: work that is postponed until the first sign of an agent in this process.

A process under `aftershock run` that never touches a model, such as a build step, pays for nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

# For whoever comes while another thread starts it, which takes a third of a second of CPU time and
# longer on a busy machine. Bounded: nothing of ours may hold the app for ever.
WAIT_S = 10.0

_postponed: list[Callable[[], object]] = []
_turns: dict[str, threading.RLock] = {}  # the lock, while somebody starts something


def postpone(start: Callable[[], object]) -> None:
    """Call `start` at the first sign of an agent."""
    _postponed.append(start)


def activate(*, wait: bool = True) -> None:
    """There is an agent: start what was postponed, or wait for who does. Cheap where nothing is.

    `wait=False` where a module is being imported: who starts may wait for that very module.
    """
    if not _postponed and not _turns:
        return
    # Made now and by its module's name: gevent replaces it after we were imported.
    turn = _turns.setdefault("activation", threading.RLock())
    if not turn.acquire(timeout=WAIT_S if wait else 0):
        return
    try:
        while _postponed:
            start = _postponed.pop()
            try:
                start()
            except Exception:  # noqa: BLE001 (ours: the app goes on unrecorded)
                record_failure("starting")
        _turns.pop("activation", None)
    finally:
        turn.release()
