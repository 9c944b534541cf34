"""Cuts a series at a moment into what came before and what came after.

Every size in this folder is in points. Where points come faster than an attribution needs them,
they are averaged in groups. Groups are counted away from the cut, so that none straddles it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.impact.placebos import (
    BASELINE_POINTS,
    HISTORY_MIN,
    HISTORY_POINTS,
    POST_MAX,
)
from aftershock_collector.metrics.series import Family, Series, Times, Values

_HISTORY_MAX = BASELINE_POINTS + HISTORY_POINTS + POST_MAX  # points that anything looks at
_GROUPED_MIN = 2 * HISTORY_MIN  # averaging never leaves less history than this
SILENT_CADENCES = 3.5  # a series that missed three points in a row has gone silent

# Floors of the scale: (share of the median, absolute). Smaller movements do not matter to anyone.
_FLOORS: dict[Family, tuple[float, float]] = {
    Family.LATENCY: (0.10, 0.0),
    Family.ERRORS: (0.10, 0.005),  # half a percentage point, where errors are a ratio
    Family.RESOURCES: (0.10, 0.0),
    Family.TRAFFIC: (0.10, 0.0),
}
_MEMORY_FLOOR = 0.05  # memory moves slowly: 5 % of it is already much
_NO_TIME = np.iinfo(np.int64).max  # where there is no point
_TINY = 1e-9  # keeps the scale of a constant zero above zero
_PER_SECOND = "/s"
_COUNT = re.compile(r"\{(?!cpu\})[^}]*\}$")  # a unit that names things; parts of a CPU are none


class Cut(NamedTuple):
    """One series around one moment. `group` points were averaged into one."""

    series: Series
    first: int  # points before this index are history ...
    last: int  # ... and those from there up to this one came after the moment
    cadence_ns: int
    group: int

    @property
    def history(self) -> Values:
        """What came before, newest last."""
        oldest = max(0, self.first - self.group * _HISTORY_MAX)
        return averaged(self.series.values[oldest : self.first], self.group)

    @property
    def history_ns(self) -> Times:
        """Time of the newest point in each group of `history`."""
        count = min(self.first // self.group, _HISTORY_MAX)
        times = self.series.times_ns[: self.first]
        return times[::-1][:: self.group][:count][::-1]

    @property
    def post(self) -> Values:
        """What came after, newest last."""
        kept = max(self.first, self.last - self.group * POST_MAX)
        return averaged(self.series.values[kept : self.last], self.group)


class Newest(NamedTuple):
    """Where several series stand at one time, whatever they are cut at."""

    last: NDArray[np.int64]  # how many points each has until then
    cadence_ns: NDArray[np.int64]  # median distance of its newest points; 0 where there is one
    silent: NDArray[np.bool_]  # its points stopped before then


def newest_of(several: Sequence[Series], now_ns: int) -> Newest:
    """How each series stands at `now_ns`; later points are left out."""
    last = np.zeros(len(several), np.int64)
    width = BASELINE_POINTS + 1
    recent = np.full((len(several), width), _NO_TIME, np.int64)
    for row, series in enumerate(several):
        times = series.times_ns
        count = len(times)
        if count and times[-1] > now_ns:
            count = int(times.searchsorted(now_ns, side="right"))
        last[row] = count
        kept = times[max(0, count - width) : count]
        recent[row, width - len(kept) :] = kept
    gaps = recent[:, 1:] - recent[:, :-1]
    gaps[recent[:, :-1] == _NO_TIME] = _NO_TIME
    gaps.sort(axis=1)
    known = np.clip(last - 1, 0, BASELINE_POINTS)
    cadence_ns = np.where(known > 0, gaps[np.arange(len(several)), known // 2], 0)
    ages = now_ns - recent[:, -1]
    silent = (last > 0) & (ages > SILENT_CADENCES * np.maximum(cadence_ns, 1))
    return Newest(last, cadence_ns, silent)


def counts_up_to(
    searched: Sequence[tuple[Times, Sequence[int]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many points each series has up to each of its moments, and the time of the newest one.

    All are searched at once, by halves.

    Args:
        searched: times of a series, ascending, and moments.

    Returns:
        Both one after the other, series by series; -1 as the time where there is no point.
    """
    if not searched:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    sizes = np.array([len(times) for times, _ in searched], np.int64)
    asked = [len(moments) for _, moments in searched]
    starts = np.repeat(np.cumsum(sizes) - sizes, asked)
    wanted = np.array([at for _, moments in searched for at in moments], np.int64)
    flat = np.concatenate([*(times for times, _ in searched), np.zeros(1, np.int64)])
    low, high = starts.copy(), starts + np.repeat(sizes, asked)
    for _ in range(int(sizes.max()).bit_length()):
        half = (low + high) >> 1
        after = (low < high) & (flat[half] <= wanted)
        low = np.where(after, half + 1, low)
        high = np.where(after, high, half)
    counts = low - starts
    return counts, np.where(counts > 0, flat[low - 1], -1)


def groups_for(after: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Points per average so that `after` points become at most POST_MAX; powers of two."""
    groups = np.ones(len(after), np.int64)
    while len(after):
        many = (-(-after // groups) > POST_MAX) & (before >= 2 * groups * _GROUPED_MIN)
        if not many.any():
            break
        groups[many] *= 2
    return groups


def averaged(values: Values, group: int) -> Values:
    """Means of groups, aligned to the newest value; an incomplete oldest group is left out."""
    if group == 1:
        return values
    count = len(values) // group
    return values[len(values) - count * group :].reshape(count, group).mean(axis=1)


def floors(series: Series, cadence_ns: int = 0) -> tuple[float, float]:
    """(share of the median, absolute value) below which a scale is not believed.

    A counter of errors is not believed to a finer scale than one event in an interval, and a count
    of things in use to no finer one than one thing: one more is no news.
    """
    share, absolute = _FLOORS[series.family]
    if series.family is Family.RESOURCES and _COUNT.match(series.unit):
        absolute = 1.0
    if series.family is Family.RESOURCES and series.unit == "By":
        share = _MEMORY_FLOOR
    if series.family is Family.ERRORS and series.unit != "1":
        absolute *= 100 if series.unit == "%" else 10  # errors a second are not a ratio
        if series.unit.endswith(_PER_SECOND) and cadence_ns:
            absolute = max(absolute, 1e9 / cadence_ns)
    return share, max(absolute, _TINY)
