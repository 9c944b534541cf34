"""Cuts a series at the moment of an action into what came before and what came after.

Every size in this folder is in points. Where points come faster than a verdict needs them, they
are averaged in groups, always counted away from the cut so that no group straddles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aftershock_collector.impact.placebos import (
    BASELINE_POINTS,
    HISTORY_MIN,
    HISTORY_POINTS,
    POST_MAX,
    PRIOR_POINTS,
    Stack,
)
from aftershock_collector.metrics.series import Family, Series, Times, Values

_GROUPED_MIN = 2 * HISTORY_MIN  # averaging never leaves less history than this
_QUIET_MIN = int(PRIOR_POINTS)  # points away from actions; fewer would say less than the prior
_SILENT_CADENCES = 3.5  # a series that missed three points in a row has gone silent

# Floors of the scale: (share of the median, absolute). Smaller movements do not matter to anyone.
_FLOORS: dict[Family, tuple[float, float]] = {
    Family.LATENCY: (0.10, 0.0),
    Family.ERRORS: (0.10, 0.005),  # half a percentage point, where errors are a ratio
    Family.RESOURCES: (0.10, 0.0),
    Family.TRAFFIC: (0.10, 0.0),
}
_MEMORY_FLOOR = 0.05  # memory moves slowly: 5 % of it is already much
_TINY = 1e-9  # keeps the scale of a constant zero above zero


class Cut(NamedTuple):
    """One series around one moment. `group` points were averaged into one."""

    series: Series
    history: Values
    history_ns: Times  # time of the newest point in each group
    post: Values
    cadence_ns: int
    group: int
    silent: bool  # its points stopped before now


def cut(
    series: Series, effect_ns: int, now_ns: int, history_points: int = HISTORY_POINTS
) -> Cut | None:
    """Split at `effect_ns`; None where the series has nothing before it.

    `history_points` earlier starts are kept, with the baseline before the first of them.
    """
    first = int(series.times_ns.searchsorted(effect_ns, side="right"))
    last = int(series.times_ns.searchsorted(now_ns, side="right"))
    if not first:
        return None
    times = series.times_ns[:first]
    recent = series.times_ns[max(0, last - BASELINE_POINTS - 1) : last]
    gaps = recent[1:] - recent[:-1]
    gaps.sort()
    cadence_ns = int(gaps[len(gaps) // 2]) if len(gaps) else 0
    silent = now_ns - int(series.times_ns[last - 1]) > _SILENT_CADENCES * max(cadence_ns, 1)
    group = 1
    while -(-(last - first) // group) > POST_MAX and first >= 2 * group * _GROUPED_MIN:
        group *= 2
    post = averaged(series.values[first:last], group)[-POST_MAX:]
    history = averaged(series.values[:first], group)[
        -(BASELINE_POINTS + history_points + len(post)) :
    ]
    history_ns = times[::-1][::group][: len(history)][::-1] if group > 1 else times[-len(history) :]
    return Cut(series, history, history_ns, post, cadence_ns, group, silent)


def averaged(values: Values, group: int) -> Values:
    """Means of groups, aligned to the newest value; an incomplete oldest group is left out."""
    if group == 1:
        return values
    count = len(values) // group
    return values[len(values) - count * group :].reshape(count, group).mean(axis=1)


def floors(series: Series) -> tuple[float, float]:
    """(share of the median, absolute value) below which a scale is not believed."""
    share, absolute = _FLOORS[series.family]
    if series.family is Family.RESOURCES and series.unit == "By":
        share = _MEMORY_FLOOR
    if series.family is Family.ERRORS and series.unit != "1":
        absolute *= 100 if series.unit == "%" else 10  # errors a second are not a ratio
    return share, max(absolute, _TINY)


def stack(cuts: Sequence[Cut], skipped_after_ns: Sequence[Sequence[int]], points: int) -> Stack:
    """Lay cuts under each other.

    Args:
        cuts: the series, one row each.
        skipped_after_ns: per cut, the effect times of recorded actions nearby: the points
            after them say what actions do, not what chance does.
        points: how many points after such an effect are left out.
    """
    width = max(len(each.history) for each in cuts)
    history = np.full((len(cuts), width), np.inf, np.float32)
    skipped = np.zeros((len(cuts), width), np.bool_)
    for row, each in enumerate(cuts):
        start = width - len(each.history)
        history[row, start:] = each.history
        for effect_ns in skipped_after_ns[row]:
            after = start + int(each.history_ns.searchsorted(effect_ns, side="right"))
            skipped[row, after : after + points] = True
        left = len(each.history) - np.count_nonzero(skipped[row])
        if left < min(_QUIET_MIN, len(each.history) / 2):
            skipped[row] = False  # acted on all the time: that is its usual
    limits = np.array([floors(each.series) for each in cuts], np.float32)
    lengths = np.array([len(each.history) for each in cuts], np.int64)
    return Stack(history, lengths, limits[:, :1], limits[:, 1:], skipped)
