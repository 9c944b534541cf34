"""Surprise: how unusual a stretch of a series is beside earlier stretches of the same series.

In-time placebos: the statistic that judges the points after an action is also taken at every
earlier, action-free start of the same series. How often it was as large there is the p-value, and
-ln p is the surprise in nats (3 is p .05, 6.9 is p .001), which needs no tuning per metric.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

BASELINE_POINTS = 30  # half an hour at one point a minute
HISTORY_POINTS = 240  # earlier starts that are compared with; 120 were as good
HISTORY_MIN = 10  # with fewer points before it, nothing can be said about an action
POST_MAX = 20  # points judged at once; longer stretches are averaged down to about this many

# What a series without a past is taken to be like: its deviations pass 3 scales 3 % of the time
# and fall off with a heavy tail (ξ .5). It weighs as much as 20 observed placebos, so judging
# works from the first minutes on and no history ever makes a p of zero.
PRIOR_POINTS = 20.0
PRIOR_THRESHOLD = 3.0
PRIOR_SHAPE = 0.5
PRIOR_TAIL = 0.03
TAIL = 0.1  # beyond this share of the placebos a Pareto tail is fitted
_THRESHOLD_MIN = 0.1  # a tail needs a positive place to start from
_P_MIN = 1e-12
_MAD_TO_SIGMA = np.float32(1.4826)  # of a normal distribution

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]
Counts = NDArray[np.int64]


class Stack(NamedTuple):
    """Series to be judged together: one row each, aligned at the moment of judgement.

    `history` is what came before that moment, padded with +inf on its left. `relative` and
    `absolute` are floors of the scale: a smaller movement does not matter however rare it is.
    """

    history: Matrix  # (series, points)
    lengths: Counts  # real points of each row
    relative: Matrix  # (series, 1)
    absolute: Matrix  # (series, 1)
    skipped: NDArray[np.bool_]  # (series, points): what followed a recorded action nearby


class Baselines(NamedTuple):
    """Median and scale of the points before every position from `first` to the moment."""

    first: int
    median: Matrix
    scale: Matrix


class Surprise(NamedTuple):
    """Per row: nats, and how many earlier windows stand behind them."""

    nats: Vector
    comparable: Counts


def baselines(stack: Stack) -> Baselines:
    """The baseline at the moment of judgement (the last column) and at every earlier start.

    What followed a recorded action is left out, as long as enough other points remain.
    """
    rows, points = stack.history.shape
    first = _first_start(points)
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
        median = _middle(ordered, count)
        np.subtract(ordered, median[..., None], out=ordered)
        np.abs(ordered, out=ordered)
        ordered.sort(axis=2)
        scale = np.maximum(
            _MAD_TO_SIGMA * _middle(ordered, count),
            np.maximum(stack.relative * np.abs(median), stack.absolute),
        )
    return Baselines(first, median, scale)


def _first_start(points: int) -> int:
    """The earliest start worth a baseline: a short one counts only where history is short."""
    needed = BASELINE_POINTS if points >= 4 * BASELINE_POINTS else HISTORY_MIN
    return max(0, points - HISTORY_POINTS - POST_MAX, min(needed, points - 2))


def _windows(padding: Matrix, points: Matrix, first: int) -> Matrix:
    """The points before every position from `first` on."""
    padded = np.concatenate([padding, points], axis=1)
    return sliding_window_view(padded, BASELINE_POINTS, axis=1)[:, first:]


def _counted(points: Matrix, first: int) -> Counts:
    """How many real points each of those windows holds."""
    total = np.zeros((len(points), BASELINE_POINTS + points.shape[1] + 1), np.int64)
    np.cumsum(np.isfinite(points), axis=1, out=total[:, BASELINE_POINTS + 1 :])
    return total[:, BASELINE_POINTS + first :] - total[:, first : points.shape[1] + 1]


def surprise(stack: Stack, baseline: Baselines, post: Matrix) -> Surprise:
    """How unusual `post` (series, n) is after the whole history."""
    return _judge(stack, baseline, stack.history.shape[1], post)


def surprise_before(stack: Stack, baseline: Baselines, length: int) -> Surprise:
    """How unusual the last `length` points of the history are after the rest of it."""
    at = stack.history.shape[1] - length
    if at < 1:
        return Surprise(np.zeros(len(stack.history)), np.zeros(len(stack.history), np.int64))
    return _judge(stack, baseline, at, stack.history[:, at:])


def _judge(stack: Stack, baseline: Baselines, at: int, post: Matrix) -> Surprise:
    """Mean over the three views of -ln p of the deviation of `post` from the baseline at `at`."""
    rows, points = stack.history.shape
    length = post.shape[1]
    first = max(baseline.first, at - length - HISTORY_POINTS + 1)
    last = max(first, at - length + 1)  # a placebo ends before the judged stretch begins
    windows = slice(first - baseline.first, last - baseline.first)
    stretches = np.empty((rows, 0, length), np.float32)
    touched = np.empty((rows, 0), np.bool_)
    if last > first:
        stretches = sliding_window_view(stack.history, length, axis=1)[:, first:last]
        touched = sliding_window_view(stack.skipped, length, axis=1)[:, first:last].any(axis=2)
    valid = (_real_before(stack, first, last) >= HISTORY_MIN) & ~touched
    with np.errstate(invalid="ignore"):  # padding; those windows are not valid
        earlier = _views(stretches, baseline.median[:, windows], baseline.scale[:, windows])
        here = at - baseline.first
        observed = _views(post, baseline.median[:, here], baseline.scale[:, here])
    nats = -np.log(_p_values(observed.astype(np.float64), earlier, valid)).mean(axis=0)
    enough = stack.lengths - (points - at) >= HISTORY_MIN
    return Surprise(np.where(enough, nats, 0.0), valid.sum(axis=1))


def _real_before(stack: Stack, first: int, last: int) -> Counts:
    """How many real points (not padding) each row has before each position."""
    positions: Counts = np.arange(first, last, dtype=np.int64)
    padding: Counts = stack.history.shape[1] - stack.lengths
    return positions[None, :] - padding[:, None]


def _middle(ordered: Matrix, count: Counts) -> Matrix:
    """Median of the first `count` of each sorted row."""
    length = ordered.shape[-1]
    middle = (ordered[..., (length - 1) // 2] + ordered[..., length // 2]) * np.float32(0.5)
    part = count < length
    if part.any():
        rows, few = ordered[part], count[part]
        each = np.arange(len(rows))
        middle[part] = (rows[each, (few - 1) // 2] + rows[each, few // 2]) * np.float32(0.5)
    return middle


def _views(points: Matrix, median: Matrix, scale: Matrix) -> Matrix:
    """Sustained, diluted and burst deviation (3, …) of stretches (…, n) from their baselines."""
    length = points.shape[-1]
    ordered = np.sort(points, axis=-1)
    root = np.float32(np.sqrt(min(length, 4)))
    views = np.empty((3, *median.shape), np.float32)
    views[0] = (ordered[..., (length - 1) // 2] + ordered[..., length // 2]) * np.float32(0.5)
    views[1] = (points.mean(axis=-1) - median) * root + median
    views[2] = ordered[..., -1]
    views -= median
    views /= scale
    return views


def _p_values(observed: Vector, placebos: Matrix, valid: NDArray[np.bool_]) -> Vector:
    """Chance of a deviation as large as observed: empirical, beyond the 90 % point a tail.

    Args:
        observed: (views, rows).
        placebos: (views, rows, earlier starts).
        valid: (rows, earlier starts): which of them count.
    """
    width = placebos.shape[-1]
    count = valid.sum(axis=1).astype(np.float64)
    values = np.where(valid, placebos, np.float32(-np.inf))
    edge = np.full(observed.shape, PRIOR_THRESHOLD)
    if width:
        ordered = np.sort(values, axis=-1)
        place = np.maximum(width - 1 - (count * TAIL).astype(np.int64), 0)
        index = np.broadcast_to(place[None, :, None], (*observed.shape, 1))
        found = np.take_along_axis(ordered, index, axis=-1)[..., 0].astype(np.float64)
        edge = np.where(count > 0, np.maximum(found, _THRESHOLD_MIN), PRIOR_THRESHOLD)
    weight = count + PRIOR_POINTS
    threshold = (count * edge + PRIOR_POINTS * PRIOR_THRESHOLD) / weight
    ratios = np.maximum(values / threshold[..., None], 1.0)  # 1: not beyond the threshold
    exceeding = (ratios > 1.0).sum(axis=-1)
    logs = np.log(ratios).sum(axis=-1)
    shape = (logs + PRIOR_POINTS * PRIOR_SHAPE) / (exceeding + PRIOR_POINTS)
    tail = (exceeding + PRIOR_POINTS * PRIOR_TAIL) / weight
    rare: Vector = tail * np.maximum(observed / threshold, 1.0) ** (-1.0 / shape)
    as_large = (values >= observed[..., None]).sum(axis=-1)
    common: Vector = np.maximum(tail, (as_large + 0.5) / (count + 1.0))
    return np.clip(np.where(observed > threshold, rare, common), _P_MIN, 1.0)
