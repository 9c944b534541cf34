"""How series usually move: the summary of each one's earlier starts, and many beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from aftershock_collector.impact.placebos import (
    LENGTHS,
    QUANTILES,
    Baselines,
    Counts,
    Fit,
    Mask,
    Matrix,
    Stack,
    Vector,
    baselines,
    first_start,
    fit,
)

_EACH = len(LENGTHS)
_ROW_BYTES = _EACH * (3 * 3 * 8 + 3 * QUANTILES * 4 + 8)
_USUAL_BYTES = 1_600  # with the baselines of every start
_FIRST_ROWS = 64
_PLACES = {length: place for place, length in enumerate(LENGTHS)}


class Usual:
    """How one series usually moves, up to the moment when this was computed."""

    __slots__ = (
        "absolute",
        "frozen_ns",
        "history",
        "median",
        "reached",
        "relative",
        "row",
        "scale",
        "skip",
        "users",
    )

    def __init__(self, history: Matrix, skip: Mask, floor: tuple[float, float], at_ns: int) -> None:
        self.history = history  # (points,), newest last
        self.skip = skip
        self.relative, self.absolute = floor
        self.frozen_ns = at_ns
        self.median: Matrix | None = None  # of every start, once computed
        self.scale: Matrix | None = None
        self.reached = 0  # distributions of stretches up to this length are known
        self.row = -1  # where `Fits` has them
        self.users = 0  # how many keep it: its memory is counted until the last one lets go

    @property
    def size_bytes(self) -> int:
        """Memory held, about, once every length was asked for."""
        return _USUAL_BYTES + _ROW_BYTES + 13 * len(self.history)


class Fits:
    """Distributions of many series beside each other: a row for each, and a place for each length.

    Rows that are scored together find theirs by number, without copying anything.
    """

    def __init__(self) -> None:
        self._tails: Vector = np.zeros((_FIRST_ROWS * _EACH, 3, 3))  # threshold, tail, shape × view
        self._quantiles: Matrix = np.zeros((_FIRST_ROWS * _EACH * 3, QUANTILES), np.float32)
        self._counts: Counts = np.zeros(_FIRST_ROWS * _EACH, np.int64)  # placebos
        self._free = list(range(_FIRST_ROWS - 1, -1, -1))

    def fit_up_to(self, usuals: Iterable[Usual], length: int) -> None:
        """Fit every length up to `length` for every series that lacks it, all at once."""
        missing = [each for each in dict.fromkeys(usuals) if each.reached < length]
        laid: _Laid | None = None
        for each in LENGTHS if missing else ():
            if each > length:
                break
            lacking = [usual for usual in missing if usual.reached < each]
            if not lacking:
                continue
            # Longer lengths lack in the same series and perhaps in more.
            if laid is None or len(laid.usuals) < len(lacking):
                laid = _laid_out(lacking)
            self._fit(laid, each)

    def of(self, rows: Counts, places: Counts) -> Fit:
        """The distributions at these rows, each of the length at its place in LENGTHS."""
        which = rows * _EACH + places
        tails = self._tails[which].transpose(1, 2, 0)
        quantiles = 3 * which + np.arange(3)[:, None]
        return Fit(tails[0], tails[1], tails[2], self._quantiles, quantiles, self._counts[which])

    def of_length(self, usuals: Sequence[Usual], length: int) -> Fit:
        """The distributions of several series for one length, in their order."""
        self.fit_up_to(usuals, length)
        rows = np.array([each.row for each in usuals], np.int64)
        return self.of(rows, np.full(len(usuals), _PLACES[length]))

    def comparable(self, usual: Usual) -> int:
        """How many earlier stretches, of one point, a series has."""
        return int(self._counts[usual.row * _EACH])

    def release(self, usual: Usual) -> None:
        """Nobody asks for this one any more."""
        if usual.row >= 0:
            self._free.append(usual.row)
            usual.row, usual.reached = -1, 0

    def _fit(self, laid: _Laid, length: int) -> None:
        for each in laid.usuals:
            each.row = each.row if each.row >= 0 else self._allocated()
            each.reached = length
        found = fit(laid.table, laid.baselines, length)
        which = np.array([each.row for each in laid.usuals], np.int64) * _EACH + _PLACES[length]
        self._tails[which] = np.stack([found.threshold, found.tail, found.shape]).transpose(2, 0, 1)
        self._quantiles[3 * which + np.arange(3)[:, None]] = found.quantiles[found.rows]
        self._counts[which] = found.placebos

    def _allocated(self) -> int:
        """A free row; twice as many where there is none."""
        if not self._free:
            rows = len(self._counts) // _EACH
            self._free = list(range(2 * rows - 1, rows - 1, -1))
            self._tails = np.concatenate([self._tails, np.zeros_like(self._tails)])
            self._quantiles = np.concatenate([self._quantiles, np.zeros_like(self._quantiles)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        return self._free.pop()


class _Laid(NamedTuple):
    """Series beside each other, with the baseline before each of their starts."""

    usuals: Sequence[Usual]
    table: Stack
    baselines: Baselines


def _laid_out(usuals: Sequence[Usual]) -> _Laid:
    table = stack_of(usuals)
    points = table.history.shape[1]
    first = first_start(points)
    _fill(usuals, table, first)
    starts = points - first + 1
    medians = np.ones((len(usuals), starts), np.float32)
    scales = np.ones((len(usuals), starts), np.float32)
    for row, each in enumerate(usuals):
        assert each.median is not None, "filled above"
        assert each.scale is not None, "filled above"
        kept = min(starts, len(each.median))
        medians[row, starts - kept :] = each.median[-kept:]
        scales[row, starts - kept :] = each.scale[-kept:]
    return _Laid(usuals, table, Baselines(first, medians, scales))


def _fill(usuals: Sequence[Usual], table: Stack, first: int) -> None:
    """Compute the baselines of those that have none yet."""
    bare = [row for row, each in enumerate(usuals) if each.median is None]
    if not bare:
        return
    part = Stack(
        table.history[bare],
        table.lengths[bare],
        table.relative[bare],
        table.absolute[bare],
        table.skipped[bare],
    )
    made = baselines(part, first)
    for row, median, scale in zip(bare, made.median, made.scale, strict=True):
        usuals[row].median, usuals[row].scale = median.copy(), scale.copy()


def stack_of(usuals: Sequence[Usual]) -> Stack:
    """Histories beside each other, aligned at their newest points."""
    width = max(len(each.history) for each in usuals)
    history = np.full((len(usuals), width), np.inf, np.float32)
    skipped = np.zeros((len(usuals), width), np.bool_)
    for row, each in enumerate(usuals):
        start = width - len(each.history)
        history[row, start:] = each.history
        skipped[row, start:] = each.skip
    limits = np.array([(each.relative, each.absolute) for each in usuals], np.float32)
    lengths = np.array([len(each.history) for each in usuals], np.int64)
    return Stack(history, lengths, limits[:, :1], limits[:, 1:], skipped)
