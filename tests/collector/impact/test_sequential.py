"""sequential: what is shown held over consecutive rounds; the maximum only ranks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.impact.sequential import Held, held

S = 1_000_000_000


def after(probabilities: Sequence[float], every_s: float = 5.0, hold_s: float = 8.0) -> Held:
    """The state after rounds with these probabilities."""
    state = Held()
    for number, probability in enumerate(probabilities):
        state = held(state, round(number * every_s * S), probability, hold_s=hold_s)
    return state


def test_one_round_alone_is_possible_at_most() -> None:
    assert 0.2 < after([0.99]).shown < 0.5
    assert after([0.6]).shown < 0.2
    assert after([0.99, 0.99]).shown > 0.5


def test_a_blip_of_six_seconds_is_never_paged() -> None:
    every_second = after([0.01] * 5 + [0.99] * 6 + [0.01] * 5, every_s=1.0)
    at_the_end_of_it = after([0.01] * 5 + [0.99] * 6, every_s=1.0)

    assert at_the_end_of_it.shown < 0.8
    assert every_second.shown < 0.1
    assert every_second.maximum == 0.99


def test_damage_that_lasts_is_paged_after_three_rounds() -> None:
    assert after([0.99, 0.99], every_s=60).shown < 0.8
    assert after([0.99, 0.99, 0.99], every_s=60).shown >= 0.8


def test_a_release_has_to_hold_for_longer() -> None:
    assert after([0.99] * 6, every_s=5, hold_s=60).shown < 0.8
    assert after([0.99] * 14, every_s=5, hold_s=60).shown >= 0.8


def test_damage_that_is_fading_is_not_paged_yet() -> None:
    state = after([0.99, 0.99], every_s=15)

    assert held(state, 60 * S, 0.99, settling=True).shown < 0.8
    assert held(state, 60 * S, 0.99).shown >= 0.8


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_what_is_suspected_was_reached_by_two_rounds_in_a_row(rounds: list[float]) -> None:
    pairs = [min(pair) for pair in pairwise(rounds)]

    assert after(rounds).shown <= max([*pairs, 0.49])
