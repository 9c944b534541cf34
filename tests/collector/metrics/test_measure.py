"""measure: gauges, several processes, bounds, and the names of series."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock_collector.metrics import measure
from aftershock_collector.metrics.classification import Class, classify, failed, idle
from aftershock_collector.metrics.measure import Measurer, Point
from aftershock_collector.metrics.series import Family, SeriesStore
from aftershock_collector.otlp.wire import SampleKind
from tests.collector.metrics.samples import S, counter, gauge, on, values

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


def test_addresses_that_a_process_has_reserved_are_no_evidence() -> None:
    assert classify("process_virtual_memory_bytes", "By", SampleKind.GAUGE, False) is None
    assert classify("process_resident_memory_bytes", "By", SampleKind.GAUGE, False) is not None
