"""How people's verdicts move the prior of "no agent action"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import Assessment, Feedback
from aftershock_collector.impact.competition import NO_AGENT_LOG_ODDS
from aftershock_collector.impact.priors import MOVED_MAX, prior_of


def feedback(
    count: int, assessment: Assessment, probability: float | None = 0.9, first: int = 0
) -> list[Feedback]:
    return [
        Feedback(f"finding {first + n}", assessment, "Ada", "I looked", n, probability)
        for n in range(count)
    ]


def test_nobody_voted_and_nothing_moves() -> None:
    assert (NO_AGENT_LOG_ODDS, 0.0, 0) == (
        prior_of([]).no_agent,
        prior_of([]).moved,
        prior_of([]).feedback,
    )


def test_votes_that_agree_with_the_probabilities_move_nothing() -> None:
    prior = prior_of(
        [*feedback(9, Assessment.AGENT), *feedback(1, Assessment.INFRASTRUCTURE, first=9)]
    )

    assert (10, 9, pytest.approx(9.0)) == (prior.feedback, prior.agent, prior.expected)
    assert pytest.approx(0.0, abs=1e-9) == prior.moved


def test_one_mistake_moves_it_a_little_and_ten_a_lot() -> None:
    one = prior_of(feedback(1, Assessment.INFRASTRUCTURE)).moved
    ten = prior_of(feedback(10, Assessment.COINCIDENCE)).moved

    assert pytest.approx(0.33, abs=0.01) == one
    assert MOVED_MAX == ten
    assert prior_of(feedback(10, Assessment.AGENT)).moved < 0


def test_a_person_may_change_their_mind() -> None:
    twice = [*feedback(1, Assessment.INFRASTRUCTURE), *feedback(1, Assessment.AGENT)]

    assert prior_of(feedback(1, Assessment.AGENT)) == prior_of(twice)


def test_a_vote_on_a_loop_says_nothing_about_impact() -> None:
    assert 0 == prior_of(feedback(5, Assessment.AGENT, None)).feedback


@given(
    st.lists(st.tuples(st.sampled_from(list(Assessment)), st.floats(0, 1)), max_size=200),
)
def test_it_never_moves_further_than_its_bound(reported: list[tuple[Assessment, float]]) -> None:
    given = [
        Feedback(str(n), assessment, "a", "b", n, p) for n, (assessment, p) in enumerate(reported)
    ]

    assert abs(prior_of(given).moved) <= MOVED_MAX


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_one_more_agent_found_guilty_never_speaks_for_nobody(shares: list[float]) -> None:
    guilty = [Feedback(str(n), Assessment.AGENT, "a", "b", n, p) for n, p in enumerate(shares)]
    innocent = [*guilty[:-1], Feedback("0x", Assessment.INFRASTRUCTURE, "a", "b", 99, shares[-1])]

    assert prior_of(guilty).no_agent <= prior_of(innocent).no_agent
