"""When the engine concludes: at every tick, and sooner where steps came and it costs little.

A page must not wait for the next tick. Under load the ticks alone decide, as before: an early
conclusion is made only where the last one took less than a twentieth of the time since.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aftershock_collector.sources.requests import Observations

SHARE_MAX = 0.05  # of the time that early conclusions may take
APART_S = 0.05  # between an end and the next early beginning: steps come in groups

Work = Callable[[], None]


class EarlyRounds:
    """Belongs to the worker's thread. `call` puts work behind what waits in the ingest queue."""

    def __init__(self, conclude: Work, call: Callable[[Work], None]) -> None:
        self._work = conclude
        self._call = call
        self._asked = False
        self._cost_s = 0.0
        self._ended_s = time.monotonic()

    def conclude(self) -> None:
        """One conclusion, at a tick or early."""
        began_s = time.monotonic()
        self._asked = False
        try:
            self._work()
        finally:
            self._ended_s = time.monotonic()
            self._cost_s = self._ended_s - began_s

    def arrived(self, observations: Observations) -> None:
        """Something was consumed; ask for a conclusion where it is worth one."""
        if not observations.steps or self._asked:
            return
        idle_s = time.monotonic() - self._ended_s
        if idle_s >= max(APART_S, self._cost_s / SHARE_MAX):
            self._asked = True
            self._call(self.conclude)
