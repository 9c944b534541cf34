"""competition: actions compete with each other and with "no agent action"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import Parts, Tier
from aftershock_collector.impact.competition import compete, label, net


def parts(own: float, before: float = 0.0, callee: float = 0.0, alternative: float = 0.0) -> Parts:
    return Parts(own=own, before=before, callee=callee, alternative=alternative)


def test_evidence_is_what_is_left_after_trouble_before_and_trouble_of_a_callee() -> None:
    assert net(parts(10)) == 10
    assert net(parts(10, before=2)) == 10
    assert net(parts(10, before=7)) == pytest.approx(6.0)
    assert net(parts(10, callee=12.5)) == pytest.approx(7.0)
    assert net(parts(40)) == 15


def test_without_evidence_nobody_is_the_likeliest() -> None:
    shares = compete([(0.0, Tier.WRITE)], alternative=0.0)

    assert shares.nobody > 0.9
    assert label(shares.candidates[0]) == "no metric evidence"


def test_a_strong_rival_makes_an_action_less_likely() -> None:
    alone = compete([(9.0, Tier.WRITE)], alternative=0.0).candidates[0]

    assert compete([(9.0, Tier.WRITE)], alternative=10.0).candidates[0] < alone


def test_risk_counts() -> None:
    shares = compete(
        [(5.0, Tier.READ), (5.0, Tier.WRITE), (5.0, Tier.DESTRUCTIVE)], alternative=0.0
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
    assert label(probability) == expected


nats = st.floats(-30, 30)
candidates = st.lists(st.tuples(nats, st.sampled_from(list(Tier))), max_size=20)


@given(candidates, nats)
def test_shares_are_probabilities(entered: list[tuple[float, Tier]], alternative: float) -> None:
    shares = compete(entered, alternative)

    assert len(shares.candidates) == len(entered)
    assert sum(shares.candidates) + shares.nobody == pytest.approx(1.0)
    assert all(0 <= share <= 1 for share in shares.candidates)


@given(candidates, nats, nats, st.floats(0, 10))
def test_more_evidence_never_makes_an_action_less_likely(
    others: list[tuple[float, Tier]], alternative: float, own: float, more: float
) -> None:
    less = compete([(own, Tier.WRITE), *others], alternative).candidates[0]

    assert compete([(own + more, Tier.WRITE), *others], alternative).candidates[0] >= less - 1e-12
