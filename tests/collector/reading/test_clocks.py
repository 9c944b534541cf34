"""What a sender dates into the future happened when it arrived; an honest wrong clock stays."""

from __future__ import annotations

import pytest

from aftershock.model import Step, StepKind
from aftershock_collector.reading.clocks import grounded

S = 10**9
NOW = 1_790_000_000 * S
HOUR = 3_600 * S


def step(began_ns: int, ended_ns: int | None) -> Step:
    return Step("run", "span", StepKind.TOOL_CALL, "get", began_ns, ended_ns)


@pytest.mark.parametrize("ahead_ns", [25 * HOUR, 365 * 24 * HOUR, 2**62 - NOW - S])
def test_p28_a_step_of_the_far_future_is_moved_to_its_arrival(ahead_ns: int) -> None:
    moved = grounded(step(NOW + ahead_ns, NOW + ahead_ns + S), NOW)
    still_open = grounded(step(NOW + ahead_ns, None), NOW)

    assert (moved.began_at_ns, moved.ended_at_ns) == (NOW - S, NOW)
    assert (still_open.began_at_ns, still_open.ended_at_ns) == (NOW, None)


def test_p28_an_end_of_the_far_future_is_no_later_than_its_arrival() -> None:
    moved = grounded(step(NOW - 5 * S, NOW + 1_000 * 24 * HOUR), NOW)

    assert moved.ended_at_ns == NOW
    assert moved.began_at_ns <= NOW


@pytest.mark.parametrize("ahead_ns", [-365 * 24 * HOUR, -S, 0, S, 14 * HOUR])
def test_a_recording_and_a_wrong_time_zone_keep_their_times(ahead_ns: int) -> None:
    given = step(NOW + ahead_ns, NOW + ahead_ns)

    assert grounded(given, NOW) is given
