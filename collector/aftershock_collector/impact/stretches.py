"""The newest stretches of many series: described once for all actions, scored for each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aftershock_collector.impact.ordering import middle_and_largest
from aftershock_collector.impact.placebos import LENGTHS, POST_MAX, Counts, Matrix, Vector, nats
from aftershock_collector.impact.segments import averaged
from aftershock_collector.impact.usual import Fits, Usual
from aftershock_collector.metrics.series import Series

SPLIT_PRICE = 0.5  # nats per doubling of the stretches tried: nested stretches are correlated

_SIZES = np.array(LENGTHS, np.int64)
_ROOTS = np.sqrt(np.minimum(_SIZES, 4)).astype(np.float32)
_TRIED = np.array([sum(n <= size for n in LENGTHS) for size in range(POST_MAX + 1)], np.int64)
_LONGEST = np.array([0, *LENGTHS], np.int64)[_TRIED]  # by how many points there are
_PRICES = SPLIT_PRICE * np.log2(_TRIED + 1)


def newest_points(several: Sequence[Series], last: Counts, group: int) -> Matrix:
    """The newest points of each series, averaged in groups: (series, POST_MAX), newest last."""
    points = np.full((len(several), POST_MAX), np.nan, np.float32)
    for row, (series, end) in enumerate(zip(several, last.tolist(), strict=True)):
        newest = averaged(series.values[max(0, end - group * POST_MAX) : end], group)
        points[row, POST_MAX - len(newest) :] = newest
    return points


def described(points: Matrix, longest: int) -> Matrix:
    """Median, mean and maximum of every stretch that ends with the newest point.

    Args:
        points: (series, POST_MAX), newest last.
        longest: no stretch of more points is described.

    Returns:
        (3, series, LENGTHS); of stretches longer than a series, nothing that has a meaning.
    """
    made = np.zeros((3, len(points), len(LENGTHS)), np.float32)
    newest_first = np.ascontiguousarray(points.T[::-1])
    total = np.zeros(len(points), np.float32)
    added = 0
    for place, length in enumerate(LENGTHS):
        if length > longest:
            break
        for column in newest_first[added:length]:
            total += column
        added = length
        middle, largest = middle_and_largest([column.copy() for column in newest_first[:length]])
        made[0, :, place] = middle
        made[1, :, place] = total / np.float32(length)
        made[2, :, place] = largest
    return made


class Rows:
    """Stretches after moments: which series, how long, and how that series usually moves.

    Args:
        fits: of the distributions.
        usuals: of each row.
        lengths: how many points came after the moment of each row.
    """

    def __init__(self, fits: Fits, usuals: Sequence[Usual], lengths: Counts) -> None:
        self._longest = _LONGEST[lengths]
        self._price = _PRICES[lengths]
        behind: dict[int, list[Usual]] = {}
        for usual, length in zip(usuals, self._longest.tolist(), strict=True):
            if usual.reached < length:
                behind.setdefault(length, []).append(usual)
        for length in sorted(behind):
            fits.fit_up_to(behind[length], length)
        self._fits = fits
        self._usual = np.array([each.row for each in usuals], np.int64)

    def scan(
        self, rows: Counts, seen: Matrix, median: Matrix, scale: Matrix
    ) -> tuple[Vector, Counts]:
        """Nats of the stretch, among those that end now, that stands out most; and its length.

        The longest stretch is free; each doubling of the number of shorter ones has its price.

        Args:
            rows: which rows are scored.
            seen: (3, rows, LENGTHS): their stretches, as `described`.
            median: of each frozen band.
            scale: the robust standard deviation in it.
        """
        longest = self._longest[rows]
        which, place = np.nonzero(longest[:, None] >= _SIZES)
        deviation = seen[:, which, place] - median[which]
        deviation /= scale[which]
        deviation[1] *= _ROOTS[place]
        fitted = self._fits.of(self._usual[rows[which]], place)
        value = nats(fitted, deviation.astype(np.float64))
        value -= np.where(_SIZES[place] == longest[which], 0.0, self._price[rows[which]])
        found = np.zeros((len(rows), len(LENGTHS)))
        found[which, place] = value
        best = found.argmax(axis=1)
        nats_of = found[np.arange(len(rows)), best]
        return np.maximum(nats_of, 0.0), np.where(nats_of > 0.0, _SIZES[best], 0)
