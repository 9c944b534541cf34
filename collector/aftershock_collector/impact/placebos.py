"""Surprise: how unusual a stretch of a series is beside earlier stretches of the same series.

In-time placebos: the statistic that judges the points after an action is also computed at every
earlier, action-free start of the same series. How often it was as large there is the p-value, and
-ln p is the surprise in nats (3 is p .05, 6.9 is p .001). This needs no tuning per metric.

The earlier starts are summarised once per series and stretch length (`usual.py`), and shared by
every action and every scoring round that asks about the series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from aftershock_collector.impact.ordering import middle_and_largest

BASELINE_POINTS = 30  # half an hour at one point a minute
HISTORY_POINTS = 150  # earlier starts that are compared with; 120 were as good as 240
HISTORY_MIN = 10  # with fewer points before it, nothing can be said about an action
POST_MAX = 20  # points scored at once; longer stretches are averaged down to about this many
LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 20)  # stretch lengths that are scored, in points

# Prior for a series without a past: its deviations pass 3 scales 3 % of the time and fall off with
# a heavy tail (shape .5). It weighs as much as 20 observed placebos, so scoring works from the
# first minutes on, and no history ever makes a p of zero.
PRIOR_POINTS = 20.0
PRIOR_THRESHOLD = 3.0
PRIOR_SHAPE = 0.5
PRIOR_TAIL = 0.03
TAIL = 0.1  # beyond this share of the placebos a Pareto tail is fitted
QUANTILES = 32  # of the placebos, kept for p-values below the tail; a power of two
_THRESHOLD_MIN = 0.1  # a tail needs a positive start
_P_MIN = 1e-12
MAD_TO_SIGMA = np.float32(1.4826)  # of a normal distribution

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Stack(NamedTuple):
    """Histories of several series: one row each, aligned at their newest point.

    `history` is padded with +inf on its left. `relative` and `absolute` are floors of the scale:
    a smaller movement does not matter, however rare it is.
    """

    history: Matrix  # (series, points)
    lengths: Counts  # real points of each row
    relative: Matrix  # (series, 1)
    absolute: Matrix  # (series, 1)
    skipped: Mask  # (series, points): after a recorded action nearby, or known trouble


class Baselines(NamedTuple):
    """Median and scale of the points before every position from `first` on: (series, starts)."""

    first: int
    median: Matrix
    scale: Matrix


class Fit(NamedTuple):
    """The distribution of the three views over the placebos of one length, per series."""

    threshold: Vector  # (3, series)
    tail: Vector
    shape: Vector
    quantiles: Matrix  # (any number, QUANTILES), ascending
    rows: Counts  # (3, series): where each one's quantiles are
    placebos: Counts  # (series,) how many are behind it


def baselines(stack: Stack, first: int | None = None) -> Baselines:
    """The baseline at the newest position (last column) and at every start from `first` on.

    Skipped points are left out, as long as enough other points remain.
    """
    rows, points = stack.history.shape
    first = first_start(points) if first is None else first
    padding = np.full((rows, BASELINE_POINTS), np.inf, np.float32)
    usual = np.where(stack.skipped, np.float32(np.inf), stack.history)
    ordered = np.sort(_windows(padding, usual, first), axis=2)
    count = _counted(usual, first)
    few = count < HISTORY_MIN
    if few.any():
        whole = _windows(padding, stack.history, first)
        ordered[few] = np.sort(whole[few], axis=1)
        count[few] = _counted(stack.history, first)[few]
    count = np.maximum(count, 1)
    with np.errstate(invalid="ignore"):  # inf - inf, only where a window is all padding
        median = middle(ordered, count)
        np.subtract(ordered, median[..., None], out=ordered)
        np.abs(ordered, out=ordered)
        ordered.sort(axis=2)
        scale = np.maximum(
            MAD_TO_SIGMA * middle(ordered, count),
            np.maximum(stack.relative * np.abs(median), stack.absolute),
        )
    return Baselines(first, median, scale)


def first_start(points: int) -> int:
    """The earliest start with a full baseline; a short baseline counts where history is short."""
    needed = BASELINE_POINTS if points >= 4 * BASELINE_POINTS else HISTORY_MIN
    return max(0, points - HISTORY_POINTS - POST_MAX, min(needed, points - 2))


def _windows(padding: Matrix, points: Matrix, first: int) -> Matrix:
    """The points before every position from `first` on: (series, starts, BASELINE_POINTS)."""
    padded = np.concatenate([padding, points], axis=1)
    return sliding_window_view(padded, BASELINE_POINTS, axis=1)[:, first:]


def _counted(points: Matrix, first: int) -> Counts:
    """How many real points each of those windows holds."""
    total = np.zeros((len(points), BASELINE_POINTS + points.shape[1] + 1), np.int64)
    np.cumsum(np.isfinite(points), axis=1, out=total[:, BASELINE_POINTS + 1 :])
    return total[:, BASELINE_POINTS + first :] - total[:, first : points.shape[1] + 1]


def fit(stack: Stack, baseline: Baselines, length: int) -> Fit:
    """The distribution of stretches of `length` points at every earlier start."""
    rows, points = stack.history.shape
    first = max(baseline.first, points - length - HISTORY_POINTS + 1)
    last = max(first, points - length + 1)
    windows = slice(first - baseline.first, last - baseline.first)
    stretches = np.empty((rows, 0, length), np.float32)
    touched = np.empty((rows, 0), np.bool_)
    if last > first:
        stretches = sliding_window_view(stack.history, length, axis=1)[:, first:last]
        touched = _any(stack.skipped, first, last, length)
    valid = (_real_before(stack, first, last) >= HISTORY_MIN) & ~touched
    with np.errstate(invalid="ignore"):  # padding; those windows are not valid
        earlier = views(stretches, baseline.median[:, windows], baseline.scale[:, windows])
    return _fitted(earlier, valid)


def _any(skipped: Mask, first: int, last: int, length: int) -> Mask:
    """Which stretches of `length` points from each start hold a skipped one."""
    total = np.zeros((len(skipped), skipped.shape[1] + 1), np.int32)
    np.cumsum(skipped, axis=1, out=total[:, 1:])
    return total[:, first + length : last + length] > total[:, first:last]


def _real_before(stack: Stack, first: int, last: int) -> Counts:
    """How many real points (not padding) each row has before each position."""
    positions: Counts = np.arange(first, last, dtype=np.int64)
    padding: Counts = stack.history.shape[1] - stack.lengths
    return positions[None, :] - padding[:, None]


def middle(ordered: Matrix, count: Counts) -> Matrix:
    """Median of the first `count` of each sorted row."""
    length = ordered.shape[-1]
    middle = (ordered[..., (length - 1) // 2] + ordered[..., length // 2]) * np.float32(0.5)
    part = count < length
    if part.any():
        rows, few = ordered[part], count[part]
        each = np.arange(len(rows))
        middle[part] = (rows[each, (few - 1) // 2] + rows[each, few // 2]) * np.float32(0.5)
    return middle


def views(points: Matrix, median: Matrix, scale: Matrix) -> Matrix:
    """Sustained, diluted and burst deviation (3, …) of stretches (…, n) from their baselines."""
    length = points.shape[-1]
    columns = [points[..., place].copy() for place in range(length)]
    total = columns[0].copy()
    for column in columns[1:]:
        total += column
    made = np.empty((3, *median.shape), np.float32)
    made[0], made[2] = middle_and_largest(columns)
    root = np.float32(np.sqrt(min(length, 4)))
    made[1] = (total / np.float32(length) - median) * root + median
    made -= median
    made /= scale
    return made


def _fitted(placebos: Matrix, valid: Mask) -> Fit:
    """Quantiles, and a Pareto tail beyond the 90 % point, shrunk to the prior.

    Args:
        placebos: (views, series, starts).
        valid: (series, starts): which of them count.
    """
    shape3, width = placebos.shape[:2], placebos.shape[-1]
    count = valid.sum(axis=1).astype(np.float64)
    values = np.where(valid, placebos, np.float32(-np.inf))
    edge = np.full(shape3, PRIOR_THRESHOLD)
    quantiles = np.full((*shape3, QUANTILES), -np.inf, np.float32)
    if width:
        ordered = np.sort(values, axis=-1)
        place = np.maximum(width - 1 - (count * TAIL).astype(np.int64), 0)
        index = np.broadcast_to(place[None, :, None], (*shape3, 1))
        found = np.take_along_axis(ordered, index, axis=-1)[..., 0].astype(np.float64)
        edge = np.where(count > 0, np.maximum(found, _THRESHOLD_MIN), PRIOR_THRESHOLD)
        steps = (np.arange(QUANTILES) + 0.5) / QUANTILES
        wanted = width - count[:, None] + steps[None, :] * count[:, None]
        index = np.clip(wanted.astype(np.int64), 0, width - 1)
        index = np.broadcast_to(index[None], quantiles.shape)
        quantiles = np.take_along_axis(ordered, index, axis=-1)
    weight = count + PRIOR_POINTS
    threshold = (count * edge + PRIOR_POINTS * PRIOR_THRESHOLD) / weight
    beyond = values > threshold[..., None]
    exceeding = beyond.sum(axis=-1)
    view, series, _ = np.nonzero(beyond)
    ratios = values[beyond] / threshold[view, series]
    row = view * shape3[1] + series
    logs = np.bincount(row, np.log(ratios), shape3[0] * shape3[1]).reshape(shape3)
    shape = (logs + PRIOR_POINTS * PRIOR_SHAPE) / (exceeding + PRIOR_POINTS)
    tail = (exceeding + PRIOR_POINTS * PRIOR_TAIL) / weight
    rows = np.arange(shape3[0] * shape3[1], dtype=np.int64).reshape(shape3)
    flat = quantiles.reshape(-1, QUANTILES)
    return Fit(threshold, tail, shape, flat, rows, valid.sum(axis=1))


def nats(fitted: Fit, observed: Vector) -> Vector:
    """Mean over the views (3, series) of -ln p of a deviation as large as observed: (series,)."""
    share = (QUANTILES - _below(fitted, observed)) / QUANTILES
    p: Vector = np.maximum(fitted.tail, (share * fitted.placebos + 0.5) / (fitted.placebos + 1.0))
    rare = observed > fitted.threshold
    ratio = observed[rare] / fitted.threshold[rare]
    p[rare] = fitted.tail[rare] * ratio ** (-1.0 / fitted.shape[rare])
    return -np.log(np.clip(p, _P_MIN, 1.0)).mean(axis=0)


def _below(fitted: Fit, observed: Vector) -> Counts:
    """How many quantiles are below each observed value (3, series): by halves."""
    flat = fitted.quantiles.reshape(-1)
    place = fitted.rows * QUANTILES
    half = QUANTILES // 2
    while half:
        place += half * (flat[place + half - 1] < observed)
        half //= 2
    place += flat[place] < observed
    return place - fitted.rows * QUANTILES
