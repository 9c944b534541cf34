"""When damage began: a change point with its uncertainty, never the first noisy point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.metrics.series import Series

BAND_SCALES = 3.0  # half the width of the band around the baseline's median
BEFORE_POINTS = 5  # before the action that are looked at too: damage may have been there
_SUPPORT = 2.0  # nats: change points this much less likely are still possible
RAMP_POINTS = 8  # of which a growing one is told from one that jumped
LEAD_CADENCES = 4  # an onset that is known to ± 2 scrapes is worth a sentence
_CLIP = 2.0  # one extreme point counts as this many times the edge of the band


class Onset(NamedTuple):
    """The stretch outside the band that carries the most evidence. Times in nanoseconds."""

    began_ns: int  # first point of the stretch
    low_ns: int  # the damage began after this point ...
    high_ns: int  # ... and not later than this one
    ended_ns: int | None  # last point of the stretch, where the newest point is beyond it
    points: int

    def is_sharp(self, cadence_ns: int) -> bool:
        """True where it is known well enough to be said: slow growth has no such moment."""
        return self.high_ns - self.low_ns <= LEAD_CADENCES * cadence_ns


def onset_of(
    series: Series, effect_ns: int, median: float, scale: float, *, downwards: bool = False
) -> Onset | None:
    """The change point of a series around an action; None where it never left the band.

    The stretch with the largest sum of (deviation - edge), deviations clipped: the likelihood
    ratio of "outside" against "inside", point by point, so a single noisy point cannot win
    against a sustained excursion. What grows bit by bit left its band long after it began: there a
    line that rises from some point on says when, if it fits better than a step.
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
    if end == len(times) - 1 and (rise := _rise(deviation)) is not None:
        low, best, high = rise
        began = best + 1
        return Onset(
            int(times[began]), int(times[low]), int(times[high + 1]), None, len(times) - began
        )
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


def _rise(deviation: NDArray[np.float64]) -> tuple[int, int, int] | None:
    """Earliest, likeliest and latest point before steady growth; None where a step fits.

    Both are fitted from every point on by least squares, with the noise unknown: the likelihood
    ratio of two fits is (SSE / SSE) ** (n / 2).
    """
    size = len(deviation)
    if size < RAMP_POINTS:
        return None
    place = np.arange(size)
    after = deviation[::-1].cumsum()[::-1]  # sums from each point to the newest
    weighted = (place * deviation)[::-1].cumsum()[::-1]
    left = np.arange(size, 0, -1, dtype=np.float64)
    steps = float(deviation @ deviation) - after**2 / left
    reach = left[:-1] - 1.0  # points behind each start
    leaning = weighted[:-1] - place[:-1] * after[:-1]
    rises = float(deviation @ deviation) - leaning**2 / (reach * (reach + 1) * (2 * reach + 1) / 6)
    best = int(rises.argmin())
    least = max(float(rises[best]), 1e-9)
    worse = 0.5 * size * np.log(max(float(steps.min()), 1e-9) / least)
    if reach[best] < RAMP_POINTS - 1 or leaning[best] <= 0 or worse <= _SUPPORT:
        return None
    possible = np.flatnonzero(0.5 * size * np.log(np.maximum(rises, 1e-9) / least) <= _SUPPORT)
    return int(possible[0]), best, int(possible[-1])
