"""Saturation: how much of what has a limit is used, such as connections, from live metrics.

Pairs of metrics of one entity whose names differ in their ends only: `db_connections_in_use` and
`db_connections_max`. Dots are read as underscores, and label sets are kept apart.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isnan
from threading import Lock

from aftershock_collector.metrics.entities import place_of
from aftershock_collector.otlp.wire import Sample

# What a service is full by. Memory and disk are half full on any ordinary day.
COUNTED = re.compile(r"connection|session|pool|slot|quota|descriptor|(?:^|_)fds?(?:_|$)")
USED = re.compile(r"^(.+?)_(?:in_use|used|active|open|allocated)$")
MOST = re.compile(r"^(.+?)_(?:max|limit|capacity)$")
SHARE_MIN = 0.5  # from here on, doubling what uses it is too much
FRESH_S = 120.0  # an older measurement says nothing about now
ENTRIES_MAX = 20_000  # as many as series of the collector; the least recently measured goes

Key = tuple[str, str, tuple[tuple[str, str], ...]]  # entity, stem, labels


@dataclass(slots=True)
class Level:
    """What is used, and what there is. NaN is never kept."""

    used: float | None = None
    most: float | None = None
    measured_ns: int = 0  # what is used


@dataclass(frozen=True, slots=True)
class Saturation:
    """What is used of one thing with a limit."""

    entity: str
    name: str
    used: float
    most: float
    measured_ns: int


class SaturationLevels:
    """The newest of each pair. Bounded; safe for threads."""

    def __init__(self) -> None:
        self._levels: OrderedDict[Key, Level] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._levels)

    def record(self, samples: Iterable[Sample]) -> None:
        """Remember what was measured, where it is a half of such a pair."""
        for sample in samples:
            name = sample.name.replace(".", "_")
            if sample.value is None or isnan(sample.value) or not COUNTED.search(name):
                continue
            used, most = USED.match(name), MOST.match(name)
            found = used or most
            if found is None:
                continue
            place = place_of(sample.name, sample.resource, sample.attributes, called=False)
            if place is None:
                continue
            labels = sorted((str(key), str(value)) for key, value in sample.attributes.items())
            key = place.entity, found[1], (("", place.instance), *labels)
            self._set(key, sample, is_used=used is not None)

    def about(self, entities: frozenset[str], now_ns: int) -> Iterator[Saturation]:
        """What is at least half used of these entities, the fullest first."""
        with self._lock:
            levels = [(key, level) for key, level in self._levels.items() if key[0] in entities]
        found = [
            Saturation(entity, stem, level.used, level.most, level.measured_ns)
            for (entity, stem, _), level in levels
            if level.used is not None
            and level.most is not None
            and level.most > 0
            and level.used >= SHARE_MIN * level.most
            and now_ns - level.measured_ns < FRESH_S * 1e9
        ]
        yield from sorted(found, key=lambda one: one.used / one.most, reverse=True)

    def _set(self, key: Key, sample: Sample, *, is_used: bool) -> None:
        with self._lock:
            level = self._levels.setdefault(key, Level())
            self._levels.move_to_end(key)
            if is_used:
                level.used, level.measured_ns = sample.value, sample.time_ns
            else:
                level.most = sample.value
            if len(self._levels) > ENTRIES_MAX:
                self._levels.popitem(last=False)
