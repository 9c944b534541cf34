"""One series cut at one moment, for tests of what is made of a cut."""

from __future__ import annotations

import numpy as np

from aftershock_collector.impact.segments import Cut, groups_for, newest_of
from aftershock_collector.metrics.series import Series


def cut(series: Series, effect_ns: int, now_ns: int) -> Cut | None:
    """Split at `effect_ns`; None where the series has nothing before it."""
    first = series.times_ns.searchsorted([effect_ns], side="right")
    newest = newest_of([series], now_ns)
    if not first[0] or not newest.last[0]:
        return None
    (group,) = groups_for(newest.last - first, np.array(first)).tolist()
    return Cut(series, int(first[0]), int(newest.last[0]), int(newest.cadence_ns[0]), group)
