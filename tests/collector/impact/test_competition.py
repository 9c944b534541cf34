"""competition: actions compete with each other and with "no agent action"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.grade import Grade, grade_of
from aftershock.model import Parts, Tier
from aftershock_collector.impact.competition import Candidate, compete, net


def parts(own: float, before: float = 0.0, callee: float = 0.0, alternative: float = 0.0) -> Parts:
    return Parts(own=own, before=before, callee=callee, alternative=alternative)


def test_evidence_is_what_is_left_after_trouble_before_and_trouble_of_a_callee() -> None:
    assert net(parts(10)) == 10
    assert net(parts(10, before=2)) == 10
    assert net(parts(10, before=7)) == pytest.approx(6.0)
    assert net(parts(10, callee=12.5)) == pytest.approx(7.0)
    assert net(parts(40)) == 15


def test_without_evidence_nobody_is_the_likeliest() -> None:
    shares = compete([Candidate(0.0, Tier.WRITE)], alternative=0.0)

    assert shares.no_agent > 0.9
    assert grade_of(shares.candidates[0]) is Grade.NO_EVIDENCE


def test_a_strong_rival_makes_an_action_less_likely() -> None:
    alone = compete([Candidate(9.0, Tier.WRITE)], alternative=0.0).candidates[0]

    assert compete([Candidate(9.0, Tier.WRITE)], alternative=10.0).candidates[0] < alone


def test_risk_counts() -> None:
    shares = compete(
        [Candidate(5.0, tier) for tier in (Tier.READ, Tier.WRITE, Tier.DESTRUCTIVE)],
        alternative=0.0,
    ).candidates

    assert list(shares) == sorted(shares)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.95, "probable"),
        (0.8, "probable"),
        (0.79, "suspected"),
        (0.5, "suspected"),
        (0.49, "possible"),
        (0.2, "possible"),
        (0.19, "no metric evidence"),
    ],
)
def test_labels_have_fixed_limits(probability: float, expected: str) -> None:
    assert grade_of(probability) == expected


nats = st.floats(-30, 30)
odds = st.floats(-5, 5)
candidates = st.lists(
    st.builds(Candidate, nats, st.sampled_from(list(Tier)), log_odds=odds), max_size=20
)


@given(candidates, nats)
def test_shares_are_probabilities(entered: list[Candidate], alternative: float) -> None:
    shares = compete(entered, alternative)

    assert len(shares.candidates) == len(entered)
    assert sum(shares.candidates) + shares.no_agent == pytest.approx(1.0)
    assert all(0 <= share <= 1 for share in shares.candidates)


@given(candidates, nats, nats, st.floats(0, 10))
def test_more_evidence_never_makes_an_action_less_likely(
    others: list[Candidate], alternative: float, own: float, more: float
) -> None:
    less = compete([Candidate(own, Tier.WRITE), *others], alternative).candidates[0]

    assert (
        compete([Candidate(own + more, Tier.WRITE), *others], alternative).candidates[0]
        >= less - 1e-12
    )


def test_the_sooner_damage_follows_an_action_the_likelier_it_is_the_reason() -> None:
    shares = compete(
        [Candidate(9.0, Tier.WRITE, lag_s=10.0), Candidate(9.0, Tier.WRITE, lag_s=500.0)], 0.0
    )

    assert shares.candidates[0] > shares.candidates[1] > 0.1


def test_damage_elsewhere_that_another_action_explains_counts_less_than_unexplained_damage() -> (
    None
):
    acted = [Candidate(9.0, Tier.WRITE)]

    assert compete(acted, 0.0, elsewhere=15.0).no_agent < compete(acted, 15.0).no_agent
