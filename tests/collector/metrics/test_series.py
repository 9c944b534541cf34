"""series: bounded rings, the order of points, limits with counted drops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock_collector.metrics import series
from aftershock_collector.metrics.series import Family, Series, SeriesStore

S = 1_000_000_000
T0 = 1_700_000_000 * S


def add(store: SeriesStore, seconds: float, value: float, entity: str = "service/cart") -> None:
    store.append(entity, "p99", Family.LATENCY, "s", T0 + int(seconds * S), value)


def only(store: SeriesStore, start: float = -1e6, end: float = 1e6) -> Series:
    (found,) = store.window(None, T0 + int(start * S), T0 + int(end * S))
    return found


def test_a_window_holds_exactly_the_points_between_its_ends() -> None:
    store = SeriesStore()
    for second in range(10):
        add(store, second, second / 2)

    found = only(store, 3, 5)

    assert [(t - T0) // S for t in found.times_ns.tolist()] == [3, 4, 5]
    assert found.values.tolist() == [1.5, 2.0, 2.5]
    assert (found.entity, found.metric, found.family, found.unit) == (
        "service/cart",
        "p99",
        Family.LATENCY,
        "s",
    )


def test_a_window_is_a_copy_that_later_points_do_not_change() -> None:
    store = SeriesStore(points_max=64)
    for second in range(60):
        add(store, second, second)
    before = only(store)
    copied = before.values.tolist()

    for second in range(60, 400):
        add(store, second, -1.0)

    assert before.values.tolist() == copied


def test_a_ring_keeps_its_newest_points_and_at_most_half_more_than_its_limit() -> None:
    store = SeriesStore(points_max=100)
    for second in range(5_000):
        add(store, second, second)

    found = only(store)

    assert 100 <= len(found.values) <= 150
    assert found.values[-1] == 4_999
    assert np.all(np.diff(found.times_ns) == S)


def test_points_older_than_the_retention_are_let_go() -> None:
    store = SeriesStore(points_max=1_000, retention_s=100)
    for second in range(0, 5_000, 10):
        add(store, second, second)

    assert len(only(store).values) <= 64


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_what_is_not_a_finite_number_is_counted_and_not_kept(value: float) -> None:
    store = SeriesStore()
    add(store, 1, 1.0)
    add(store, 2, value)

    assert only(store).values.tolist() == [1.0]
    assert store.dropped["not_finite"] == 1


def test_a_late_point_is_put_where_it_belongs() -> None:
    store = SeriesStore()
    for second in (1, 2, 5, 3, 4, 0):
        add(store, second, second)

    assert only(store).values.tolist() == [0, 1, 2, 3, 4, 5]


def test_of_two_points_at_one_time_the_first_is_kept() -> None:
    store = SeriesStore()
    add(store, 1, 1.0)
    add(store, 2, 2.0)
    add(store, 2, 9.0)
    add(store, 1, 9.0)

    assert only(store).values.tolist() == [1.0, 2.0]
    assert store.dropped["duplicate_point"] == 2


def test_a_point_from_before_a_full_ring_is_counted_and_not_kept() -> None:
    store = SeriesStore(points_max=64)
    for second in range(100, 200):
        add(store, second, second)
    add(store, 1, 1.0)

    assert store.dropped["late_point"] == 1
    assert only(store).values[0] >= 100


def test_clocks_that_disagree_by_minutes_interleave_in_time_order() -> None:
    store = SeriesStore()
    for second in range(0, 600, 10):
        add(store, second, 1.0)  # one sender
        add(store, second - 183, 2.0)  # another, three minutes behind

    times = only(store).times_ns

    assert np.all(np.diff(times) > 0)
    assert len(times) == 120
    assert sum(store.dropped.values()) == 0


def test_new_series_beyond_the_limit_are_counted_and_known_ones_go_on() -> None:
    store = SeriesStore(series_max=3)
    for number in range(5):
        add(store, 1, 1.0, f"service/{number}")
    add(store, 2, 2.0, "service/0")

    assert len(store) == 3
    assert store.dropped["series_full"] == 2
    assert [len(s.values) for s in store.window(["service/0"], T0, T0 + 9 * S)] == [2]


def test_series_that_vanished_make_room_for_new_ones() -> None:
    store = SeriesStore(series_max=2)
    add(store, 0, 1.0, "pod/shop/gone")
    add(store, 9_000, 1.0, "pod/shop/here")
    add(store, 9_001, 1.0, "pod/shop/new")

    assert set(store.entities()) == {"pod/shop/here", "pod/shop/new"}
    assert store.dropped["series_forgotten"] == 1


def test_an_alias_finds_the_series_of_the_entity_that_it_stands_for() -> None:
    store = SeriesStore()
    add(store, 1, 1.0, "k8s/shop/cart")
    store.alias("service/cart", "k8s/shop/cart")

    assert store.canonical("service/cart") == "k8s/shop/cart"
    assert len(store.window(["service/cart"], T0, T0 + 2 * S)) == 1
    assert store.canonical("service/unknown") == "service/unknown"


def test_two_names_of_one_entity_give_its_series_once() -> None:
    store = SeriesStore()
    add(store, 1, 1.0, "k8s/shop/cart")
    store.alias("service/cart", "k8s/shop/cart")

    assert len(store.window(["service/cart", "k8s/shop/cart"], T0, T0 + 2 * S)) == 1


def test_aliases_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "ALIASES_MAX", 2)
    store = SeriesStore()
    for number in range(5):
        store.alias(f"service/{number}", f"k8s/shop/{number}")

    assert store.dropped["aliases_full"] == 3
    assert store.canonical("service/4") == "k8s/shop/4"
    assert store.canonical("service/0") == "service/0"


def test_with_many_series_each_ring_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "SLOTS_MAX", 1_000)
    store = SeriesStore()
    for second in range(3_000):
        for number in range(3):
            add(store, second, second, f"service/{number}")

    for found in store.window(None, T0, T0 + 4_000 * S):
        assert 320 <= len(found.values) <= 1_024
        assert found.values[-1] == 2_999


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(-1e6, 1e6, width=32)), max_size=500))
def test_whatever_the_order_times_rise_and_no_point_is_lost_unseen(
    points: list[tuple[int, float]],
) -> None:
    store = SeriesStore(points_max=64)
    for second, value in points:
        add(store, second, value)
    found = store.window(None, T0, T0 + 500 * S)
    kept = len(found[0].times_ns) if found else 0

    assert kept <= 96
    if found:
        assert np.all(np.diff(found[0].times_ns) > 0)
    distinct = len({second for second, _ in points})
    duplicates = store.dropped["duplicate_point"] + store.dropped["late_point"]
    assert kept <= distinct
    assert kept + duplicates <= len(points)
