"""measure: counters become rates."""

from __future__ import annotations

import pytest

from aftershock_collector.metrics import measure
from aftershock_collector.metrics.measure import Measurer, Point
from aftershock_collector.metrics.series import Family
from tests.collector.metrics.samples import S, counter, values


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
