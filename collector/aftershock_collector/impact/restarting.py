"""What an observer keeps over a restart: open actions, and the series that they are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aftershock_collector.impact.open_actions import (
    ActedOn,
    KeptSeries,
    ObserverState,
    OpenAction,
    TroubleSpan,
    observed,
    reopened,
)
from aftershock_collector.impact.placebos import BASELINE_POINTS, HISTORY_POINTS
from aftershock_collector.metrics.series import RETENTION_S, SeriesSource, SeriesStore

POINTS_MAX = BASELINE_POINTS + HISTORY_POINTS  # of one series: what a round uses
SERIES_MAX = 256  # of the targets of open actions, newest actions first: 1 MB
ACTIONS_MAX = 256


def state_of(
    opened: Iterable[OpenAction],
    acted_ns: Mapping[str, Sequence[int]],
    troubles: tuple[TroubleSpan, ...],
    source: SeriesSource,
    now_ns: int,
) -> ObserverState:
    """Plain values of everything that goes on after a restart."""
    newest = list(opened)[-ACTIONS_MAX:]
    entities = dict.fromkeys(
        entity
        for each in reversed(newest)
        for entity in (*each.targets, *(() if each.best is None else (each.best.entity,)))
    )
    return ObserverState(
        tuple(observed(each) for each in newest),
        tuple(ActedOn(entity, tuple(times)) for entity, times in acted_ns.items()),
        troubles,
        tuple(_series(entities, source, now_ns))[:SERIES_MAX],
    )


def _series(entities: Iterable[str], source: SeriesSource, now_ns: int) -> Iterator[KeptSeries]:
    for each in source.window(entities, now_ns - int(RETENTION_S * 1e9), now_ns):
        yield KeptSeries(
            each.entity,
            each.metric,
            each.family,
            each.unit,
            tuple(each.times_ns[-POINTS_MAX:].tolist()),
            tuple(each.values[-POINTS_MAX:].tolist()),
        )


def restored(state: ObserverState, series: SeriesStore) -> Iterator[OpenAction]:
    """Open actions of an earlier process; their series are added to the store."""
    for kept in state.series:
        for at_ns, value in zip(kept.times_ns, kept.values, strict=True):
            series.append(kept.entity, kept.metric, kept.family, kept.unit, at_ns, value)
    for action in state.actions:
        opened = reopened(action)
        if opened is not None:
            yield opened
