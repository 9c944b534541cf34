"""What one entity did around one moment: its series, weighed against each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from math import log
from typing import NamedTuple, overload

import numpy as np

from aftershock_collector.impact.competition import settled
from aftershock_collector.impact.events import SurprisingChange
from aftershock_collector.impact.placebos import Counts, Vector
from aftershock_collector.impact.references import Block, Reference
from aftershock_collector.impact.segments import Cut
from aftershock_collector.metrics.series import Family

ARRIVALS_NATS = 3.0  # arrivals this unusual (p .05) say that more work reached an entity


class Movement(NamedTuple):
    """What one series did around one moment. Values in the unit of the series."""

    cut: Cut
    reference: Reference
    after: float  # nats, of the stretch that stands out most
    worse: float  # nats beyond what the moment found; equals `after` where it found no trouble
    length: int  # points of that stretch, which ends now

    @property
    def before(self) -> float:
        """Nats: how unusual the series was just before the moment."""
        return self.reference.before

    @property
    def comparable(self) -> int:
        """Earlier stretches behind `after`."""
        return self.reference.comparable

    @property
    def median(self) -> float:
        """The middle of the frozen band."""
        return self.reference.median

    @property
    def scale(self) -> float:
        """A robust standard deviation, never below what matters to a person."""
        return self.reference.scale


class Movements(Sequence[Movement]):
    """What the series of one entity did, worst first, without traffic; each made when asked for."""

    def __init__(self, scored: Scored | None, cut: Callable[[int, int], Cut] | None) -> None:
        self._scored = scored
        self._cut = cut  # of a row and of its series
        self._rows: list[int] | None = None if scored is not None else []
        self._made: dict[int, Movement] = {}

    @overload
    def __getitem__(self, index: int) -> Movement: ...

    @overload
    def __getitem__(self, index: slice) -> list[Movement]: ...

    def __getitem__(self, index: int | slice) -> Movement | list[Movement]:
        if self._rows is None:
            assert self._scored is not None, "without rows there are none"
            self._rows = self._scored.worst_first()
        found = self._rows[index]
        return [self._of(row) for row in found] if isinstance(found, list) else self._of(found)

    def __len__(self) -> int:
        return 0 if self._scored is None else len(self._scored.block.evident_series)

    def of(self, metric: str) -> Movement | None:
        """What one series did; None where the entity has no such series."""
        return next((each for each in self if each.cut.series.metric == metric), None)

    @property
    def busiest(self) -> Movement | None:
        """What the traffic did that stands out most; None where none is measured."""
        if self._scored is None:
            return None
        block, after = self._scored.block, self._scored.after
        rows = set(range(len(after))).difference(block.evident)
        return self._of(max(rows, key=lambda row: after[row])) if rows else None

    def without(self, metrics: Collection[str]) -> Movements:
        """The same, as if these series had not moved."""
        if self._scored is None:
            return self
        return Movements(self._scored.without(metrics), self._cut)

    def weighed(self) -> Weighed:
        """The family that stands out most."""
        return UNWEIGHED if self._scored is None else self._scored.weighed()

    def _of(self, row: int) -> Movement:
        known = self._made.get(row)
        if known is None:
            scored, cut = self._scored, self._cut
            assert scored is not None, "without rows there are none"
            assert cut is not None, "whoever has rows has series"
            block = scored.block
            known = self._made[row] = Movement(
                cut(row, int(block.places[row])),
                block.references[row],
                scored.after[row],
                scored.worse[row],
                scored.best[row],
            )
        return known


class Evidence(NamedTuple):
    """What one entity did around one moment."""

    after: float = 0.0  # of the family that stands out most, less the price of several series
    before: float = 0.0  # of the same family
    arrivals: float = 0.0  # how unusually much work reached it
    movements: Movements = Movements(None, None)
    trouble: SurprisingChange | None = None  # an alert or a warning that came after the moment
    earlier: SurprisingChange | None = None  # one that was there already
    worse: float = 0.0  # as `after`, beyond what the moment found
    largest: float = 0.0  # nats after the moment, of any movement
    longest: Reference | None = None  # of the series with most history
    comparable: int = 0  # earlier stretches, of the series with most of them
    outside: bool = False  # some series was beyond its usual range just before
    cadence_ns: tuple[int, ...] = ()  # of each series


NOTHING = Evidence()


class Weighed(NamedTuple):
    """The family of an entity that stands out most, in nats."""

    after: float
    before: float
    worse: float
    largest: float  # after the moment, of any movement
    arrivals: float


UNWEIGHED = Weighed(0.0, 0.0, 0.0, 0.0, 0.0)


class Scored(NamedTuple):
    """The rows of one block after a scoring round."""

    block: Block
    after: list[float]
    worse: list[float]
    best: list[int]
    families: list[tuple[float, float, float]]  # after, before and worse: largest of each

    def worst_first(self) -> list[int]:
        """Rows without traffic, those that stand out most first."""
        metrics = self.block.signature[0]
        places: list[int] = self.block.places.tolist()
        return sorted(
            self._kept(),
            key=lambda row: (
                -min(self.after[row], self.worse[row]),
                -self.after[row],
                metrics[places[row]],
            ),
        )

    def _kept(self) -> list[int]:
        """Rows without traffic; of two resolutions of a series the one that stands out more."""
        kept: list[int] = []
        for row in self.block.evident:
            lower = kept and self.block.places[kept[-1]] == self.block.places[row]
            if not lower:
                kept.append(row)
            elif self.after[row] > self.after[kept[-1]]:
                kept[-1] = row
        return kept

    def without(self, metrics: Collection[str]) -> Scored:
        """The same, as if these series had not moved."""
        names, places = self.block.signature[0], self.block.places.tolist()
        gone = [names[place] in metrics for place in places]
        after, worse = (
            [0.0 if away else value for value, away in zip(values, gone, strict=True)]
            for values in (self.after, self.worse)
        )
        (made,) = score_blocks(
            [self.block], np.array(after), np.array(worse), np.array(self.best, np.int64)
        )
        return made

    def weighed(self) -> Weighed:
        """The best family, less ln(series in it): with more series one of them moves by chance.

        More work explains more use of resources, never errors or latency.

        What was wrong before counts against the family that it was seen in: memory that an old
        fault left high says nothing about latency that rises now.
        """
        largest = arrivals = 0.0
        for (family, _, _), (after, _, _) in zip(self.block.families, self.families, strict=True):
            if family is Family.TRAFFIC:
                arrivals = after
            else:
                largest = max(largest, after)
        work = arrivals if arrivals >= ARRIVALS_NATS else 0.0
        found: list[tuple[float, float, float]] = []
        for (family, _, size), largest_of in zip(self.block.families, self.families, strict=True):
            if family is not Family.TRAFFIC:
                price = log(size) + (work if family is Family.RESOURCES else 0.0)
                after, before, worse = largest_of
                found.append((after - price, before - price, worse - price))
        after, before, worse = max(found, key=lambda each: settled(*each), default=(0.0, 0.0, 0.0))
        return Weighed(after, before, worse, largest, arrivals)

    def evidence(self, cut: Callable[[int, int], Cut], cadence_ns: Counts) -> Evidence:
        """What the entity did."""
        block, weighed = self.block, self.weighed()
        return Evidence(
            weighed.after,
            weighed.before,
            weighed.arrivals,
            Movements(self, cut),
            worse=weighed.worse,
            largest=weighed.largest,
            longest=block.longest,
            comparable=block.comparable,
            outside=block.outside,
            cadence_ns=tuple(cadence_ns[block.evident_series].tolist()),
        )


def score_blocks(
    blocks: Sequence[Block], after: Vector, worse: Vector, best: Counts
) -> Iterator[Scored]:
    """Hand each block its rows, and the largest of each of its families."""
    before = np.concatenate([block.before for block in blocks])
    settled_worse = worse.copy()
    starts: list[int] = []
    start = 0
    for block in blocks:
        if len(block.pairs):  # of two resolutions of a series one counts
            finer = start + block.pairs
            lost = finer + (after[finer + 1] <= after[finer])
            before[lost] = settled_worse[lost] = 0.0
        starts += [start + first for _, first, _ in block.families]
        start += len(block.usuals)
    largest = zip(
        *(np.maximum.reduceat(each, starts).tolist() for each in (after, before, settled_worse)),
        strict=True,
    )
    rows = zip(after.tolist(), worse.tolist(), best.tolist(), strict=True)
    for block in blocks:
        own = list(islice(rows, len(block.usuals)))
        families = list(islice(largest, len(block.families)))
        columns = [list(column) for column in zip(*own, strict=True)]
        yield Scored(block, columns[0], columns[1], columns[2], families)


def without(moved: Evidence, metrics: Collection[str]) -> Evidence:
    """The same, as if these series had not moved."""
    movements = moved.movements.without(metrics)
    left = movements.weighed()
    quiet = moved._replace(
        after=left.after,
        before=left.before,
        worse=left.worse,
        largest=left.largest,
        movements=movements,
    )
    return with_events(quiet, moved.trouble, moved.earlier)


def with_events(
    moved: Evidence, trouble: SurprisingChange | None, earlier: SurprisingChange | None
) -> Evidence:
    """Alerts and warnings are one more family."""
    received = trouble.nats if trouble else 0.0
    return moved._replace(
        after=max(moved.after, received),
        worse=max(moved.worse, received),
        before=max(moved.before, earlier.nats if earlier else 0.0),
        trouble=trouble,
        earlier=earlier,
    )
