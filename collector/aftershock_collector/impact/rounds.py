"""At which moments an open action is scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.sequential import HOLD_S, PAGED_ROUNDS
from aftershock_collector.metrics.series import RETENTION_S, Series, SeriesSource

APART_NS = int(HOLD_S / 2 * 1e9)  # of rounds about points that arrived together: a hold has three


def moments_due(
    opened: OpenAction, now_ns: int, source: SeriesSource, patience_ns: int
) -> tuple[int, ...]:
    """When to score the action: now where a round is due, as a target has a point unused so far.

    Points that arrive together, as from a query each half minute, are scored one after the other
    until the action had as many rounds as a page needs: damage that lasts is not told from a blip
    by when we ask.
    """
    if opened.best is not None and opened.best.recovered_at_ns:
        return ()
    if opened.asked:
        return (now_ns,)
    if now_ns < opened.next_ns:
        return ()
    since_ns = max(opened.newest_ns, opened.effect_ns) + 1
    newest_ns = source.newest_ns(opened.targets, now_ns)
    if newest_ns >= since_ns:
        opened.newest_ns = newest_ns
        if opened.rounds >= PAGED_ROUNDS:
            return (now_ns,)
        return (*_apart(source.window(opened.targets, since_ns, now_ns)), now_ns)
    if opened.met_ns is None:
        opened.met_ns = now_ns
    if now_ns - opened.met_ns < patience_ns:
        return ()
    oldest_ns = opened.effect_ns - int(RETENTION_S * 1e9)
    unmeasured = opened.rounds == 0 and not source.window(opened.targets, oldest_ns, now_ns)
    return (now_ns,) if unmeasured else ()


def _apart(fresh: Sequence[Series]) -> list[int]:
    """Times of points before the newest, newest first, that are far enough apart for a round."""
    times = np.unique(np.concatenate([each.times_ns for each in fresh])).tolist()
    found: list[int] = []
    last_ns = times[-1]
    for at_ns in reversed(times):
        if last_ns - at_ns >= APART_NS and len(found) < PAGED_ROUNDS:
            found.append(at_ns)
            last_ns = at_ns
    return found
