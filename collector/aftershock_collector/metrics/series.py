"""Bounded rings of metric points, and the seam `window(entities, start, end) -> series`.

Appending is O(1). What was read does not change under the reader: points are only added behind it,
and a late one goes into a copy.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

POINTS_MAX = 1_024  # ten minutes of looking and seven of history at one point a second: 18 kB
POINTS_CROWDED_MAX = 320  # with many series: baseline, history and looks at one point a minute
SERIES_MAX = 20_000  # 115 MB at worst
SLOTS_MAX = 8_000_000  # points that may have room at once (96 MB) before rings stop growing
ALIASES_MAX = 10_000  # other names of entities; one thing rarely has more than two
RETENTION_S = 26 * 3_600.0  # baseline, history and looks at one point in five minutes
SILENT_S = 2 * 3_600.0  # after this a series may be forgotten for one that is alive
_SWEEP_S = 60.0  # silent series are looked for at most this often (data time)
_FIRST_POINTS = 64  # a ring starts small: most pods live briefly
_HUGE = 3.0e38  # larger does not fit a float32

Times = NDArray[np.int64]
Values = NDArray[np.float32]


class Family(StrEnum):
    """What kind of trouble a series can show. Larger is worse, except in traffic."""

    LATENCY = "latency"
    ERRORS = "errors"
    RESOURCES = "resources"
    TRAFFIC = "traffic"  # two-sided, and never evidence by itself


@dataclass(frozen=True, slots=True)
class Series:
    """A stretch of one metric of one entity: times strictly increasing, values finite."""

    entity: str
    metric: str
    family: Family
    unit: str  # UCUM, as OpenTelemetry writes it: s, By, 1, {connection}, {request}/s
    times_ns: Times
    values: Values


class SeriesSource(Protocol):
    """Where series come from: rings in memory here, a query to Prometheus elsewhere."""

    def window(
        self, entities: Iterable[str] | None, start_ns: int, end_ns: int
    ) -> Sequence[Series]:
        """Every series of these entities (None: of all) with its points in [start, end]."""
        ...

    def newest_ns(self, entities: Iterable[str], end_ns: int) -> int:
        """Time of the newest point of these entities up to `end_ns`; -1 where there is none."""
        ...

    def canonical(self, entity: str) -> str:
        """The key that series of this entity are filed under."""
        ...

    def entities(self) -> Sequence[str]:
        """Every entity that has a series."""
        ...


class _Ring:
    """The newest points of one series, contiguous so that a window is a slice."""

    __slots__ = ("end", "entity", "family", "metric", "newest_ns", "times", "unit", "values")

    def __init__(self, entity: str, metric: str, family: Family, unit: str) -> None:
        self.entity = entity
        self.metric = metric
        self.family = family
        self.unit = unit
        self.times: Times = np.empty(_FIRST_POINTS, np.int64)
        self.values: Values = np.empty(_FIRST_POINTS, np.float32)
        self.end = 0
        self.newest_ns = -1

    def make_room(self, points_max: int, retention_ns: int) -> int:
        """Forget what is too old or too much, or grow; returns the slots that were added."""
        before = size = len(self.times)
        oldest_ns = self.newest_ns - retention_ns
        start = max(int(self.times.searchsorted(oldest_ns)), self.end - points_max)
        kept = self.end - start
        if kept * 3 > size * 2:
            size = min(size * 2, points_max * 3 // 2)
        times, values = np.empty(size, np.int64), np.empty(size, np.float32)
        times[:kept] = self.times[start : self.end]
        values[:kept] = self.values[start : self.end]
        self.times, self.values, self.end = times, values, kept
        return size - before


class SeriesStore:
    """All series in memory. Whatever is not kept is counted in `dropped`, by reason."""

    def __init__(
        self,
        *,
        series_max: int = SERIES_MAX,
        points_max: int = POINTS_MAX,
        retention_s: float = RETENTION_S,
    ) -> None:
        assert points_max >= _FIRST_POINTS, "a ring is never smaller than its first buffer"
        self.dropped: Counter[str] = Counter()
        self._series_max = series_max
        self._points_max = points_max
        self._retention_ns = int(retention_s * 1e9)
        self._rings: dict[tuple[str, str], _Ring] = {}
        self._entities: dict[str, list[_Ring]] = {}
        self._aliases: OrderedDict[str, str] = OrderedDict()
        self._slots = 0
        self._swept_ns = 0

    def __len__(self) -> int:
        return len(self._rings)

    def append(  # noqa: PLR0917  (called for every point: keywords would cost a third)
        self, entity: str, metric: str, family: Family, unit: str, time_ns: int, value: float
    ) -> None:
        """Add one point. What is not a finite number says nothing and is not kept."""
        ring = self._rings.get((entity, metric)) or self._open(
            entity, metric, family, unit, time_ns
        )
        if ring is None:
            return
        if not -_HUGE < value < _HUGE:
            self.dropped["not_finite"] += 1
            return
        if time_ns <= ring.newest_ns:
            self._insert(ring, time_ns, value)
            return
        end = ring.end
        if end == len(ring.times):
            end = self._make_room(ring)
        ring.times[end] = time_ns
        ring.values[end] = value
        ring.end = end + 1
        ring.newest_ns = time_ns

    def alias(self, name: str, entity: str) -> None:
        """Say that `name` is another key of `entity`: actions may use either."""
        if name == entity or self._aliases.get(name) == entity:
            return
        if len(self._aliases) >= ALIASES_MAX:
            self._aliases.popitem(last=False)
            self.dropped["aliases_full"] += 1
        self._aliases[name] = entity

    def canonical(self, entity: str) -> str:
        """The key that series of this entity are filed under."""
        if entity in self._entities:
            return entity
        return self._aliases.get(entity, entity)

    def entities(self) -> list[str]:
        """Every entity that has a series."""
        return list(self._entities)

    def window(self, entities: Iterable[str] | None, start_ns: int, end_ns: int) -> list[Series]:
        """Every series of these entities (None: of all) that has a point in [start, end]."""
        if entities is None:
            rings: Iterable[_Ring] = self._rings.values()
        else:
            keys = dict.fromkeys(self.canonical(entity) for entity in entities)
            rings = (ring for key in keys for ring in self._entities.get(key, ()))
        found: list[Series] = []
        for ring in rings:
            times = ring.times[: ring.end]
            if ring.newest_ns < start_ns:
                continue
            first, last = 0, ring.end
            if times[0] < start_ns:  # mostly everything is asked for: no search then
                first = int(times.searchsorted(start_ns))
            if ring.newest_ns > end_ns:
                last = int(times.searchsorted(end_ns, side="right"))
            if first < last:
                found.append(
                    Series(
                        ring.entity,
                        ring.metric,
                        ring.family,
                        ring.unit,
                        times[first:last],
                        ring.values[first:last],
                    )
                )
        return found

    def newest_ns(self, entities: Iterable[str], end_ns: int) -> int:
        """Time of the newest point of these entities up to `end_ns`; -1 where there is none."""
        newest_ns = -1
        for key in dict.fromkeys(self.canonical(entity) for entity in entities):
            for ring in self._entities.get(key, ()):
                at_ns = ring.newest_ns
                if at_ns > end_ns:
                    times = ring.times[: ring.end]
                    last = int(times.searchsorted(end_ns, side="right"))
                    at_ns = int(times[last - 1]) if last else -1
                newest_ns = max(newest_ns, at_ns)
        return newest_ns

    def _open(
        self, entity: str, metric: str, family: Family, unit: str, time_ns: int
    ) -> _Ring | None:
        if len(self._rings) >= self._series_max:
            self._sweep(time_ns)
        if len(self._rings) >= self._series_max:
            self.dropped["series_full"] += 1
            return None
        ring = _Ring(entity, metric, family, unit)
        self._slots += len(ring.times)
        self._rings[entity, metric] = ring
        self._entities.setdefault(entity, []).append(ring)
        return ring

    def _make_room(self, ring: _Ring) -> int:
        crowded = self._slots > SLOTS_MAX
        points_max = min(self._points_max, POINTS_CROWDED_MAX) if crowded else self._points_max
        self._slots += ring.make_room(points_max, self._retention_ns)
        return ring.end

    def _insert(self, ring: _Ring, time_ns: int, value: float) -> None:
        """Put a late point where it belongs; the first of two points at one time wins."""
        end = ring.end
        place = int(ring.times[:end].searchsorted(time_ns))
        if ring.times[place] == time_ns:
            self.dropped["duplicate_point"] += 1
            return
        if place == 0 and end >= self._points_max:
            self.dropped["late_point"] += 1
            return
        if end == len(ring.times):
            end = self._make_room(ring)
            place = int(ring.times[:end].searchsorted(time_ns))
        # In new buffers: whoever reads a window has a view of the old ones.
        times, values = ring.times.copy(), ring.values.copy()
        times[place + 1 : end + 1] = ring.times[place:end]
        values[place + 1 : end + 1] = ring.values[place:end]
        times[place], values[place] = time_ns, value
        ring.times, ring.values, ring.end = times, values, end + 1

    def _sweep(self, time_ns: int) -> None:
        """Forget series that have been silent for long."""
        if time_ns - self._swept_ns < _SWEEP_S * 1e9:
            return
        self._swept_ns = time_ns
        oldest_ns = time_ns - int(SILENT_S * 1e9)
        for key, ring in list(self._rings.items()):
            if ring.newest_ns < oldest_ns:
                del self._rings[key]
                self._slots -= len(ring.times)
                self._entities[ring.entity].remove(ring)
                if not self._entities[ring.entity]:
                    del self._entities[ring.entity]
                self.dropped["series_forgotten"] += 1
