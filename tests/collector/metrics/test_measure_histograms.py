"""measure: histograms become quantiles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from aftershock_collector.metrics.distributions import Buckets, merged, quantile, since
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.otlp.wire import Exponential, Sample, SampleKind
from tests.collector.metrics.samples import BOUNDS, S, histogram, values


def test_a_histogram_becomes_quantiles_of_what_was_new() -> None:
    measurer = Measurer()
    measurer.measure([histogram((100, 0, 0, 0, 0), 10)])

    points = measurer.measure([histogram((100, 0, 100, 0, 0), 20)])

    assert values(points) == {
        "http_request_duration_seconds p50": pytest.approx(0.3),
        "http_request_duration_seconds p99": pytest.approx(0.398),
        "http_request_duration_seconds rate": 10.0,
    }


def test_routes_are_merged_before_the_quantile_is_taken() -> None:
    measurer = Measurer()
    measurer.measure([histogram((0,) * 5, 10, route="/a"), histogram((0,) * 5, 10, route="/b")])

    points = measurer.measure(
        [histogram((98, 0, 0, 0, 0), 20, route="/a"), histogram((0, 0, 0, 2, 0), 20, route="/b")]
    )

    assert 0.4 < values(points)["http_request_duration_seconds p99"] <= 0.8


def test_an_interval_without_a_request_has_a_rate_and_no_latency() -> None:
    measurer = Measurer()
    measurer.measure([histogram((5, 0, 0, 0, 0), 10)])

    points = measurer.measure([histogram((5, 0, 0, 0, 0), 20)])

    assert values(points) == {"http_request_duration_seconds rate": 0.0}


def test_a_histogram_that_starts_anew_is_read_from_zero() -> None:
    measurer = Measurer()
    measurer.measure([histogram((500, 0, 0, 0, 0), 10)])

    points = measurer.measure([histogram((0, 0, 10, 0, 0), 20)])

    assert values(points)["http_request_duration_seconds rate"] == 1.0
    assert 0.2 < values(points)["http_request_duration_seconds p50"] <= 0.4


def test_beyond_the_last_bound_the_answer_is_the_bound_or_the_known_maximum() -> None:
    assert quantile(Buckets({4: 10}, BOUNDS), 0.99) == 0.8
    assert quantile(Buckets({4: 10}, BOUNDS, maximum=3.0), 0.99) == pytest.approx(2.978)
    assert quantile(Buckets({}, BOUNDS), 0.99) is None


def exponential(scale: int, offset: int, counts: tuple[int, ...], at: float) -> Sample:
    held = Exponential(scale, 0, 0.0, offset, counts, 0, ())
    return Sample(
        "http.server.request.duration",
        "s",
        SampleKind.EXPONENTIAL_HISTOGRAM,
        {},
        {"service.name": "cart"},
        int(at * S),
        observations=sum(counts),
        exponential=held,
    )


def test_an_exponential_histogram_survives_a_change_of_its_scale() -> None:
    measurer = Measurer()
    measurer.measure([exponential(1, 0, (8, 0, 8, 0), 10)])  # (1, √2] and (2, 2√2]

    points = measurer.measure([exponential(0, 0, (8, 8, 16), 20)])  # (1, 2], (2, 4] and (4, 8]

    assert 4 < values(points)["http.server.request.duration p50"] <= 8
    assert values(points)["http.server.request.duration rate"] == pytest.approx(1.6)


def test_the_sdks_two_histograms_agree_on_the_same_measurements() -> None:
    found: list[dict[str, float]] = []
    for views in (
        (),
        (View(instrument_name="*", aggregation=ExponentialBucketHistogramAggregation()),),
    ):
        reader = InMemoryMetricReader()
        provider = MeterProvider(metric_readers=[reader], views=views)
        recorder = provider.get_meter("test").create_histogram(
            "http.server.request.duration", unit="s", explicit_bucket_boundaries_advisory=BOUNDS
        )
        measurer = Measurer()
        for at in (10, 20):
            for number in range(200):
                recorder.record(0.1 + 0.0035 * number, {"http.response.status_code": 200})
            points = measurer.measure([_sdk_sample(reader, at)])
        found.append(values(points))

    explicit, exponential_histogram = found
    for name in ("p50", "p99"):
        key = f"http.server.request.duration {name}"
        assert exponential_histogram[key] == pytest.approx(explicit[key], rel=0.15)
    assert explicit["http.server.request.duration errors"] == 0.0


def _sdk_sample(reader: InMemoryMetricReader, at: float) -> Sample:
    data = reader.get_metrics_data()
    assert data is not None
    metric = data.resource_metrics[0].scope_metrics[0].metrics[0]
    point: Any = metric.data.data_points[0]
    common: dict[str, Any] = {
        "name": metric.name,
        "unit": metric.unit,
        "attributes": dict(point.attributes),
        "resource": {"service.name": "cart"},
        "time_ns": int(at * S),
        "observations": point.count,
        "total": point.sum,
    }
    if hasattr(point, "scale"):
        held = Exponential(
            point.scale,
            point.zero_count,
            0.0,
            point.positive.offset,
            tuple(point.positive.bucket_counts),
            0,
            (),
        )
        return Sample(kind=SampleKind.EXPONENTIAL_HISTOGRAM, exponential=held, **common)
    return Sample(
        kind=SampleKind.HISTOGRAM,
        bounds=tuple(point.explicit_bounds),
        buckets=tuple(point.bucket_counts),
        **common,
    )


def test_a_summary_gives_the_quantiles_that_it_was_sent_with() -> None:
    sample = Sample(
        "rpc_duration_seconds",
        "",
        SampleKind.SUMMARY,
        {},
        {"service.name": "cart"},
        10 * S,
        observations=5,
        quantiles=((0.5, 0.2), (0.99, 1.5)),
    )

    assert values(Measurer().measure([sample])) == {
        "rpc_duration_seconds p50": 0.2,
        "rpc_duration_seconds p99": 1.5,
    }


counts = st.dictionaries(st.integers(0, 4), st.integers(1, 1_000), max_size=5)


@given(counts, counts)
def test_what_was_added_is_what_is_found_between_two_states(
    before: dict[int, int], added: dict[int, int]
) -> None:
    old, new = Buckets(before, BOUNDS), Buckets(added, BOUNDS)
    both = merged(old, new)

    grown = since(both, old)

    assert both.total == old.total + new.total
    assert grown is not None
    assert grown.counts == added


@given(counts.filter(bool), st.floats(0.01, 0.99), st.floats(0.0, 0.009))
def test_quantiles_rise_with_their_share_and_stay_inside_the_bounds(
    held: dict[int, int], share: float, more: float
) -> None:
    low, high = (
        quantile(Buckets(held, BOUNDS), share),
        quantile(Buckets(held, BOUNDS), share + more),
    )

    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= BOUNDS[-1]
