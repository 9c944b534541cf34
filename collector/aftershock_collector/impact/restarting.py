"""What an observer keeps over a restart: open actions, and the series that they are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

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
from aftershock_collector.impact.relations import Relations, Topology
from aftershock_collector.metrics.series import RETENTION_S, SeriesSource, SeriesStore

POINTS_MAX = BASELINE_POINTS + HISTORY_POINTS  # of one series: what a round uses
SERIES_MAX = 256  # the targets of the newest actions first: 1 MB


def state_of(
    opened: Sequence[OpenAction],
    acted_ns: Mapping[str, Sequence[int]],
    troubles: tuple[TroubleSpan, ...],
    series: tuple[KeptSeries, ...],
) -> ObserverState:
    """Plain values of everything that goes on after a restart."""
    return ObserverState(
        tuple(observed(each) for each in opened),
        tuple(ActedOn(entity, tuple(times)) for entity, times in acted_ns.items()),
        troubles,
        series,
    )


def kept_series(
    opened: Sequence[OpenAction], source: SeriesSource, topology: Topology, now_ns: int
) -> tuple[KeptSeries, ...]:
    """The series that open actions are judged by, as plain values."""
    entities = _judged_by(opened, Relations(topology, source.canonical), source)
    return tuple(islice(_series(entities, source, now_ns), SERIES_MAX))


def _judged_by(
    opened: Sequence[OpenAction], relations: Relations, source: SeriesSource
) -> dict[str, None]:
    """Entities whose series a round reads, in the order in which they matter.

    Without the history of what a target depends on, and of what nobody touched, only the actions
    would be left to explain the damage.
    """
    named = [
        entity
        for each in reversed(opened)
        for entity in (*each.targets, *(() if each.best is None else (each.best.entity,)))
    ]
    targets = dict.fromkeys(source.canonical(entity) for entity in named)
    below = [each for target in targets for each in sorted(relations.downstream(target))]
    above = [each for target in targets for each in sorted(relations.upstream(target))]
    return dict.fromkeys((*targets, *below, *above, *source.entities()))


def _series(entities: Iterable[str], source: SeriesSource, now_ns: int) -> Iterator[KeptSeries]:
    since_ns = now_ns - int(RETENTION_S * 1e9)
    for each in (one for entity in entities for one in source.window([entity], since_ns, now_ns)):
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
