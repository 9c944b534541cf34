"""What cumulative counters and histograms said last, bounded in their number and in their size."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from aftershock_collector.metrics.distributions import Buckets

NUMBERS_MAX = 1_000_000  # counts and bounds of all histograms: 60 MB

LabelSet = int  # a hash: what senders put into labels may be long, and is only compared


class Last(NamedTuple):
    """What a cumulative label set said last."""

    time_ns: int
    value: float
    buckets: Buckets | None

    @property
    def numbers(self) -> int:
        """How many numbers are remembered."""
        return 2 + (len(self.buckets.counts) + len(self.buckets.bounds) if self.buckets else 0)


class LastReports:
    """The newest report of each label set; the one that was heard of for longest goes first."""

    def __init__(self, label_sets_max: int, numbers_max: int = NUMBERS_MAX) -> None:
        self.forgotten = 0  # label sets, ever: one that seems new may only be forgotten
        self._label_sets_max = label_sets_max
        self._numbers_max = numbers_max
        self._last: OrderedDict[LabelSet, Last] = OrderedDict()
        self._numbers = 0

    def get(self, labels: LabelSet) -> Last | None:
        """What a label set said last; None: it is not known."""
        return self._last.get(labels)

    def remember(self, labels: LabelSet, last: Last) -> int:
        """Remember what a label set says now; returns how many were forgotten for it."""
        before = self._last.pop(labels, None)
        self._last[labels] = last
        self._numbers += last.numbers - (0 if before is None else before.numbers)
        gone = 0
        while len(self._last) > self._label_sets_max or self._numbers > self._numbers_max:
            self._numbers -= self._last.popitem(last=False)[1].numbers
            gone += 1
        self.forgotten += gone
        return gone
