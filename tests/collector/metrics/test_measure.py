"""measure: gauges, counters, histograms and label sets become few comparable series per entity."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from aftershock_collector.metrics import measure
from aftershock_collector.metrics.classification import Class, classify, failed, idle
from aftershock_collector.metrics.distributions import Buckets, merged, quantile, since
from aftershock_collector.metrics.measure import Measurer, Point
from aftershock_collector.metrics.series import Family, SeriesStore
from aftershock_collector.otlp.wire import Exponential, Sample, SampleKind

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


# --- Counters ----------------------------------------------------------------------------------


def test_a_counter_becomes_a_rate_over_its_own_interval() -> None:
    measurer = Measurer()
    assert measurer.measure([counter("http_requests_total", 100, 10)]) == []

    points = measurer.measure([counter("http_requests_total", 160, 20)])

    assert points == [
        Point(
            "service/cart",
            "http_requests_total rate",
            Family.TRAFFIC,
            "{request}/s",
            20 * S,
            6.0,
        )
    ]


def test_a_counter_that_starts_anew_is_not_a_fall() -> None:
    measurer = Measurer()
    measurer.measure([counter("http_requests_total", 1_000, 10)])
    measurer.measure([counter("http_requests_total", 1_100, 20)])

    points = measurer.measure([counter("http_requests_total", 30, 30)])

    assert values(points) == {"http_requests_total rate": 3.0}


def test_a_gap_in_reports_makes_a_longer_interval_and_no_spike() -> None:
    measurer = Measurer()
    measurer.measure([counter("http_requests_total", 0, 10)])
    measurer.measure([counter("http_requests_total", 50, 20)])

    points = measurer.measure([counter("http_requests_total", 550, 120)])

    assert values(points) == {"http_requests_total rate": 5.0}


def test_label_sets_add_up_and_status_codes_become_an_error_ratio() -> None:
    measurer = Measurer()
    first = [
        counter("http_requests_total", 100, 10, route="/a", code="200"),
        counter("http_requests_total", 50, 10, route="/b", code="200"),
        counter("http_requests_total", 2, 10, route="/b", code="500"),
    ]
    measurer.measure(first)
    second = [s._replace(value=(s.value or 0) + 10, time_ns=20 * S) for s in first]

    points = measurer.measure(second)

    assert values(points) == {
        "http_requests_total rate": 3.0,
        "http_requests_total errors": pytest.approx(1 / 3),
    }
    assert {p.metric: p.family for p in points}["http_requests_total errors"] is Family.ERRORS


def test_the_first_error_ever_counts_although_its_label_set_is_new() -> None:
    measurer = Measurer()
    measurer.measure([counter("http_requests_total", 100, 10, code="200")])

    points = measurer.measure(
        [
            counter("http_requests_total", 180, 20, code="200"),
            counter("http_requests_total", 20, 20, code="503"),
        ]
    )

    assert values(points)["http_requests_total errors"] == pytest.approx(0.2)


def test_a_label_set_that_may_only_have_been_forgotten_is_not_taken_for_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "LABEL_SETS_PER_SERIES", 1)
    measurer = Measurer(series_max=2)
    routes = [counter("http_requests_total", 1e6, 10, route=str(n)) for n in range(5)]
    measurer.measure(routes)

    points = measurer.measure([s._replace(time_ns=20 * S) for s in routes])

    assert measurer.dropped["label_sets_full"] > 0
    assert values(points).get("http_requests_total rate", 0.0) == 0.0


def test_a_report_from_the_past_changes_nothing() -> None:
    measurer = Measurer()
    measurer.measure([counter("http_requests_total", 100, 10)])
    measurer.measure([counter("http_requests_total", 150, 20)])
    measurer.measure([counter("http_requests_total", 120, 15)])

    points = measurer.measure([counter("http_requests_total", 200, 30)])

    assert measurer.dropped["counter_out_of_order"] == 1
    assert values(points) == {"http_requests_total rate": 5.0}


def test_deltas_are_increases_over_the_interval_that_they_name() -> None:
    sample = counter("http_requests_total", 40, 20)._replace(delta=True, started_at_ns=10 * S)

    assert values(Measurer().measure([sample])) == {"http_requests_total rate": 4.0}


def test_seconds_of_cpu_become_a_utilisation_without_idle_time() -> None:
    measurer = Measurer()
    for at in (10, 20):
        points = measurer.measure(
            [
                counter("node_cpu_seconds_total", at * 0.5, at, mode="user"),
                counter("node_cpu_seconds_total", at * 0.2, at, mode="system"),
                counter("node_cpu_seconds_total", at * 9.0, at, mode="idle"),
            ]
        )

    assert values(points) == {"node_cpu_seconds_total rate": pytest.approx(0.7)}
    assert (points[0].family, points[0].unit) == (Family.RESOURCES, "1")


# --- Histograms --------------------------------------------------------------------------------


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

    explicit, exponential_ = found
    for name in ("p50", "p99"):
        key = f"http.server.request.duration {name}"
        assert exponential_[key] == pytest.approx(explicit[key], rel=0.15)
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


# --- Gauges, several processes, limits ---------------------------------------------------------


def test_a_gauge_is_taken_as_it_is() -> None:
    points = Measurer().measure([gauge("db_pool_connections_in_use", 7, 10)])

    assert points == [
        Point(
            "service/cart",
            "db_pool_connections_in_use",
            Family.RESOURCES,
            "{connection}",
            10 * S,
            7.0,
        )
    ]


def test_what_is_better_when_larger_is_measured_by_what_is_missing() -> None:
    points = Measurer().measure([gauge("up", 1, 10), gauge("checkout_success_ratio", 0.97, 10)])

    assert values(points) == {"up": 0.0, "checkout_success_ratio": pytest.approx(0.03)}


def test_processes_of_one_service_make_one_point_when_the_leading_one_reports() -> None:
    measurer = Measurer()
    assert len(measurer.measure([on("a", gauge("db_pool_connections_in_use", 3, 10))])) == 1
    assert measurer.measure([on("b", gauge("db_pool_connections_in_use", 4, 11))]) == []

    points = measurer.measure([on("a", gauge("db_pool_connections_in_use", 5, 20))])

    assert values(points) == {"db_pool_connections_in_use": 9.0}


def test_when_the_leading_process_is_gone_another_one_leads() -> None:
    measurer = Measurer()
    for at in (10, 20, 30):
        measurer.measure([on("a", gauge("queue_length", 3, at))])
        measurer.measure([on("b", gauge("queue_length", 4, at + 1))])

    led = [
        values(measurer.measure([on("b", gauge("queue_length", 4, at + 1))]))
        for at in range(40, 120, 10)
    ]

    assert led[0] == {}
    assert led[-1] == {"queue_length": 4.0}  # the share of the one that is gone counts no more


def test_an_entity_is_measured_by_a_bounded_number_of_metrics() -> None:
    measurer = Measurer()
    points = measurer.measure([gauge(f"queue_length_{n}", n, 10) for n in range(100)])

    assert len(points) == measure.METRICS_MAX
    assert measurer.dropped["metrics_of_entity_full"] == 100 - measure.METRICS_MAX


def test_what_nobody_can_call_better_or_worse_is_counted_and_not_measured() -> None:
    measurer = Measurer()
    names = ("workers_wanted", "db_connections_max", "build_info", "python_gc_collections_total")

    assert measurer.measure([gauge(name, 1, 10) for name in names]) == []
    assert measurer.dropped["metric_not_measured"] == 4


def test_a_sample_of_nothing_in_particular_is_counted() -> None:
    measurer = Measurer()
    measurer.measure([gauge("queue_length", 1, 10)._replace(resource={})])

    assert measurer.dropped["sample_without_entity"] == 1


def test_not_a_number_is_no_point() -> None:
    points = Measurer().measure([gauge("queue_length", math.nan, 10)])

    assert points == []


def test_recording_fills_a_store_and_tells_it_other_names() -> None:
    store, measurer = SeriesStore(), Measurer()
    sample = gauge("queue_length", 2, 10)._replace(
        resource={"service.name": "cart", "k8s.namespace.name": "shop", "k8s.deployment.name": "c"}
    )

    assert measurer.record([sample], store) == 1
    assert store.canonical("service/cart") == "k8s/shop/c"
    assert [s.values.tolist() for s in store.window(["service/cart"], 0, 99 * S)] == [[2.0]]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("http_requests_total", "queue_length", "cart_errors_total")),
            st.one_of(st.floats(-1e30, 1e30), st.sampled_from((math.nan, math.inf))),
            st.integers(0, 50),
            st.sampled_from(("200", "500")),
        ),
        max_size=60,
    )
)
def test_whatever_arrives_points_are_finite_and_rates_are_not_negative(
    given_samples: list[tuple[str, float, int, str]],
) -> None:
    measurer = Measurer(series_max=4)
    store = SeriesStore()
    for name, value, at, code in given_samples:
        make = gauge if name == "queue_length" else counter
        for point in measurer.measure([make(name, abs(value), at, code=code)]):
            store.append(*point)
            assert point.metric == "queue_length" or point.value >= 0
    assert store.dropped["not_finite"] == 0


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (("http.server.request.duration", "s", "histogram"), (Family.LATENCY, "s")),
        (("db.client.operation.duration", "s", "histogram"), (Family.LATENCY, "s")),
        (("request_latency_ms", "", "histogram"), (Family.LATENCY, "s")),
        (("http_requests_total", "", "counter"), (Family.TRAFFIC, "{request}/s")),
        (("cart_errors_total", "", "counter"), (Family.ERRORS, "{error}/s")),
        (("db_connect_refused_total", "", "counter"), (Family.ERRORS, "{error}/s")),
        (("process_cpu_seconds_total", "", "counter"), (Family.RESOURCES, "1")),
        (("process.cpu.time", "s", "counter"), (Family.RESOURCES, "1")),
        (("process_resident_memory_bytes", "", "gauge"), (Family.RESOURCES, "By")),
        (("process.memory.usage", "By", "sum"), (Family.RESOURCES, "By")),
        (("system.cpu.utilization", "1", "gauge"), (Family.RESOURCES, "1")),
        (("system.memory.utilization", "1", "gauge"), (Family.RESOURCES, "1")),
        (("db.client.connection.count", "", "sum"), (Family.RESOURCES, "{connection}")),
        (("pg_stat_activity_count", "", "gauge"), (Family.RESOURCES, "{connection}")),
        (("kafka_consumergroup_lag", "", "gauge"), (Family.RESOURCES, "{item}")),
        (("http.server.active_requests", "", "sum"), (Family.RESOURCES, "{item}")),
    ],
)
def test_a_name_says_what_a_metric_can_show(
    metric: tuple[str, str, str], expected: tuple[Family, str]
) -> None:
    name, unit, word = metric
    kind = SampleKind.SUM if word == "counter" else SampleKind(word)
    found = classify(name, unit, kind, word == "counter")

    assert isinstance(found, Class)
    assert (found.family, found.unit) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"code": "200"}, False),
        ({"code": "404"}, False),
        ({"status": "5xx"}, True),
        ({"http.response.status_code": 503}, True),
        ({"outcome": "SERVER_ERROR"}, True),
        ({"rpc.grpc.status_code": 14}, True),
        ({"rpc.grpc.status_code": 5}, False),
        ({"error.type": "timeout"}, True),
        ({"route": "/a"}, None),
    ],
)
def test_labels_tell_failures_apart(labels: dict[str, Any], expected: bool | None) -> None:
    assert failed(labels) is expected


def test_idle_time_and_free_memory_are_not_use() -> None:
    assert idle({"mode": "idle"})
    assert idle({"state": "free"})
    assert not idle({"mode": "user"})
