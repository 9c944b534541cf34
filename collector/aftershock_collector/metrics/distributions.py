"""Increments of histograms: subtracting, merging, and reading a quantile off."""

from __future__ import annotations

from collections.abc import Mapping
from math import ldexp
from typing import NamedTuple

from aftershock_collector.otlp.wire import Exponential, Sample


class Buckets(NamedTuple):
    """Counts by bucket. Explicit bounds, or base 2**(2**-scale) where `scale` is given."""

    counts: dict[int, int]
    bounds: tuple[float, ...] = ()
    scale: int | None = None
    maximum: float | None = None  # largest measurement, where the sender says it

    @property
    def total(self) -> int:
        """How many measurements."""
        return sum(self.counts.values())


_ZERO = -(2**31)  # the bucket of an exponential histogram that holds zeros and negatives


def buckets_of(sample: Sample) -> Buckets:
    """The buckets of one histogram sample."""
    if sample.exponential is not None:
        return _exponential(sample.exponential, sample.maximum)
    counts = {place: count for place, count in enumerate(sample.buckets) if count}
    return Buckets(counts, sample.bounds, None, sample.maximum)


def _exponential(given: Exponential, maximum: float | None) -> Buckets:
    counts = {given.positive_offset + i: count for i, count in enumerate(given.positive) if count}
    below = given.zero_count + sum(given.negative)
    if below:
        counts[_ZERO] = below
    return Buckets(counts, (), given.scale, maximum)


def since(new: Buckets, old: Buckets) -> Buckets | None:
    """What was measured between two cumulative states; None where the state began anew."""
    if new.bounds != old.bounds or (new.scale is None) != (old.scale is None):
        return None
    before = old.counts
    if new.scale is not None and old.scale is not None and new.scale != old.scale:
        if new.scale > old.scale:
            return None
        before = _coarser(before, old.scale - new.scale)
    counts: dict[int, int] = {}
    for place in new.counts.keys() | before.keys():
        count = new.counts.get(place, 0) - before.get(place, 0)
        if count < 0:
            return None
        if count:
            counts[place] = count
    return Buckets(counts, new.bounds, new.scale)


def merged(one: Buckets, other: Buckets) -> Buckets:
    """Both together; of two that cannot be put together, the one with more measurements."""
    if one.bounds != other.bounds or (one.scale is None) != (other.scale is None):
        return one if one.total >= other.total else other
    first, second, scale = one.counts, other.counts, one.scale
    if one.scale is not None and other.scale is not None:
        scale = min(one.scale, other.scale)
        first = _coarser(first, one.scale - scale)
        second = _coarser(second, other.scale - scale)
    counts = dict(first)
    for place, count in second.items():
        counts[place] = counts.get(place, 0) + count
    return Buckets(counts, one.bounds, scale, _larger(one.maximum, other.maximum))


def quantile(buckets: Buckets, share: float) -> float | None:
    """The value below which `share` of the measurements lie, interpolated inside its bucket.

    None where nothing was measured. Beyond the last bound the answer is that bound (or the
    maximum, where it is known): as Prometheus does it.
    """
    total = buckets.total
    if not total:
        return None
    rank, seen = share * total, 0
    for place in sorted(buckets.counts):
        count = buckets.counts[place]
        if seen + count >= rank:
            low, high = _edges(buckets, place)
            inside = low + (high - low) * max(0.0, rank - seen) / count
            return inside if buckets.maximum is None else min(inside, buckets.maximum)
        seen += count
    return buckets.maximum


def _edges(buckets: Buckets, place: int) -> tuple[float, float]:
    if buckets.scale is not None:
        if place == _ZERO:
            return 0.0, 0.0
        step = ldexp(1.0, -buckets.scale)
        return _power(place * step), _power((place + 1) * step)
    bounds = buckets.bounds
    if place >= len(bounds):
        last = bounds[-1] if bounds else 0.0
        top = last if buckets.maximum is None else max(last, buckets.maximum)
        return (last, top) if bounds else (top, top)
    low = bounds[place - 1] if place else min(0.0, bounds[0])
    return low, bounds[place]


def _power(exponent: float) -> float:
    """2**exponent, without overflow."""
    return 2.0 ** max(-1_000.0, min(1_000.0, exponent))


def _coarser(counts: Mapping[int, int], steps: int) -> dict[int, int]:
    """The same counts at a scale smaller by `steps`: 2**steps buckets become one."""
    if not steps:
        return dict(counts)
    merged_counts: dict[int, int] = {}
    for place, count in counts.items():
        coarse = place if place == _ZERO else place >> steps
        merged_counts[coarse] = merged_counts.get(coarse, 0) + count
    return merged_counts


def _larger(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    return max(one, other)
