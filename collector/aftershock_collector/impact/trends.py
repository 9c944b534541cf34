"""What had grown since before an action when its target died: a leak, and not the action.

Memory that grows bit by bit ends with a process that is killed, whoever touched it last. That the
process started over shows in the same series: it ends, or falls far below where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.impact.onset import Onset
from aftershock_collector.impact.segments import averaged
from aftershock_collector.metrics.series import Series

POINTS_MIN = 10  # fewer are no trend
GROUPS_MAX = 20  # of points, that are averaged before they are ranked
RANKED_MIN = 0.9  # Spearman's correlation with time: it grows nearly all the time
GROWN_MIN = 1.5  # from the first group to the last one: half as much again is no warm cache
FASTER_MAX = 2.0  # growth since the action, beside that before it: more was its doing
FALLEN_MAX = 0.5  # of the last value: a process that started over uses less


def died_growing(several: Sequence[Series], effect_ns: int, broke: Onset) -> str | None:
    """The series that had grown since before an action, and that the damage ended.

    Args:
        several: what the target uses of resources.
        effect_ns: when the action had its effect.
        broke: when the damage began, later than that.

    Returns:
        The metric of the first such series; None where there is none.
    """
    for series in several:
        times, values = series.times_ns, series.values.astype(np.float64)
        acted = int(times.searchsorted(effect_ns, side="right"))
        ended = int(times.searchsorted(broke.high_ns))
        if ended > 0 and _ended(values[ended - 1], values[ended : ended + 1]):
            speeds = _speeds(times[:acted], values[:acted])
            since_ns = times[ended - 1] - times[acted - 1]
            grown = values[ended - 1] - values[acted - 1]
            if any(0.0 <= grown <= FASTER_MAX * speed * since_ns for speed in speeds):
                return series.metric
    return None


def _ended(last: float, following: NDArray[np.float64]) -> bool:
    """True where nothing follows the last value before the damage, or far less."""
    return not len(following) or bool(following[0] <= FALLEN_MAX * last)


def _speeds(times: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[float]:
    """Growth a nanosecond over each stretch up to the newest point in which it is a trend."""
    size = 2 * POINTS_MIN
    while len(values) >= POINTS_MIN:
        newest = values[-size:]
        means = averaged(newest.astype(np.float32), -(-len(newest) // GROUPS_MAX))
        if means[-1] >= GROWN_MIN * means[0] > 0 and _ranked(means) >= RANKED_MIN:
            yield float(newest[-1] - newest[0]) / float(times[-1] - times[-len(newest)])
        if size >= len(values):
            return
        size *= 2


def _ranked(means: NDArray[np.float32]) -> float:
    """Spearman's correlation of values with their order."""
    ranks = means.argsort(kind="stable").argsort(kind="stable")
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
