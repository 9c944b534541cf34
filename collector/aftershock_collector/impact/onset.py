"""When damage began: a change point with its uncertainty, never the first noisy point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.metrics.series import Series

BAND_SCALES = 3.0  # half the width of the band around the baseline's median
BEFORE_POINTS = 5  # before the action that are looked at too: damage may have been there
_SUPPORT = 2.0  # nats: change points this much less likely are still possible
_CLIP = 2.0  # one extreme point counts as this many times the edge of the band


class Onset(NamedTuple):
    """The stretch outside the band that carries the most evidence. Times in nanoseconds."""

    began_ns: int  # first point of the stretch
    low_ns: int  # the damage began after this point ...
    high_ns: int  # ... and not later than this one
    ended_ns: int | None  # last point of the stretch, where the newest point is beyond it
    points: int


def onset_of(
    series: Series, effect_ns: int, median: float, scale: float, *, downwards: bool = False
) -> Onset | None:
    """The change point of a series around an action; None where it never left the band.

    The stretch with the largest sum of (deviation - edge), deviations clipped: the likelihood
    ratio of "outside" against "inside", point by point, so a single noisy point cannot win
    against a sustained excursion.
    """
    first = max(0, int(series.times_ns.searchsorted(effect_ns, side="right")) - BEFORE_POINTS)
    times = series.times_ns[first:]
    if not len(times):
        return None
    deviation = (series.values[first:].astype(np.float64) - median) / scale
    if downwards:
        deviation = -deviation
    gain = np.clip(deviation, -_CLIP * BAND_SCALES, _CLIP * BAND_SCALES) - BAND_SCALES
    start, end = _largest(gain)
    if end < start:
        return None
    low, high = _support(gain, start, end)
    before = max(0, low - 1)
    return Onset(
        int(times[start]),
        int(times[before]),
        int(times[high]),
        None if end == len(times) - 1 else int(times[end]),
        end - start + 1,
    )


def _largest(gain: NDArray[np.float64]) -> tuple[int, int]:
    """First and last index of the stretch with the largest positive sum; (0, -1) for none."""
    best, found, total, start = 0.0, (0, -1), 0.0, 0
    for index, value in enumerate(gain.tolist()):
        if total <= 0.0:
            total, start = 0.0, index
        total += value
        if total > best:
            best, found = total, (start, index)
    return found


def _support(gain: NDArray[np.float64], start: int, end: int) -> tuple[int, int]:
    """Earliest and latest start whose stretch is nearly as likely as the best one."""
    low = start
    total = 0.0
    for index in range(start - 1, -1, -1):
        total += gain[index]
        if total >= -_SUPPORT:
            low = index
    high = start
    total = 0.0
    for index in range(start, end):
        total += gain[index]
        if total <= _SUPPORT:
            high = index + 1
        else:
            break
    return low, high
