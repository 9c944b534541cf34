"""When instances report, and how much traffic is usual: what silence and birth are judged by."""

from __future__ import annotations

from collections import OrderedDict, deque

TIMES_MAX = 64  # reports remembered of one instance: a baseline of zeros for a counter just born
BORN_MIN = 10  # earlier reports without a metric, from which its absence meant zero
INSTANCES_MAX = 20_000  # 12 MB
EXPECTED_MIN = 10.0  # calls in an interval: that none comes by chance then has p < 5e-5
_WEIGHT = 0.1  # of the newest interval in the usual count
_LEARNED_MIN = 10  # intervals with traffic before its end says something


class ReportTimes:
    """The newest report times of each instance, bounded."""

    def __init__(self) -> None:
        self._times: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def record(self, entity: str, instance: str, time_ns: int) -> None:
        """An instance reported something."""
        key = (entity, instance)
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = deque(maxlen=TIMES_MAX)
            if len(self._times) > INSTANCES_MAX:
                self._times.popitem(last=False)
        if not times or time_ns > times[-1]:
            times.append(time_ns)

    def before(self, entity: str, instance: str, time_ns: int) -> list[int]:
        """Report times before a moment, ascending; empty where they are too few to mean much."""
        times = [at for at in self._times.get((entity, instance), ()) if at < time_ns]
        return times if len(times) >= BORN_MIN else []


class Expected:
    """How many calls an interval usually has."""

    __slots__ = ("count", "intervals")

    def __init__(self) -> None:
        self.count = 0.0
        self.intervals = 0

    def stopped(self, count: float) -> float | None:
        """1 where traffic stopped that was steady before, 0 where it goes on.

        None while too little is known of it. An interval without calls never changes what is
        usual.
        """
        if count <= 0:
            known = self.intervals >= _LEARNED_MIN
            return (1.0 if self.count >= EXPECTED_MIN else 0.0) if known else None
        weight = max(_WEIGHT, 1.0 / (self.intervals + 1))
        self.count += weight * (count - self.count)
        self.intervals += 1
        return 0.0 if self.intervals > _LEARNED_MIN else None
