"""placebos: surprise in nats, from the same statistic at earlier times of the same series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock_collector.impact.placebos import (
    BASELINE_POINTS,
    Stack,
    baselines,
    fit,
    nats,
    views,
)


def table(*rows: np.ndarray, skipped: np.ndarray | None = None, floor: float = 0.1) -> Stack:
    """Rows of different lengths, aligned at their newest point."""
    width = max(len(row) for row in rows)
    history = np.full((len(rows), width), np.inf, np.float32)
    for number, row in enumerate(rows):
        history[number, width - len(row) :] = row
    return Stack(
        history,
        np.array([len(row) for row in rows]),
        np.full((len(rows), 1), floor, np.float32),
        np.full((len(rows), 1), 1e-9, np.float32),
        np.zeros(history.shape, np.bool_) if skipped is None else skipped,
    )


def surprises(stack: Stack, post: np.ndarray) -> np.ndarray:
    """Nats of the points after each history."""
    base = baselines(stack)
    seen = views(post.astype(np.float32), base.median[:, -1], base.scale[:, -1])
    return nats(fit(stack, base, post.shape[1]), seen.astype(np.float64))


def surprise(history: np.ndarray, post: list[float], skipped: np.ndarray | None = None) -> float:
    return float(surprises(table(history, skipped=skipped), np.array([post]))[0])


def noise(points: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).gamma(25.0, 0.008, points)  # about 0.2, spread 0.04


def test_the_baseline_is_the_median_and_the_scaled_median_deviation_of_what_came_before() -> None:
    history = noise(100)
    found = baselines(table(history, floor=0.0))
    before = history[-BASELINE_POINTS:].astype(np.float32)
    median = np.median(before)

    assert found.median[0, -1] == pytest.approx(median, rel=1e-5)
    assert found.scale[0, -1] == pytest.approx(
        1.4826 * np.median(np.abs(before - median)), rel=1e-4
    )


def test_the_scale_of_a_constant_is_its_floor() -> None:
    found = baselines(table(np.full(60, 2.0)))

    assert found.scale[0, -1] == pytest.approx(0.2)


def test_padding_is_no_history() -> None:
    long, short = noise(200), noise(40, seed=2)
    together, alone = baselines(table(long, short)), baselines(table(short))

    assert together.median[1, -1] == alone.median[0, -1]
    assert together.scale[1, -20] == alone.scale[0, -20]


def test_a_usual_stretch_is_no_surprise_and_a_large_shift_is_a_great_one() -> None:
    history = noise(270)

    assert surprise(history, noise(5, seed=9).tolist()) < 3
    assert surprise(history, [1.0] * 5) > 9


def test_a_burst_that_the_series_has_often_had_is_no_surprise() -> None:
    calm, stormy = noise(270), noise(270)
    stormy[::15] = 2.0

    assert surprise(stormy, [0.2, 2.0, 0.2]) < 4 < surprise(calm, [0.2, 2.0, 0.2])


def test_falling_is_never_trouble() -> None:
    assert surprise(noise(270), [0.001] * 5) < 1


def test_no_history_makes_impossible_what_was_never_seen() -> None:
    assert surprise(np.full(270, 0.2), [1e6] * 5) < 30  # a p of 1e-12 is where belief ends


def test_history_makes_a_great_shift_surer() -> None:
    def mean(points: int) -> float:
        return float(np.mean([surprise(noise(points, seed), [5.0] * 3) for seed in range(20)]))

    assert 6 < mean(15) < mean(270) - 1


def test_what_followed_a_recorded_action_is_no_placebo() -> None:
    history = noise(270)
    history[200:205] = 3.0
    skipped = np.zeros((1, 270), np.bool_)
    skipped[0, 200:205] = True

    assert surprise(history, [3.0] * 5, skipped=skipped) > surprise(history, [3.0] * 5) + 1


def test_what_followed_a_recorded_action_is_not_the_usual_either() -> None:
    history = np.full(270, 0.2)
    history[-18:] = 1.0
    skipped = np.zeros((1, 270), np.bool_)
    skipped[0, -18:] = True
    stack = table(history, skipped=skipped)

    assert baselines(stack).median[0, -1] == pytest.approx(0.2)
    assert baselines(table(history)).median[0, -1] == pytest.approx(1.0)


def test_where_everything_followed_an_action_the_baseline_is_taken_from_all_of_it() -> None:
    history = noise(60)
    skipped = np.ones((1, 60), np.bool_)

    assert baselines(table(history, skipped=skipped)).median[0, -1] == pytest.approx(
        baselines(table(history)).median[0, -1]
    )


def test_rows_are_scored_each_by_itself() -> None:
    rows = [noise(270, seed=n) for n in range(5)]
    posts = [[0.2 + 0.2 * n] * 4 for n in range(5)]
    together = surprises(table(*rows), np.array(posts))

    for number, (row, post) in enumerate(zip(rows, posts, strict=True)):
        assert together[number] == pytest.approx(surprise(row, post), rel=1e-5)


def test_p_values_of_noise_are_what_they_say() -> None:
    """A surprise of 3 nats (p .05) comes about one time in twenty, and not far from it."""
    random = np.random.default_rng(5)
    stack = table(*[random.gamma(4.0, 1.0, 270) for _ in range(2_000)])
    found = surprises(stack, random.gamma(4.0, 1.0, (2_000, 4)))

    assert 0.02 <= float(np.mean(found >= 3.0)) <= 0.07
    assert float(np.mean(found >= 6.9)) <= 0.003


values = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=80, deadline=None)
@given(st.lists(values, min_size=1, max_size=80), st.lists(values, min_size=1, max_size=20))
def test_whatever_the_numbers_nats_are_finite_and_bounded(
    history: list[float], post: list[float]
) -> None:
    found = surprise(np.array(history), post)

    assert 0.0 <= found <= 28.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.125, 10, width=32), min_size=60, max_size=80),
    st.lists(st.floats(0.125, 10, width=32), min_size=3, max_size=8),
    st.floats(1.0, 20.0),
)
def test_a_larger_movement_is_never_a_smaller_surprise(
    history: list[float], post: list[float], more: float
) -> None:
    assert (
        surprise(np.array(history), [p + more for p in post])
        >= surprise(np.array(history), post) - 1e-9
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_the_unit_of_a_series_does_not_matter(seed: int, factor: float) -> None:
    history, post = noise(120, seed), noise(4, seed + 1) * 2

    assert surprise(history * factor, (post * factor).tolist()) == pytest.approx(
        surprise(history, post.tolist()), rel=0.02, abs=0.02
    )
