"""References: series as they were before a moment, frozen, and shared between scoring rounds."""

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
    baselines,
    middle,
    nats,
    views,
)
from aftershock_collector.impact.segments import Cut, floors
from aftershock_collector.impact.usual import Fits, Usual
from aftershock_collector.metrics.series import Family, Times, Values

BYTES_MAX = 64_000_000  # of references; the least recently used are dropped
BEFORE_LENGTHS = (1, 2)  # points up to the moment that are scored as "already wrong"
LEVEL_POINTS = 3  # whose median is what the action found
SINCE_KEPT_POINTS = 5  # that a baseline of thirty may be older than it could be ...
SINCE_KEPT_NS = 60 * 10**9  # ... or this much, where points come faster
_REFERENCE_BYTES = 400
_BLOCK_BYTES = 1_500
_ROW_BYTES = 96  # of a block
_SKIPPED_POINTS = 5  # after a recorded action: they show what actions do, not what chance does
_QUIET_MIN = 20  # points away from actions; fewer would say less than the prior

Span = tuple[int, int]  # nanoseconds, both ends included
Signature = tuple[tuple[str, ...], bytes, bytes]  # metrics, which of them count, resolutions
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
    outside: bool  # one of the two newest points before the moment was beyond that edge


BlockKey = tuple[str, int, bool]  # entity, moment, whether it was given more room


class Block:
    """All series of one entity at one moment, as rows that are scored with every new point.

    Rows of one family are beside each other; of a series at two resolutions the finer comes first.
    """

    __slots__ = (
        "before",
        "comparable",
        "evident",
        "evident_series",
        "families",
        "groups",
        "level",
        "longest",
        "median",
        "outside",
        "pairs",
        "places",
        "references",
        "resolutions",
        "scale",
        "signature",
        "usuals",
    )

    def __init__(
        self,
        signature: Signature,
        places: Sequence[int],
        cuts: Sequence[Cut],
        references: Sequence[Reference],
    ) -> None:
        self.signature = signature  # of what it was made from: another one needs another block
        self.references = references
        self.places = np.array(places, np.int64)  # of each row: its series in the entity
        self.groups = np.array([part.group for part in cuts], np.int64)
        sizes = list(dict.fromkeys(self.groups.tolist()))
        # Points in a group, and 1 for each row that has such groups; None: all of them have.
        self.resolutions = [
            (size, None if len(sizes) == 1 else (self.groups == size).astype(np.int64))
            for size in sizes
        ]
        self.usuals = [each.usual for each in references]
        self.median = np.array([each.median for each in references], np.float32)
        self.scale = np.array([each.scale for each in references], np.float32)
        self.level = np.array([each.level for each in references], np.float32)
        self.before = np.array([each.before for each in references])
        self.pairs = np.flatnonzero(self.places[1:] == self.places[:-1])  # rows of finer ones
        self.families: list[tuple[Family, int, int]] = []  # with its first row, and how many series
        for row, part in enumerate(cuts):
            family = part.series.family
            more = not row or self.places[row] != self.places[row - 1]
            if self.families and self.families[-1][0] is family:
                _, first, count = self.families[-1]
                self.families[-1] = family, first, count + more
            else:
                self.families.append((family, row, 1))

        self.evident = [n for n, c in enumerate(cuts) if c.series.family is not Family.TRAFFIC]
        evident = [references[row] for row in self.evident]
        self.longest = max(evident, key=lambda each: each.points, default=None)
        self.comparable = max((each.comparable for each in evident), default=0)
        self.outside = any(each.outside for each in evident)
        self.evident_series = np.array(sorted({places[row] for row in self.evident}), np.int64)

    @property
    def size_bytes(self) -> int:
        """Memory held, about."""
        return _BLOCK_BYTES + _ROW_BYTES * len(self.usuals)


class _Past(NamedTuple):
    """What came before one moment, without what is not usual."""

    history: Values
    history_ns: Times
    mask: NDArray[np.bool_]  # points that follow a recorded action
    floor: tuple[float, float]


class References:
    """Frozen references by series and moment, bounded by bytes."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self.fits = Fits()
        self.blocks: OrderedDict[BlockKey, Block] = OrderedDict()
        self._frozen: OrderedDict[_Key, Reference] = OrderedDict()
        self._usual: OrderedDict[tuple[str, str, int], Usual] = OrderedDict()
        self._since_ns: int | None = None

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
                self._keep(made.usual)
        found = [self._frozen[key] for key in keys]
        for key in keys:
            self._frozen.move_to_end(key)
        return found

    @property
    def size_bytes(self) -> int:
        """Memory held, about."""
        return self._bytes

    def kept_since(self, wanted_ns: int, cadence_ns: int) -> int:
        """The moment that everything untouched is compared from: as it was, if that will do.

        It is before the oldest open action. Each time that one's window ends, every reference of
        what nobody touched would be made anew, for a baseline that is some points younger.
        """
        kept_ns = self._since_ns
        slack_ns = max(SINCE_KEPT_NS, SINCE_KEPT_POINTS * cadence_ns)
        if kept_ns is None or not 0 <= wanted_ns - kept_ns <= slack_ns:
            self._since_ns = kept_ns = wanted_ns
        return kept_ns

    def keep_block(self, key: BlockKey, block: Block) -> None:
        """Remember what was laid out for one moment of an entity, until room is needed."""
        known = self.blocks.pop(key, None)
        self._bytes += block.size_bytes - (0 if known is None else known.size_bytes)
        self.blocks[key] = block

    def evict(self) -> None:
        """Forget what was used least recently, where too much is held. Between rounds only."""
        if self._bytes > self._bytes_max:
            self._shrink(self._bytes_max * 3 // 4)  # not every round anew

    def _shrink(self, enough: int) -> None:
        self._bytes -= sum(block.size_bytes for block in self.blocks.values())
        self.blocks.clear()  # made again from references, in one round
        while self._bytes > enough and self._frozen:
            _, gone = self._frozen.popitem(last=False)
            self._bytes -= _REFERENCE_BYTES
            self._let_go(gone.usual)
        while self._bytes > enough and self._usual:
            _, unused = self._usual.popitem(last=False)
            self._let_go(unused)

    def _keep(self, usual: Usual) -> None:
        """One user more; a summary counts once, however many references share it."""
        self._bytes += 0 if usual.users else usual.size_bytes
        usual.users += 1

    def _let_go(self, usual: Usual) -> None:
        usual.users -= 1
        if not usual.users:
            self._bytes -= usual.size_bytes
            self.fits.release(usual)

    def _freeze(
        self,
        cuts: Iterable[tuple[int, Cut]],
        skipped: Callable[[str, int], tuple[Sequence[int], Sequence[Span]]],
    ) -> list[Reference]:
        parts = [part for _, part in cuts]
        rows: list[_Past] = []
        around: dict[tuple[str, int], tuple[Sequence[int], Sequence[Span]]] = {}
        for at, part in cuts:
            place = part.series.entity, at
            if place not in around:
                around[place] = skipped(*place)
            rows.append(_past(part, *around[place]))
        usuals = [self._usual_of(part, row) for part, row in zip(parts, rows, strict=True)]
        self.fits.fit_up_to(usuals, 1)
        table = _stack(rows)
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
            value = nats(
                self.fits.of_length(usuals, length), np.nan_to_num(seen, posinf=0.0, neginf=0.0)
            )
            known = table.lengths - length >= HISTORY_MIN
            before = np.maximum(before, np.where(known, value, 0.0))
        return [
            Reference(
                usuals[row],
                float(base.median[row, -1]),
                float(base.scale[row, -1]),
                float(before[row]),
                median(past.history[-LEVEL_POINTS:].tolist()),
                len(past.history),
                int(parts[row].series.times_ns[0]),
                self.fits.comparable(usuals[row]),
                edge,
                bool((past.history[-2:] > edge).any()),
            )
            for row, (past, edge) in enumerate(zip(rows, _edges(rows), strict=True))
        ]

    def _usual_of(self, part: Cut, past: _Past) -> Usual:
        """The summary of the history, reused while it is recent and older than the moment."""
        key = (part.series.entity, part.series.metric, part.group)
        drop = min(max(BEFORE_LENGTHS), len(past.history) // 4)
        end = len(past.history) - drop
        at_ns = int(past.history_ns[end - 1])
        known = self._usual.get(key)
        if known is not None:
            oldest_ns = int(past.history_ns[max(0, end - 1 - BASELINE_POINTS)])
            longer = len(past.history) > 1.5 * len(known.history) + 2
            if oldest_ns <= known.frozen_ns <= at_ns and not longer:
                self._usual.move_to_end(key)
                return known
        # A copy: a slice would keep the whole window alive that it was cut from.
        made = Usual(past.history[:end].copy(), past.mask[:end].copy(), past.floor, at_ns)
        if known is None or known.frozen_ns < at_ns:
            if known is not None:
                self._let_go(known)
            self._usual[key] = made
            self._usual.move_to_end(key)
            self._keep(made)
        return made


def _edges(rows: Sequence[_Past]) -> list[float]:
    """Upper edges of the bands of whole histories."""
    lengths = np.array([len(row.history) for row in rows], np.int64)
    history = np.full((len(rows), int(lengths.max())), np.inf, np.float32)
    for number, row in enumerate(rows):
        history[number, : len(row.history)] = row.history
    history.sort(axis=1)
    centre = middle(history, lengths)
    with np.errstate(invalid="ignore"):  # inf - inf: padding
        np.abs(history - centre[:, None], out=history)
    history.sort(axis=1)
    floor = np.array([row.floor for row in rows], np.float32)
    least = np.maximum(floor[:, 0] * np.abs(centre), floor[:, 1])
    scale = np.maximum(MAD_TO_SIGMA * middle(history, lengths), least)
    return (centre + np.float32(BAND_SCALES) * scale).tolist()


def _past(part: Cut, acted_ns: Sequence[int], trouble: Sequence[Span]) -> _Past:
    """The history without stretches of known trouble: they are not how the series usually moves.

    The newest points stay: they say what the action found.
    """
    history, times = part.history, part.history_ns
    if trouble:
        kept = np.ones(len(times), np.bool_)
        for began_ns, ended_ns in trouble:
            first = int(times.searchsorted(began_ns))
            kept[first : int(times.searchsorted(ended_ns, side="right"))] = False
        kept[-max(BEFORE_LENGTHS) :] = True
        if not kept.all() and np.count_nonzero(kept) >= 2 * HISTORY_MIN:
            history, times = history[kept], times[kept]
    floor = floors(part.series, part.cadence_ns * part.group)
    return _Past(history, times, _mask(times, acted_ns), floor)


def _mask(times: Times, acted_ns: Sequence[int]) -> NDArray[np.bool_]:
    """Points that follow a recorded action."""
    mask = np.zeros(len(times), np.bool_)
    for after in times.searchsorted(np.array(acted_ns, np.int64), side="right").tolist():
        mask[after : after + _SKIPPED_POINTS] = True
    if len(times) - np.count_nonzero(mask) < min(_QUIET_MIN, len(times) / 2):
        mask[:] = False  # acted on all the time: that is its usual
    return mask


def _stack(rows: Sequence[_Past]) -> Stack:
    kept = 2 * BASELINE_POINTS + max(BEFORE_LENGTHS)
    width = min(kept, max(len(row.history) for row in rows))
    history = np.full((len(rows), width), np.inf, np.float32)
    skipped = np.zeros((len(rows), width), np.bool_)
    for number, row in enumerate(rows):
        newest = row.history[-width:]
        history[number, width - len(newest) :] = newest
        skipped[number, width - len(newest) :] = row.mask[-width:]
    table = np.array([row.floor for row in rows], np.float32)
    lengths = np.array([min(width, len(row.history)) for row in rows], np.int64)
    return Stack(history, lengths, table[:, :1], table[:, 1:], skipped)
