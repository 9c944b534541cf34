"""A process that an old leak killed is not the work of whoever touched it last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.impact.onset import Onset
from aftershock_collector.impact.trends import died_growing
from aftershock_collector.metrics.series import Family, Series
from tests.evaluation.incidents.classes import Act, Case, Kind
from tests.evaluation.incidents.play import Played, play
from tests.evaluation.incidents.world import Effect

EVERY_S = 15.0
MEMORY = "process_resident_memory_bytes"


def leaking(*, since: float, back: float = 200.0, acted: float = 0.0) -> Played:
    """Memory that grows fivefold from `since` until the process is killed 90 s after the history."""
    dies = 90.0
    effects = (
        Effect("checkout", "memory", since, dies, factor=5.0, shape="ramp"),
        Effect("checkout", "down", dies, back, factor=2.0),
    )
    return play(Case("", Kind.COINCIDENT, (Act("a", "checkout", acted),), effects), EVERY_S, 7)


@pytest.mark.parametrize("back", [200.0, 1e6], ids=["restarted", "stays down"])
def test_a_leak_from_before_the_action_explains_a_process_that_was_killed(back: float) -> None:
    played = leaking(since=-900.0, back=back)

    assert played.peak["a"] < 0.5
    (grown,) = {
        other.name
        for other in played.newest["a"].alternatives
        if other.name.startswith(f"{MEMORY} of service/checkout had grown since before")
    }
    assert grown.endswith("until it died")


def test_a_leak_that_the_action_began_is_its_doing() -> None:
    assert leaking(since=5.0).peak["a"] >= 0.8


def test_whoever_kills_a_process_that_leaks_killed_it() -> None:
    assert leaking(since=-900.0, acted=80.0).peak["a"] >= 0.8


def series(values: list[float]) -> Series:
    times = np.arange(len(values), dtype=np.int64) * 10**9
    return Series("e", MEMORY, Family.RESOURCES, "By", times, np.array(values, np.float32))


def onset(at_s: int) -> Onset:
    return Onset(at_s * 10**9, (at_s - 1) * 10**9, at_s * 10**9, None, 1)


def test_growth_that_goes_on_after_the_damage_killed_nothing() -> None:
    climbing = [100.0 + n for n in range(200)]

    assert died_growing([series(climbing)], 150 * 10**9, onset(160)) is None
    assert died_growing([series(climbing[:160])], 150 * 10**9, onset(160)) == MEMORY
    assert died_growing([series([*climbing[:160], 20.0])], 150 * 10**9, onset(160)) == MEMORY


@given(
    st.lists(st.floats(90.0, 110.0), min_size=1, max_size=120),
    st.integers(0, 130),
    st.integers(1, 130),
)
def test_what_only_wavers_is_no_trend(values: list[float], acted: int, broke: int) -> None:
    assert died_growing([series(values)], acted * 10**9, onset(broke)) is None
