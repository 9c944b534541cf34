"""Samples for tests of metrics: gauges, counters and histograms of one service."""

from __future__ import annotations

from aftershock_collector.metrics.measure import Point
from aftershock_collector.otlp.wire import Sample, SampleKind

S = 1_000_000_000
BOUNDS = (0.1, 0.2, 0.4, 0.8)


def gauge(name: str, value: float, at: float, unit: str = "", **labels: str) -> Sample:
    return Sample(
        name, unit, SampleKind.GAUGE, labels, {"service.name": "cart"}, int(at * S), value=value
    )


def counter(name: str, value: float, at: float, **labels: str) -> Sample:
    return gauge(name, value, at, **labels)._replace(kind=SampleKind.SUM, monotonic=True)


def histogram(buckets: tuple[int, ...], at: float, **labels: str) -> Sample:
    return Sample(
        "http_request_duration_seconds",
        "",
        SampleKind.HISTOGRAM,
        labels,
        {"service.name": "cart"},
        int(at * S),
        observations=sum(buckets),
        bounds=BOUNDS,
        buckets=buckets,
    )


def on(process: str, sample: Sample) -> Sample:
    return sample._replace(resource={**sample.resource, "service.instance.id": process})


def values(points: list[Point]) -> dict[str, float]:
    return {point.metric: point.value for point in points}
