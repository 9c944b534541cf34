"""Prometheus's answers → series and samples, under the keys that everything else uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np

from aftershock_collector.metrics.entities import place_of
from aftershock_collector.metrics.queries import Query
from aftershock_collector.metrics.series import Family, Series
from aftershock_collector.otlp.wire import TIME_MAX_NS, Sample, SampleKind

VALUE_MAX = 3.0e38  # what a series holds
RESULTS_MAX = 5_000  # of one query; more is a template that forgot to aggregate


class Answered(NamedTuple):
    """What one query found."""

    series: tuple[Series, ...]
    aliases: Mapping[str, str]  # other keys of the same things
    unplaced: int  # results whose labels name nothing


def read_answer(query: Query, answer: Any) -> Answered:
    """The series in one answer. Of several about one entity, the worst value at each time counts.

    Raises:
        ValueError: it is not the answer to a range query, or an unreasonably large one.
    """
    points: dict[str, dict[int, float]] = {}
    aliases: dict[str, str] = {}
    unplaced = 0
    for result in _results(answer):
        labels = {str(k): str(v) for k, v in _table(result.get("metric")).items()}
        place = place_of("", labels, labels, called=False)
        if place is None:
            unplaced += 1
            continue
        aliases.update(dict.fromkeys(place.aliases, place.entity))
        known = points.setdefault(place.entity, {})
        for at_ns, value in _values(result.get("values")):
            known[at_ns] = max(value, known.get(at_ns, value))
    series = tuple(_series(query, entity, known) for entity, known in points.items() if known)
    return Answered(series, aliases, unplaced)


def newest_samples(answer: Any) -> list[Sample]:
    """The newest value of each series in an answer, as the gauge that it is, with its own time.

    Raises:
        ValueError: it is not the answer to a query of stretches, or an unreasonably large one.
    """
    found: list[Sample] = []
    for result in _results(answer):
        labels = {str(k): str(v) for k, v in _table(result.get("metric")).items()}
        name = labels.pop("__name__", "")
        newest = max(_values(result.get("values")), default=None)
        if name and newest is not None:
            at_ns, value = newest
            found.append(Sample(name, "", SampleKind.GAUGE, labels, labels, at_ns, value=value))
    return found


def _results(answer: Any) -> Iterable[Mapping[str, Any]]:
    whole = _table(answer)
    data = _table(whole.get("data"))
    if whole.get("status") != "success" or data.get("resultType") != "matrix":
        raise ValueError(str(whole.get("error") or "not the answer to a range query")[:200])
    results: Any = data.get("result")
    if warnings := whole.get("warnings"):
        raise ValueError(f"answered in part: {warnings}"[:200])
    found = cast("list[Any]", results) if isinstance(results, list) else []
    if len(found) > RESULTS_MAX:
        raise ValueError(f"{len(found)} results: aggregate by what names a service (sum by (job))")
    return [_table(each) for each in found]


def _values(values: Any) -> Iterable[tuple[int, float]]:
    """Times in ns and finite values; anything else says nothing."""
    for pair in cast("list[Any]", values) if isinstance(values, list) else []:
        try:
            at_s, text = pair
            at_ns, value = round(float(at_s) * 1e3) * 1_000_000, float(text)
        except (TypeError, ValueError, OverflowError):
            continue
        if 0 < at_ns <= TIME_MAX_NS and abs(value) < VALUE_MAX:  # not NaN either
            yield at_ns, value


def _series(query: Query, entity: str, points: Mapping[int, float]) -> Series:
    times = sorted(points)
    return Series(
        entity,
        query.name,
        Family(query.family),
        query.unit,
        np.array(times, np.int64),
        np.array([points[at] for at in times], np.float32),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
