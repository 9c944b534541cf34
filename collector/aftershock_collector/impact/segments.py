"""Cuts a series at a moment into what came before and what came after.

Every size in this folder is in points. Where points come faster than an attribution needs them,
they are averaged in groups. Groups are counted away from the cut, so that none straddles it.
"""

from __future__ import annotations

from typing import NamedTuple

from aftershock_collector.impact.placebos import (
    BASELINE_POINTS,
    HISTORY_MIN,
    HISTORY_POINTS,
    POST_MAX,
)
from aftershock_collector.metrics.series import Family, Series, Times, Values

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
_TINY = 1e-9  # keeps the scale of a constant zero above zero
_PER_SECOND = "/s"


class Cut(NamedTuple):
    """One series around one moment. `group` points were averaged into one."""

    series: Series
    history: Values  # newest last
    history_ns: Times  # time of the newest point in each group
    post: Values
    cadence_ns: int
    group: int


def cadence_of(series: Series, last: int) -> int:
    """Median distance of the newest points before index `last`, in nanoseconds; 0 for one point."""
    recent = series.times_ns[max(0, last - BASELINE_POINTS - 1) : last]
    if len(recent) < 2:
        return 0
    gaps = recent[1:] - recent[:-1]
    gaps.sort()
    return int(gaps[len(gaps) // 2])


class Newest(NamedTuple):
    """Where a series stands at one time, whatever it is cut at."""

    last: int  # how many points there are until then
    cadence_ns: int
    silent: bool  # its points stopped before then


def newest_of(series: Series, now_ns: int) -> Newest:
    """How a series stands at `now_ns`; later points are left out."""
    last = int(series.times_ns.searchsorted(now_ns, side="right"))
    cadence_ns = cadence_of(series, last)
    age_ns = now_ns - int(series.times_ns[last - 1]) if last else 0
    return Newest(last, cadence_ns, age_ns > SILENT_CADENCES * max(cadence_ns, 1))


def cut(series: Series, effect_ns: int, newest: Newest, *, fine: bool = False) -> Cut | None:
    """Split at `effect_ns`; None where the series has nothing before it.

    Args:
        series: the points.
        effect_ns: the moment; a point at that time still belongs to the history.
        newest: where the series stands now.
        fine: point by point; otherwise as coarse as keeps the part after the cut short.
    """
    first = int(series.times_ns.searchsorted(effect_ns, side="right"))
    last = newest.last
    if not first or not last:
        return None
    group = 1 if fine else group_for(last - first, first)
    post = averaged(series.values[first:last], group)[-POST_MAX:]
    history = averaged(series.values[:first], group)[
        -(BASELINE_POINTS + HISTORY_POINTS + POST_MAX) :
    ]
    times = series.times_ns[:first]
    history_ns = times[::-1][::group][: len(history)][::-1] if group > 1 else times[-len(history) :]
    return Cut(series, history, history_ns, post, newest.cadence_ns, group)


def group_for(after: int, before: int) -> int:
    """Points per average so that `after` points become at most POST_MAX; a power of two."""
    group = 1
    while -(-after // group) > POST_MAX and before >= 2 * group * _GROUPED_MIN:
        group *= 2
    return group


def averaged(values: Values, group: int) -> Values:
    """Means of groups, aligned to the newest value; an incomplete oldest group is left out."""
    if group == 1:
        return values
    count = len(values) // group
    return values[len(values) - count * group :].reshape(count, group).mean(axis=1)


def floors(series: Series, cadence_ns: int = 0) -> tuple[float, float]:
    """(share of the median, absolute value) below which a scale is not believed.

    A counter of errors is not believed to a finer scale than one event in an interval: one error
    more is no news.
    """
    share, absolute = _FLOORS[series.family]
    if series.family is Family.RESOURCES and series.unit == "By":
        share = _MEMORY_FLOOR
    if series.family is Family.ERRORS and series.unit != "1":
        absolute *= 100 if series.unit == "%" else 10  # errors a second are not a ratio
        if series.unit.endswith(_PER_SECOND) and cadence_ns:
            absolute = max(absolute, 1e9 / cadence_ns)
    return share, max(absolute, _TINY)
