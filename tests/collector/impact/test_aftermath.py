"""aftermath: what a series did after an action, in words, in a chart, and until it came back."""

from __future__ import annotations

import numpy as np
import pytest

from aftershock_collector.impact.aftermath import (
    change_of,
    chart_of,
    departed_again,
    fading,
    recovered_at,
    refreshed,
)
from aftershock_collector.impact.onset import onset_of
from aftershock_collector.impact.references import Reference
from aftershock_collector.impact.usual import Usual
from aftershock_collector.impact.weighing import Movement
from aftershock_collector.metrics.series import Family, Series
from tests.collector.impact.cuts import cut

S = 1_000_000_000
ACTED_NS = 100 * 60 * S


def series(
    values: list[float], every_s: float = 60.0, family: Family = Family.LATENCY, unit: str = "s"
) -> Series:
    times_ns = (np.arange(len(values)) * every_s * S).astype(np.int64)
    return Series("service/cart", "p99", family, unit, times_ns, np.array(values, np.float32))


def movement(values: list[float]) -> Movement:
    whole = series(values)
    part = cut(whole, ACTED_NS, 10**15)
    assert part is not None
    return Movement(part, reference(), after=9.0, worse=9.0, length=4)


def reference(scale: float = 0.02) -> Reference:
    """A frozen band around 0.2."""
    usual = Usual(np.full(30, 0.2, np.float32), np.zeros(30, np.bool_), (0.1, 0.0), 0)
    return Reference(usual, 0.2, scale, 0.0, 0.2, 100, 0, 200, 0.2 + 3 * scale, False)


CALM = [0.2] * 103


def test_a_change_begins_with_the_first_point_outside_the_band() -> None:
    change = change_of(movement([*CALM, 0.24, 0.8, 1.9, 0.9]), ACTED_NS, "id")

    assert change.began_at_ns == 104 * 60 * S
    assert (change.entity, change.name, change.ended_at_ns) == ("service/cart", "p99", None)
    assert change.detail == "200 ms → 1.9 s (9.5 times its usual)"
    assert change.size == pytest.approx(85.0)


def test_a_chart_freezes_the_band_before_the_action() -> None:
    chart = chart_of(movement([*CALM, 1.0, 1.0]), ACTED_NS)

    assert (chart.median, chart.low, chart.high) == (0.2, pytest.approx(0.14), pytest.approx(0.26))
    assert len(chart.values) == 64  # sixty before, four after
    assert chart.times_ns[-1] == 104 * 60 * S


def test_a_band_does_not_go_below_zero_where_values_cannot() -> None:
    low = movement([*CALM, 1.0])._replace(reference=reference(0.5))

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
    moved = Movement(part, reference(), 9.0, 9.0, 4)

    assert recovered_at([fast], change_of(moved, 100 * S, "id"), chart_of(moved, 100 * S)) is None


def test_what_never_left_its_band_cannot_recover() -> None:
    whole = [*CALM, *[0.21] * 9]
    change = change_of(movement(whole), ACTED_NS, "id")

    assert recovered_at([series(whole)], change, chart_of(movement(whole), ACTED_NS)) is None


def test_a_leak_that_leaves_the_band_again_is_noticed() -> None:
    whole = [*CALM, *[1.0] * 5, *[0.2] * 6]
    change = change_of(movement(whole), ACTED_NS, "id")
    chart = chart_of(movement(whole), ACTED_NS)

    assert not departed_again([series(whole)], change, chart, 110 * 60 * S)
    assert departed_again([series([*whole, 1.0, 1.1])], change, chart, 110 * 60 * S)


def test_damage_that_falls_back_is_fading_and_damage_that_lasts_is_not() -> None:
    def fades(after: list[float]) -> bool:
        moved = movement([*CALM, *after])
        return fading(moved, onset_of(moved.cut.series, ACTED_NS, 0.2, 0.02))

    assert fades([2.0, 1.4, 0.8, 0.5])
    assert not fades([2.0, 1.9, 2.1, 2.0])


def test_a_leak_that_crosses_its_edge_again_and_again_has_not_recovered() -> None:
    grown = [0.2 + 0.0015 * n for n in range(60)]
    grown[45:51] = [0.255] * 6  # just inside the band, after points outside
    values = [0.2] * 103 + grown[:51]
    change = change_of(movement(values), ACTED_NS, "id")
    chart = chart_of(movement(values), ACTED_NS)

    assert recovered_at([series(values)], change, chart) is None
    assert recovered_at([series([*values, *[0.2] * 8])], change, chart) is not None
