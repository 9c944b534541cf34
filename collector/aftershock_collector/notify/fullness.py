"""The collector's own fullness: which of its bounds turned something away, since when, by whom.

A finding says what an agent's run did; this is about no run. So it is a page of the collector
itself: one, opened when a bound loses what it should have kept, and closed when none has for long.
Pure: the worker tells what was lost, and is told which page that makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from aftershock_collector.impact.fair_shares import Holding
from aftershock_collector.store.interface import State
from aftershock_collector.wording import NS

QUIET_NS = 300 * NS  # without a loss, until the page is closed: floods come in waves
UPDATE_EVERY_NS = 300 * NS  # of the page, where only counts differ


class Bound(StrEnum):
    """What can be full."""

    STORE = "store"
    QUEUE = "queue"
    MEMORY = "memory"
    ACTIONS = "observed actions"
    SERIES = "metric series"
    LABELS = "label sets"


# How long overflows go on before anybody is told. A burst is sent again by its sender, and another
# process may hold the file for a moment; what the others lose is lost at once.
LASTS_NS = {Bound.STORE: 10 * NS, Bound.QUEUE: 10 * NS}
# Reasons of `aftershock_dropped_total` that are a loss of one of them. Live runs that leave are
# told apart: one that is over loses nothing.
REASONS = {
    "observed_actions_full": Bound.ACTIONS,
    "suspects_full": Bound.ACTIONS,
    "series_full": Bound.SERIES,
    "metrics_full": Bound.SERIES,
    "metrics_of_entity_full": Bound.SERIES,
    "label_sets_full": Bound.SERIES,
    "metric_labels_full": Bound.LABELS,
    "report_unrecorded": Bound.STORE,
}


@dataclass(frozen=True, slots=True)
class Overflow:
    """What one bound turned away since the last tick, and who holds most of it."""

    bound: Bound
    count: int
    holding: Holding | None = None
    why: str = ""  # in the words of whatever is full


@dataclass(frozen=True, slots=True)
class Full:
    """One bound while it is full."""

    bound: Bound
    since_ns: int
    last_ns: int
    count: int
    holding: Holding | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class FullnessPage:
    """What the page has to say now."""

    subject: str  # identifies it in the outbox
    state: State
    revision: int
    began_ns: int
    bounds: tuple[Full, ...]
    worse: bool = False  # a bound is full that was not


class Fullness:
    """Bounds that are full, and the page about them. Owns no clock."""

    def __init__(self) -> None:
        self._losing: dict[Bound, Full] = {}
        self.bounds: tuple[Full, ...] = ()  # that are full now; any thread may look
        self._subject: str | None = None  # of the page that is open
        self._began_ns = 0
        self._updated_ns = 0
        self._revision = 0
        self._reported: frozenset[tuple[Bound, Holding | None]] = frozenset()
        self._unclosed_until_ns = 0  # an earlier process may have seen a loss just before

    def resume(self, subject: str, began_ns: int, now_ns: int) -> None:
        """An earlier process opened this page, and did not close it."""
        self._subject, self._began_ns, self._updated_ns = subject, began_ns, now_ns
        # Whatever it lines before: a number that no earlier update of it can have had.
        self._revision = now_ns // NS - began_ns // NS
        self._unclosed_until_ns = now_ns + QUIET_NS

    def _shown(self) -> tuple[Full, ...]:
        """Those that people are told of, the gravest first."""
        order = list(Bound)
        shown = [one for one in self._losing.values() if _lasts(one)]
        return tuple(sorted(shown, key=lambda one: order.index(one.bound)))

    def tick(self, overflows: Iterable[Overflow], now_ns: int) -> FullnessPage | None:
        """Add what was lost since the last tick; returns what people must be told, if anything."""
        for overflow in overflows:
            self._add(overflow, now_ns)
        over = [one for one in self._losing.values() if now_ns - one.last_ns >= QUIET_NS]
        shown = self._shown()
        for one in over:
            del self._losing[one.bound]
        self.bounds = bounds = self._shown()
        if not bounds:
            return self._closed(shown, now_ns)
        return self._opened_or_updated(bounds, now_ns)

    def _add(self, overflow: Overflow, now_ns: int) -> None:
        known = self._losing.get(overflow.bound)
        if known is None or (
            not _lasts(known) and now_ns - known.last_ns > LASTS_NS[overflow.bound]
        ):
            known = Full(overflow.bound, now_ns, now_ns, 0)
        self._losing[overflow.bound] = replace(
            known,
            last_ns=now_ns,
            count=known.count + overflow.count,
            holding=overflow.holding or known.holding,
            why=overflow.why or known.why,
        )

    def _opened_or_updated(self, bounds: tuple[Full, ...], now_ns: int) -> FullnessPage | None:
        if self._subject is None:
            self._began_ns = min(one.since_ns for one in bounds)
            self._subject = f"collector_full/{self._began_ns}"
            self._revision = 0
            return self._page(State.OPENED, bounds, now_ns)
        reported = {bound for bound, _ in self._reported}
        says_more = any(one.bound not in reported for one in bounds)
        flooders = frozenset((one.bound, _named(one.holding)) for one in bounds)
        if not says_more and (
            flooders == self._reported or now_ns - self._updated_ns < UPDATE_EVERY_NS
        ):
            return None
        self._revision += 1
        return replace(self._page(State.UPDATED, bounds, now_ns), worse=says_more)

    def _closed(self, bounds: tuple[Full, ...], now_ns: int) -> FullnessPage | None:
        if self._subject is None or now_ns < self._unclosed_until_ns:
            return None
        page = self._page(State.CLOSED, bounds, now_ns)
        self._subject, self._reported = None, frozenset()
        return page

    def _page(self, state: State, bounds: tuple[Full, ...], now_ns: int) -> FullnessPage:
        assert self._subject is not None
        self._updated_ns = now_ns
        self._reported = frozenset((one.bound, _named(one.holding)) for one in bounds)
        return FullnessPage(self._subject, state, self._revision, self._began_ns, bounds)


def _lasts(full: Full) -> bool:
    """Whether it has gone on for long enough to tell people."""
    return full.last_ns - full.since_ns >= LASTS_NS.get(full.bound, 0)


def _named(holding: Holding | None) -> Holding | None:
    """Who, without how much: a share moves with every tick."""
    return None if holding is None else holding._replace(share=0.0)
