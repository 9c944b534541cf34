"""onset: when damage began, how sure that is, and what has no such moment."""

from __future__ import annotations

import numpy as np
import pytest

from aftershock_collector.impact.onset import Onset, onset_of
from aftershock_collector.metrics.series import Family, Series

EVERY_NS = 15 * 10**9
ACTED = 100  # the point after which the action was


def found(shape: np.ndarray, seed: int = 1, noise: float = 1.0) -> Onset | None:
    """The onset in a series that is so many scales off after the action."""
    random = np.random.default_rng(seed)
    values = np.concatenate([np.zeros(ACTED + 1), shape]) + random.normal(
        0, noise, ACTED + 1 + len(shape)
    )
    times = np.arange(len(values), dtype=np.int64) * EVERY_NS
    series = Series("service/cart", "p99", Family.LATENCY, "s", times, values.astype(np.float32))
    return onset_of(series, ACTED * EVERY_NS, 0.0, 1.0)


@pytest.mark.parametrize("lag", [0, 4, 40])
def test_a_step_is_dated_to_the_scrape(lag: int) -> None:
    for seed in range(20):
        onset = found(np.r_[np.zeros(lag), np.full(20, 8.0)], seed)

        assert onset is not None
        assert onset.began_ns == (ACTED + 1 + lag) * EVERY_NS
        assert onset.is_sharp(EVERY_NS)


def test_slow_growth_is_dated_to_a_range_and_not_to_where_it_left_the_band() -> None:
    covered = 0
    for seed in range(20):
        onset = found(np.r_[np.zeros(10), np.arange(60) * 0.08], seed)

        assert onset is not None
        assert not onset.is_sharp(EVERY_NS)
        covered += onset.low_ns <= (ACTED + 11) * EVERY_NS <= onset.high_ns
    assert covered >= 17


def test_what_never_left_its_band_has_no_onset() -> None:
    assert found(np.zeros(30), noise=0.5) is None


def test_what_grew_and_came_back_is_no_growth() -> None:
    onset = found(np.r_[np.arange(20) * 0.5, np.zeros(10)])

    assert onset is not None
    assert onset.ended_ns is not None
