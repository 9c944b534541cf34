"""References: a series as it was before a moment, frozen, and shared between scoring rounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.impact.onset import BAND_SCALES
from aftershock_collector.impact.placebos import (
    BASELINE_POINTS,
    HISTORY_MIN,
    MAD_TO_SIGMA,
    Stack,
    Usual,
    baselines,
    fit_all,
    fits_of,
    middle,
    nats,
    views,
)
from aftershock_collector.impact.segments import Cut, floors

BYTES_MAX = 64_000_000  # of references; the least recently used are dropped
BEFORE_LENGTHS = (1, 2)  # points up to the moment that are scored as "already wrong"
LEVEL_POINTS = 3  # whose median is what the action found
_REFERENCE_BYTES = 400
_SKIPPED_POINTS = 5  # after a recorded action: they show what actions do, not what chance does
_QUIET_MIN = 20  # points away from actions; fewer would say less than the prior

Span = tuple[int, int]  # nanoseconds, both ends included
_Key = tuple[str, str, int, int]  # entity, metric, moment, group


class Reference(NamedTuple):
    """One series before one moment."""

    usual: Usual
    median: float
    scale: float
    before: float  # nats: how unusual it was just before the moment
    level: float  # median of the newest points before the moment
    points: int  # of history
    began_ns: int  # of that history
    comparable: int  # earlier stretches behind the surprise
    edge: float  # upper edge of the band of the whole history, which trouble is a smaller part of


class References:
    """Frozen references by series and moment, bounded by bytes."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._frozen: OrderedDict[_Key, Reference] = OrderedDict()
        self._usual: OrderedDict[tuple[str, str, int], Usual] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frozen)

    def of(
        self,
        cuts: Sequence[tuple[int, Cut]],
        skipped: Callable[[str, int], tuple[Sequence[int], Sequence[Span]]],
    ) -> list[Reference]:
        """The reference of each (moment, cut), computed together where it is not known yet.

        Args:
            cuts: series cut at their moments.
            skipped: for an entity and a moment: effect times of actions nearby, and stretches of
                known trouble; neither is usual.
        """
        keys = [(c.series.entity, c.series.metric, at, c.group) for at, c in cuts]
        missing = {k: pair for k, pair in zip(keys, cuts, strict=True) if k not in self._frozen}
        if missing:
            for key, made in zip(missing, self._freeze(missing.values(), skipped), strict=True):
                self._frozen[key] = made
                self._bytes += _REFERENCE_BYTES
        found = [self._frozen[key] for key in keys]
        for key in keys:
            self._frozen.move_to_end(key)
        self._evict(len(keys))
        return found

    def _evict(self, used: int) -> None:
        while self._bytes > self._bytes_max and len(self._frozen) > used:
            self._frozen.popitem(last=False)
            self._bytes -= _REFERENCE_BYTES
        while self._bytes > self._bytes_max and self._usual:
            _, gone = self._usual.popitem(last=False)
            self._bytes -= gone.size_bytes

    def _freeze(
        self,
        cuts: Iterable[tuple[int, Cut]],
        skipped: Callable[[str, int], tuple[Sequence[int], Sequence[Span]]],
    ) -> list[Reference]:
        rows: list[tuple[int, Cut]] = []
        masks: list[NDArray[np.bool_]] = []
        for at, part in cuts:
            acted_ns, trouble = skipped(part.series.entity, at)
            kept = _without(part, trouble)
            rows.append((at, kept))
            masks.append(_mask(kept, acted_ns))
        limits = [floors(part.series, part.cadence_ns * part.group) for _, part in rows]
        usuals = [
            self._usual_of(part, mask, floor)
            for (_, part), mask, floor in zip(rows, masks, limits, strict=True)
        ]
        fit_all(usuals, 1)
        parts = [part for _, part in rows]
        table = _stack(parts, masks, limits)
        points = table.history.shape[1]
        reach = min(max(BEFORE_LENGTHS), points - 1)
        base = baselines(table, points - reach)
        before = np.zeros(len(rows))
        for length in BEFORE_LENGTHS:
            if length > reach:
                break
            here = base.median.shape[1] - 1 - length
            with np.errstate(invalid="ignore"):
                seen = views(
                    table.history[:, -length:], base.median[:, here], base.scale[:, here]
                ).astype(np.float64)
            value = nats(fits_of(usuals, length), np.nan_to_num(seen, posinf=0.0, neginf=0.0))
            known = table.lengths - length >= HISTORY_MIN
            before = np.maximum(before, np.where(known, value, 0.0))
        return [
            Reference(
                usuals[row],
                float(base.median[row, -1]),
                float(base.scale[row, -1]),
                float(before[row]),
                median(part.history[-LEVEL_POINTS:].tolist()),
                len(part.history),
                int(part.series.times_ns[0]),
                usuals[row].fits[1][2],
                edge,
            )
            for row, (part, edge) in enumerate(zip(parts, _edges(parts, limits), strict=True))
        ]

    def _usual_of(self, part: Cut, mask: NDArray[np.bool_], floor: tuple[float, float]) -> Usual:
        """The summary of the history, reused while it is recent and older than the moment."""
        key = (part.series.entity, part.series.metric, part.group)
        drop = min(max(BEFORE_LENGTHS), len(part.history) // 4)
        end = len(part.history) - drop
        at_ns = int(part.history_ns[end - 1])
        known = self._usual.get(key)
        if known is not None:
            oldest_ns = int(part.history_ns[max(0, end - 1 - BASELINE_POINTS)])
            longer = len(part.history) > 1.5 * len(known.history) + 2
            if oldest_ns <= known.frozen_ns <= at_ns and not longer:
                self._usual.move_to_end(key)
                return known
        made = Usual(part.history[:end], mask[:end], floor, at_ns)
        if known is not None:
            self._bytes -= known.size_bytes
        if known is None or known.frozen_ns < at_ns:
            self._usual[key] = made
            self._usual.move_to_end(key)
            self._bytes += made.size_bytes
        return made


def _edges(parts: Sequence[Cut], limits: Sequence[tuple[float, float]]) -> list[float]:
    """Upper edges of the bands of whole histories."""
    lengths = np.array([len(part.history) for part in parts], np.int64)
    history = np.full((len(parts), int(lengths.max())), np.inf, np.float32)
    for row, part in enumerate(parts):
        history[row, : len(part.history)] = part.history
    history.sort(axis=1)
    centre = middle(history, lengths)
    with np.errstate(invalid="ignore"):  # inf - inf: padding
        np.abs(history - centre[:, None], out=history)
    history.sort(axis=1)
    floor = np.array(limits, np.float32)
    least = np.maximum(floor[:, 0] * np.abs(centre), floor[:, 1])
    scale = np.maximum(MAD_TO_SIGMA * middle(history, lengths), least)
    return (centre + np.float32(BAND_SCALES) * scale).tolist()


def _without(part: Cut, trouble: Sequence[Span]) -> Cut:
    """The cut without stretches of known trouble: they are not how the series usually moves.

    The newest points stay: they say what the action found.
    """
    if not trouble:
        return part
    kept = np.ones(len(part.history_ns), np.bool_)
    for began_ns, ended_ns in trouble:
        first = int(part.history_ns.searchsorted(began_ns))
        kept[first : int(part.history_ns.searchsorted(ended_ns, side="right"))] = False
    kept[-max(BEFORE_LENGTHS) :] = True
    if kept.all() or np.count_nonzero(kept) < 2 * HISTORY_MIN:
        return part
    return part._replace(history=part.history[kept], history_ns=part.history_ns[kept])


def _mask(part: Cut, acted_ns: Sequence[int]) -> NDArray[np.bool_]:
    """Points that follow a recorded action."""
    times = part.history_ns
    mask = np.zeros(len(times), np.bool_)
    for effect_ns in acted_ns:
        after = int(times.searchsorted(effect_ns, side="right"))
        mask[after : after + _SKIPPED_POINTS] = True
    if len(times) - np.count_nonzero(mask) < min(_QUIET_MIN, len(times) / 2):
        mask[:] = False  # acted on all the time: that is its usual
    return mask


def _stack(
    parts: Sequence[Cut],
    masks: Sequence[NDArray[np.bool_]],
    limits: Sequence[tuple[float, float]],
) -> Stack:
    kept = 2 * BASELINE_POINTS + max(BEFORE_LENGTHS)
    width = min(kept, max(len(part.history) for part in parts))
    history = np.full((len(parts), width), np.inf, np.float32)
    skipped = np.zeros((len(parts), width), np.bool_)
    for row, part in enumerate(parts):
        newest = part.history[-width:]
        history[row, width - len(newest) :] = newest
        skipped[row, width - len(newest) :] = masks[row][-width:]
    table = np.array(limits, np.float32)
    lengths = np.array([min(width, len(part.history)) for part in parts], np.int64)
    return Stack(history, lengths, table[:, :1], table[:, 1:], skipped)
