"""A rate limit for each sender: a token bucket, which allows a burst and then a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

SENDERS_MAX = 10_000  # buckets kept, newest used; a full bucket is the same as none
BURST_S = 2.0  # of the steady rate, which may come at once: exporters send in batches


class Rates:
    """Counts requests of each sender. Belongs to one event loop."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = max(1.0, per_s * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, and when

    def wait_s(self, sender: str) -> float:
        """Count one request; 0.0 if it may go on, else the seconds until one may."""
        now_s = self._clock()
        left, at_s = self._buckets.get(sender, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        allowed = left >= 1
        self._buckets[sender] = (left - allowed, now_s)
        self._buckets.move_to_end(sender)
        if len(self._buckets) > SENDERS_MAX:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_s
