"""Eviction: which live runs leave memory first. The store keeps them.

A flood must hurt the flooder. So of all senders the one that holds most gives up a run, and of its
services and agents again the one that holds most; there, ended runs before open ones, large before
small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class LiveRun(NamedTuple):
    """What decides when a run is evicted."""

    run_id: str
    holder: tuple[str, str, str]  # sender, service, agent: from the widest to the narrowest
    ended: bool
    size_bytes: int


def runs_to_evict(runs: Sequence[LiveRun], runs_max: int, bytes_max: int) -> list[LiveRun]:
    """Choose runs so that the others fit, each holder within its fair share.

    Args:
        runs: all live runs, the least recently active first.
        runs_max: how many may stay.
        bytes_max: how large all that stay may be together.
    """
    evicted = list(_over(runs, 0, runs_max, lambda _run: 1))
    gone = {run.run_id for run in evicted}
    left = [run for run in runs if run.run_id not in gone]
    return evicted + list(_over(left, 0, bytes_max, lambda run: run.size_bytes))


def _over(
    runs: Sequence[LiveRun], level: int, allowed: int, weigh: Callable[[LiveRun], int]
) -> Iterator[LiveRun]:
    """Runs of one holder that exceed what it is allowed, from the narrower holders with most."""
    total = sum(map(weigh, runs))
    if total <= allowed:
        return
    if level == len(runs[0].holder):
        # Equal weights keep their order: then the least recently active goes first.
        for run in sorted(runs, key=lambda run: (not run.ended, -weigh(run))):
            if total <= allowed:
                return
            total -= weigh(run)
            yield run
    by_holder: dict[str, list[LiveRun]] = {}
    for run in runs:
        if level < len(run.holder):
            by_holder.setdefault(run.holder[level], []).append(run)
    weights = {holder: sum(map(weigh, held)) for holder, held in by_holder.items()}
    # The small are served first. Of equals, the newest open one gives way: a flood under ever new
    # names must not push out what was there before it.
    newest_first = list(by_holder)[::-1]
    order = sorted(
        newest_first,
        key=lambda holder: (weights[holder], not all(run.ended for run in by_holder[holder])),
    )
    for place, holder in enumerate(order):
        share = min(weights[holder], allowed // (len(order) - place))
        evicted = list(_over(by_holder[holder], level + 1, share, weigh))
        allowed -= weights[holder] - sum(map(weigh, evicted))  # the next may have what is left over
        yield from evicted
