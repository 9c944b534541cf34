"""aftermath: what a series did after an action, in words, in a chart, and until it came back."""

from __future__ import annotations

import numpy as np
import pytest

from aftershock_collector.impact.aftermath import change_of, chart_of, recovered_at, refreshed
from aftershock_collector.impact.evidence import Movement
from aftershock_collector.impact.quantities import amount, duration, times
from aftershock_collector.impact.segments import cut
from aftershock_collector.metrics.series import Family, Series

S = 1_000_000_000
ACTED_NS = 100 * 60 * S


def series(
    values: list[float], every_s: float = 60.0, family: Family = Family.LATENCY, unit: str = "s"
) -> Series:
    times_ns = (np.arange(len(values)) * every_s * S).astype(np.int64)
    return Series("service/cart", "p99", family, unit, times_ns, np.array(values, np.float32))


def movement(values: list[float]) -> Movement:
    part = cut(series(values), ACTED_NS, 10**15)
    assert part is not None
    return Movement(part, after=9.0, before=0.0, comparable=200, median=0.2, scale=0.02)


CALM = [0.2] * 103


def test_a_change_begins_with_the_first_point_outside_the_band() -> None:
    change = change_of(movement([*CALM, 0.24, 0.8, 1.9, 0.9]), ACTED_NS, "id")

    assert change.began_at_ns == 104 * 60 * S
    assert (change.entity, change.name, change.ended_at_ns) == ("service/cart", "p99", None)
    assert change.detail == "200 ms → 1.9 s (9.5×)"
    assert change.size == pytest.approx(85.0)


def test_a_chart_freezes_the_band_before_the_action() -> None:
    chart = chart_of(movement([*CALM, 1.0, 1.0]), ACTED_NS)

    assert (chart.median, chart.low, chart.high) == (0.2, pytest.approx(0.14), pytest.approx(0.26))
    assert len(chart.values) == 64  # sixty before, four after
    assert chart.times_ns[-1] == 104 * 60 * S


def test_a_band_does_not_go_below_zero_where_values_cannot() -> None:
    low = movement([*CALM, 1.0])._replace(scale=0.5)

    assert chart_of(low, ACTED_NS).low == 0.0


def test_a_refreshed_chart_has_the_newest_points_and_the_same_band() -> None:
    chart = chart_of(movement([*CALM, 1.0]), ACTED_NS)
    longer = series([*CALM, 1.0, *[0.2] * 400])

    (fresh,) = refreshed([chart], [longer], ACTED_NS)

    assert (fresh.median, fresh.high) == (chart.median, chart.high)
    assert fresh.times_ns[-1] == longer.times_ns[-1]
    assert len(fresh.values) <= 160
    assert refreshed([chart], [], ACTED_NS) == (chart,)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([1.0] * 5 + [0.2] * 6, 108),  # five in a row, for long enough
        ([1.0] * 5 + [0.2] * 4, None),  # not for long enough yet
        ([1.0] * 5 + [0.2] * 6 + [1.0], None),  # a lull
        ([1.0] * 9, None),
    ],
)
def test_recovery_is_a_stretch_inside_the_band_that_lasts(
    after: list[float], expected: int | None
) -> None:
    whole = [*CALM, *after]
    change = change_of(movement(whole), ACTED_NS, "id")
    chart = chart_of(movement(whole), ACTED_NS)

    found = recovered_at([series(whole)], change, chart)

    assert found == (None if expected is None else expected * 60 * S)


def test_five_points_of_a_fast_scrape_are_no_recovery() -> None:
    values = [0.2] * 103 + [1.0] * 5 + [0.2] * 6
    fast = series(values, every_s=1.0)
    part = cut(fast, 100 * S, 10**15)
    assert part is not None
    moved = Movement(part, 9.0, 0.0, 200, 0.2, 0.02)

    assert recovered_at([fast], change_of(moved, 100 * S, "id"), chart_of(moved, 100 * S)) is None


@pytest.mark.parametrize(
    ("value", "unit", "family", "expected"),
    [
        (0.21, "s", Family.LATENCY, "210 ms"),
        (1.9, "s", Family.LATENCY, "1.9 s"),
        (0.042, "1", Family.ERRORS, "4.2 %"),
        (0.7, "1", Family.RESOURCES, "0.7"),
        (512e6, "By", Family.RESOURCES, "512 MB"),
        (12.0, "{connection}", Family.RESOURCES, "12 connection"),
    ],
)
def test_amounts_are_said_in_the_unit_of_the_series(
    value: float, unit: str, family: Family, expected: str
) -> None:
    assert amount(value, series([1.0], family=family, unit=unit)) == expected


def test_durations_and_factors_are_short() -> None:
    assert [duration(s * S) for s in (41, 240, 9_000)] == ["41 s", "4 min", "2.5 h"]
    assert (times(0.8, 0.2), times(0.1, 0.2), times(0.1, 0.0)) == ("4×", "", "")
