"""Levels: the newest value of each metric that an action's assumptions or a canary name.

Gauges and sums that go up and down; of what only grows, such as counters, and of histograms no
level is known. Names with dots and with underscores are the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from math import isnan
from threading import Lock
from typing import NamedTuple

from aftershock.gate.assumptions import Measured
from aftershock_collector.metrics.entities import place_of
from aftershock_collector.otlp.wire import Sample

SOURCE = "live metrics"
NAMES_MAX = 1_000  # metrics that policies and askers name
SERIES_MAX = 20_000  # as many as series of the collector; the least recently measured goes
KEPT_NS = 3_600 * 1_000_000_000  # a series that ended an hour ago is no part of now

Labels = tuple[tuple[str, str], ...]


class Level(NamedTuple):
    """One value."""

    value: float
    at_ns: int


class MetricLevels:
    """Bounded; safe for threads."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        """`wanted`: metrics that a policy names, as `NAME` or `NAME / NAME`."""
        self._names: OrderedDict[str, None] = OrderedDict()
        self._levels: OrderedDict[tuple[str, str, Labels], Level] = OrderedDict()
        self._lock = Lock()
        for one in wanted:
            self.want(one)

    def want(self, metric: str) -> None:
        """Keep the levels of a metric from now on."""
        with self._lock:
            for name in names_in(metric):
                self._names[name] = None
                self._names.move_to_end(name)
                if len(self._names) > NAMES_MAX:
                    self._names.popitem(last=False)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the metrics whose levels are kept."""
        with self._lock:
            return tuple(self._names)

    def record(self, samples: Iterable[Sample]) -> None:
        """Keep what was measured, where somebody wants it."""
        if not self._names:
            return
        for sample in samples:
            name = same_name(sample.name)
            if name not in self._names or sample.value is None or isnan(sample.value):
                continue
            if sample.monotonic or sample.delta:
                continue
            place = place_of(sample.name, sample.resource, sample.attributes, called=False)
            if place is None:
                continue
            labels = sorted((str(key), str(value)) for key, value in sample.attributes.items())
            own = (("", place.instance), *labels)
            for entity in (place.entity, *place.aliases):
                self._set((name, entity, own), Level(sample.value, sample.time_ns))

    def measured(
        self, metric: str, entity: str, now_ns: int, *, most: bool = True
    ) -> Measured | None:
        """The value of a metric of an entity now: of several series the highest, or the lowest.

        A quotient is of series with the same labels; a divisor without labels serves all. None:
        nobody measured it.
        """
        self.want(metric)
        names = names_in(metric)
        if not (above := self._of(names[0], entity, now_ns)):
            return None
        values = list(above.values())
        if len(names) > 1 and not (
            values := list(quotients(above, self._of(names[1], entity, now_ns)))
        ):
            return None
        chosen = (max if most else min)(values, key=lambda level: level.value)
        oldest_ns = min(level.at_ns for level in values)
        return Measured(chosen.value, max(0.0, (now_ns - oldest_ns) / 1e9), SOURCE)

    def _of(self, name: str, entity: str, now_ns: int) -> dict[Labels, Level]:
        with self._lock:
            return {
                labels: level
                for (named, of, labels), level in self._levels.items()
                if named == name and of == entity and now_ns - level.at_ns < KEPT_NS
            }

    def _set(self, key: tuple[str, str, Labels], level: Level) -> None:
        with self._lock:
            known = self._levels.get(key)
            if known is not None and known.at_ns > level.at_ns:
                return
            self._levels[key] = level
            self._levels.move_to_end(key)
            if len(self._levels) > SERIES_MAX:
                self._levels.popitem(last=False)


def quotients(above: dict[Labels, Level], below: dict[Labels, Level]) -> Iterable[Level]:
    """Values of one metric divided by those of another; as old as the older of both.

    Nothing, where some series has no divisor: the highest quotient would not be known then.
    """
    only = next(iter(below.values())) if len(below) == 1 else None
    found: list[Level] = []
    for labels, level in above.items():
        divisor = below.get(labels, only)
        if divisor is None or divisor.value == 0:
            return []
        found.append(Level(level.value / divisor.value, min(level.at_ns, divisor.at_ns)))
    return found


def names_in(metric: str) -> tuple[str, ...]:
    """The names of a metric or a quotient."""
    return tuple(same_name(one.strip()) for one in metric.split("/"))


def same_name(name: str) -> str:
    """Equal for the names of one metric in OpenTelemetry and in Prometheus."""
    return name.replace(".", "_")
