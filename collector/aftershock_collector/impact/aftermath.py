"""What one series did after an action: when it left its band, how far, and whether it came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aftershock.model import Change, ChangeKind, Chart
from aftershock_collector.impact.onset import BAND_SCALES, Onset, onset_of
from aftershock_collector.impact.placebos import BASELINE_POINTS
from aftershock_collector.impact.segments import averaged
from aftershock_collector.impact.weighing import Movement
from aftershock_collector.metrics.series import Series
from aftershock_collector.wording import quantity, times_usual

CHART_POINTS_MAX = 160  # of which the baseline takes up to 60
CHART_BEFORE_POINTS = 2 * BASELINE_POINTS
RECOVERY_POINTS = 5  # this many points in a row inside the band, newest first, and ...
RECOVERY_S = 15.0  # ... for this long: fast scrapes make five points of a lull
RECOVERED_SHARE = 0.5  # of the damage that may be left inside the band
DEPARTED_POINTS = 2  # in a row outside the band again, after a recovery


def limit(movement: Movement) -> float:
    """The upper edge of the frozen band."""
    return movement.median + BAND_SCALES * movement.scale


def change_of(movement: Movement, effect_ns: int, identity: str) -> Change:
    """The movement as a change that began at its change point."""
    series = movement.cut.series
    onset = onset_of(series, effect_ns, movement.median, movement.scale)
    after = series.times_ns > effect_ns
    moments, values = series.times_ns[after], series.values[after]
    began_ns = int(moments[0]) if onset is None else onset.began_ns
    peak = float(values[moments >= began_ns].max(initial=float(values.max())))
    factor = times_usual(peak, movement.median)
    usual, worst = (quantity(v, series.unit, series.metric) for v in (movement.median, peak))
    return Change(
        id=identity,
        kind=ChangeKind.METRIC,
        entity=series.entity,
        name=series.metric,
        began_at_ns=began_ns,
        ended_at_ns=None,
        size=(peak - movement.median) / movement.scale,
        detail=f"{usual} → {worst}" + (f" ({factor})" if factor else ""),
    )


def chart_of(movement: Movement, effect_ns: int) -> Chart:
    """The series as it was judged, with the band frozen before the action."""
    series = movement.cut.series
    moments, values = _points(series, effect_ns, movement.cut.group)
    low = movement.median - BAND_SCALES * movement.scale
    return Chart(
        entity=series.entity,
        metric=series.metric,
        unit=series.unit,
        times_ns=moments,
        values=values,
        median=movement.median,
        low=max(0.0, low) if min(values) >= 0 else low,
        high=limit(movement),
    )


def refreshed(
    charts: Sequence[Chart], series: Sequence[Series], effect_ns: int
) -> tuple[Chart, ...]:
    """The same charts with what has happened since; bands stay as they were frozen."""
    known = {(each.entity, each.metric): each for each in series}
    fresh: list[Chart] = []
    for chart in charts:
        each = known.get((chart.entity, chart.metric))
        if each is None:
            fresh.append(chart)
            continue
        group = 1
        while len(each.values) > CHART_POINTS_MAX * group:
            group *= 2
        moments, values = _points(each, effect_ns, group)
        fresh.append(replace(chart, times_ns=moments, values=values))
    return tuple(fresh)


def _points(
    series: Series, effect_ns: int, group: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Times and values to draw: averaged in groups that do not straddle the action."""
    first = int(series.times_ns.searchsorted(effect_ns, side="right"))
    moments: list[int] = []
    values: list[float] = []
    for part, kept in (
        (slice(None, first), CHART_BEFORE_POINTS),
        (slice(first, None), CHART_POINTS_MAX - CHART_BEFORE_POINTS),
    ):
        mean = averaged(series.values[part], group)[-kept:]
        moments += series.times_ns[part][::-1][::group][: len(mean)][::-1].tolist()
        values += mean.tolist()
    return tuple(moments), tuple(values)


def recovered_at(series: Sequence[Series], change: Change, chart: Chart) -> int | None:
    """When the series went back into its band to stay.

    None while it has not, while it is silent, and where it never left the band: damage that has
    not shown yet cannot be over.
    """
    for each in series:
        if each.entity != change.entity or each.metric != change.name:
            continue
        since = each.times_ns >= change.began_at_ns
        moments, inside = each.times_ns[since], each.values[since] <= chart.high
        outside = np.flatnonzero(~inside)
        if not len(outside):
            return None
        values = each.values[since]
        run, damage = moments[int(outside[-1]) + 1 :], values[outside]
        if len(run) < RECOVERY_POINTS or run[-1] - run[0] < RECOVERY_S * 1e9:
            return None
        # What grows slowly crosses the edge many times: inside, it is still nearer to the damage.
        back = float(np.median(values[-len(run) :])) - chart.median
        if back <= RECOVERED_SHARE * (float(np.median(damage)) - chart.median):
            return int(run[0])
    return None


def departed_again(series: Sequence[Series], change: Change, chart: Chart, since_ns: int) -> bool:
    """True where a series that had recovered has left its band again."""
    for each in series:
        if each.entity == change.entity and each.metric == change.name:
            values = each.values[each.times_ns > since_ns][-DEPARTED_POINTS:]
            return len(values) == DEPARTED_POINTS and bool((values > chart.high).all())
    return False


def fading(movement: Movement | None, onset: Onset | None) -> bool:
    """True where the damage is over or on its way back: below half of its peak, and falling.

    A blip and a cold start look like this; damage that lasts does not.
    """
    if movement is None or onset is None:
        return False
    series = movement.cut.series
    if series.values[-1] <= limit(movement):
        return True
    if onset.points < 2:
        return False
    excess = series.values[series.times_ns >= onset.began_ns] - movement.median
    if len(excess) < 3:
        return False
    peak = float(excess.max())
    newest = excess[-2:]
    return peak > 0 and bool(newest.mean() < 0.5 * peak) and bool(excess[-1] <= excess[-2])
