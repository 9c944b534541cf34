"""stretches: a series cut at the moment of an action, averaged where points come too fast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.impact.segments import Cut, floors, newest_of
from aftershock_collector.metrics.series import Family, Series
from tests.collector.impact.cuts import cut

S = 1_000_000_000


def series(
    points: int, every_s: float = 60.0, *, unit: str = "s", family: Family = Family.LATENCY
) -> Series:
    times = (np.arange(points) * every_s * S).astype(np.int64)
    return Series("service/cart", "p99", family, unit, times, np.arange(points, dtype=np.float32))


def made(points: int, acted: float, now: float, every_s: float = 60.0) -> Cut:
    whole = series(points, every_s)
    part = cut(whole, round(acted * S), round(now * S))
    assert part is not None
    return part


def test_a_point_at_the_time_of_the_action_came_before_it() -> None:
    part = made(100, acted=50 * 60, now=55 * 60)

    assert part.history[-1] == 50
    assert part.post.tolist() == [51, 52, 53, 54, 55]
    assert (part.cadence_ns, part.group) == (60 * S, 1)


def test_points_after_now_are_not_looked_at() -> None:
    assert made(100, acted=3_000, now=3_100).post.tolist() == [51]


def test_fast_points_are_averaged_down_and_no_group_straddles_the_action() -> None:
    part = made(1_000, acted=899.5, now=999, every_s=1.0)

    assert part.group == 8  # 100 points after the action: 12 groups of 8, and 4 that are left out
    assert len(part.post) == 12
    assert part.post[-1] == np.mean(range(992, 1_000))
    assert part.history[-1] == np.mean(range(892, 900))
    assert part.history_ns[-1] == 899 * S
    assert part.post[0] > 899


def test_averaging_never_eats_the_history() -> None:
    part = made(160, acted=39.5, now=159, every_s=1.0)

    assert part.group == 2  # 8 would leave five groups of history
    assert len(part.history) == 20
    assert len(part.post) == 20
    assert part.post[-1] == 158.5


def test_a_series_that_began_after_the_action_has_nothing_to_compare_with() -> None:
    assert cut(series(10), -1, 10**12) is None


def test_a_series_that_missed_its_last_points_is_silent() -> None:
    assert newest_of([series(50)], (2_940 + 4 * 60) * S).silent[0]
    assert not newest_of([series(50)], (2_940 + 2 * 60) * S).silent[0]


@pytest.mark.parametrize(
    ("family", "unit", "expected"),
    [
        (Family.LATENCY, "s", (0.10, 1e-9)),
        (Family.RESOURCES, "1", (0.10, 1e-9)),
        (Family.RESOURCES, "By", (0.05, 1e-9)),
        (Family.RESOURCES, "{connection}", (0.10, 1.0)),
        (Family.RESOURCES, "{cpu}", (0.10, 1e-9)),
        (Family.RESOURCES, "{item}/s", (0.10, 1e-9)),
        (Family.ERRORS, "1", (0.10, 0.005)),
        (Family.ERRORS, "%", (0.10, 0.5)),
        (Family.ERRORS, "{error}/s", (0.10, 0.05)),
    ],
)
def test_movements_that_matter_to_nobody_are_under_the_floor(
    family: Family, unit: str, expected: tuple[float, float]
) -> None:
    assert floors(series(3, unit=unit, family=family)) == pytest.approx(expected)


def test_one_error_more_in_an_interval_is_under_the_floor() -> None:
    errors = series(3, unit="{error}/s", family=Family.ERRORS)

    assert floors(errors, 15 * S) == pytest.approx((0.10, 1 / 15))
    assert floors(errors, S) == pytest.approx((0.10, 1.0))


@given(
    st.integers(2, 400),
    st.floats(0.5, 60.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_sizes_are_bounded_whatever_the_cadence(
    points: int, every_s: float, acted: float, scored: float
) -> None:
    whole = series(points, every_s)
    effect_ns = int(whole.times_ns[-1] * acted)
    part = cut(whole, effect_ns, effect_ns + int(whole.times_ns[-1] * scored))

    assert part is not None
    assert len(part.post) <= 20
    assert len(part.history) == len(part.history_ns) <= 200
    assert part.group == 1 or len(part.history) >= 20
    assert np.all(np.diff(part.history_ns) > 0)
    assert int(part.history_ns[-1]) <= effect_ns
