"""Prometheus exposition text (and OpenMetrics) → samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from math import inf, isfinite, isnan
from typing import Any

from prometheus_client import parser as plain
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics

from aftershock_collector.otlp.wire import Attributes, Sample, SampleKind

LINE_CHARS_MAX = 16_384  # the parser's time grows with the square of a line; exporters write 500
OPENMETRICS = "application/openmetrics-text"

_Labels = tuple[tuple[str, str], ...]


def samples_of(text: str, content_type: str, resource: Attributes, time_ns: int) -> list[Sample]:
    """Every sample of one scrape, all at the time of the scrape.

    Raises:
        ValueError: the text is not in the exposition format, or a line is longer than any metric's.
    """
    longest = max(map(len, text.split("\n")))
    if longest > LINE_CHARS_MAX:
        raise ValueError(f"a line of {longest} characters")
    parser: Any = openmetrics if content_type.startswith(OPENMETRICS) else plain
    families: Iterable[Metric] = parser.text_string_to_metric_families(text)
    try:
        return [sample for family in families for sample in _read(family, resource, time_ns)]
    except (LookupError, TypeError, AttributeError) as error:  # the parser's, on half a histogram
        raise ValueError(f"not the exposition format: {error!r}") from error


def _read(family: Metric, resource: Attributes, time_ns: int) -> Iterator[Sample]:
    if family.type == "histogram":
        yield from _histograms(family, resource, time_ns)
    elif family.type == "summary":
        yield from _summaries(family, resource, time_ns)
    else:
        counter = family.type == "counter"
        for each in family.samples:
            if each.name.endswith("_created") or not isfinite(each.value):
                continue
            yield Sample(
                name=each.name,
                unit=family.unit,
                kind=SampleKind.SUM if counter else SampleKind.GAUGE,
                attributes=each.labels,
                resource=resource,
                time_ns=time_ns,
                value=float(each.value),
                monotonic=counter,
            )


def _grouped(family: Metric, extra: str) -> dict[_Labels, dict[str, Any]]:
    """The lines of each label set, without the label that names its bucket or quantile."""
    groups: dict[_Labels, dict[str, Any]] = {}
    for each in family.samples:
        labels = tuple(sorted((k, v) for k, v in each.labels.items() if k != extra))
        group = groups.setdefault(labels, {"steps": []})
        if extra in each.labels:
            group["steps"].append((float(each.labels[extra]), float(each.value)))
        elif each.name.endswith(("_sum", "_count")):
            group[each.name.rpartition("_")[2]] = float(each.value)
    return groups


def _histograms(family: Metric, resource: Attributes, time_ns: int) -> Iterator[Sample]:
    for labels, group in _grouped(family, "le").items():
        steps: list[tuple[float, float]] = sorted(group["steps"])
        if not steps:
            continue
        if steps[-1][0] != inf:
            steps.append((inf, group.get("count", steps[-1][1])))
        counts = [count for _, count in steps]
        if not all(map(isfinite, counts)):
            continue
        buckets = [counts[0], *(high - low for low, high in pairwise(counts))]
        if min(buckets) < 0:  # not cumulative: not a histogram that anyone can read
            continue
        yield Sample(
            name=family.name,
            unit=family.unit,
            kind=SampleKind.HISTOGRAM,
            attributes=dict(labels),
            resource=resource,
            time_ns=time_ns,
            observations=int(counts[-1]),
            total=group.get("sum"),
            bounds=tuple(bound for bound, _ in steps[:-1]),
            buckets=tuple(int(count) for count in buckets),
        )


def _summaries(family: Metric, resource: Attributes, time_ns: int) -> Iterator[Sample]:
    for labels, group in _grouped(family, "quantile").items():
        if not isfinite(group.get("count", 0)):
            continue
        yield Sample(
            name=family.name,
            unit=family.unit,
            kind=SampleKind.SUMMARY,
            attributes=dict(labels),
            resource=resource,
            time_ns=time_ns,
            observations=int(group.get("count", 0)),
            total=group.get("sum"),
            quantiles=tuple((q, v) for q, v in sorted(group["steps"]) if not isnan(v)),
        )


def up(value: bool, resource: Mapping[str, Any], time_ns: int) -> Sample:
    """Whether a target answered, as Prometheus itself writes it."""
    return Sample("up", "", SampleKind.GAUGE, {}, resource, time_ns, value=float(value))
