"""The circuit breaker: a tool that failed again and again on one target is left alone for a while.

One circuit for each tool and target. After `failures_max` failures in a row it opens: calls are
answered without being made. After `pause_s` one call is let through to try; its success closes the
circuit, its failure opens it for twice as long.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from aftershock.recovery.failures import FailureKind

if TYPE_CHECKING:
    from collections.abc import Callable

CIRCUITS_MAX = 1_000  # the least recently used one is forgotten, which closes it
PAUSE_MAX_S = 600.0
# What says something about the service. The rest says something about the call.
COUNTED = frozenset({FailureKind.TIMEOUT, FailureKind.UNAVAILABLE, FailureKind.BROKEN})


@dataclass(slots=True)
class Circuit:
    """One tool on one target."""

    failures: int = 0  # in a row
    opened_at_s: float | None = None
    pause_s: float = 0.0
    tried_at_s: float | None = None  # of the call that tries whether it works again


class Breaker:
    """Circuits by tool and target. Bounded; safe for threads. Share one between tools."""

    def __init__(
        self,
        failures_max: int = 5,
        pause_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds that only grow."""
        if failures_max < 1 or pause_s <= 0:
            raise ValueError("failures_max must be at least 1, and pause_s more than 0")
        self._failures_max = failures_max
        self._pause_s = pause_s
        self._clock = clock
        self._circuits: OrderedDict[tuple[str, str], Circuit] = OrderedDict()
        self._lock = Lock()

    def waits_s(self, tool: str, target: str) -> float | None:
        """None: call it. Else seconds until a call may try again."""
        with self._lock:
            circuit = self._circuits.get((tool, target))
            if circuit is None or circuit.opened_at_s is None:
                return None
            now_s = self._clock()
            # A try that never reported back counts as failed once it has lasted as long.
            since_s = circuit.tried_at_s or circuit.opened_at_s
            left_s = since_s + circuit.pause_s - now_s
            if left_s > 0:
                return left_s
            circuit.tried_at_s = now_s  # this call tries
            return None

    def succeeded(self, tool: str, target: str) -> None:
        """A call worked: its circuit is closed."""
        with self._lock:
            self._circuits.pop((tool, target), None)

    def failed(self, tool: str, target: str, kind: FailureKind) -> None:
        """A call failed."""
        if kind not in COUNTED:
            return
        with self._lock:
            key = tool, target
            circuit = self._circuits.setdefault(key, Circuit())
            self._circuits.move_to_end(key)
            if len(self._circuits) > CIRCUITS_MAX:
                self._circuits.popitem(last=False)
            circuit.failures += 1
            if circuit.tried_at_s is not None:
                circuit.pause_s = min(2 * circuit.pause_s, PAUSE_MAX_S)
            elif circuit.failures >= self._failures_max:
                circuit.pause_s = circuit.pause_s or self._pause_s
            else:
                return
            circuit.opened_at_s, circuit.tried_at_s = self._clock(), None
