"""What the agent had not read of the trouble it acted into."""

from __future__ import annotations

import pytest

from aftershock.model import Fact, Outcome
from tests.collector.impact.blame import CATALOG, CHECKOUT, ORDERS
from tests.collector.impact.scene import Scene, both, broken, fact, step


def trouble_before() -> Scene:
    return Scene(both(broken([ORDERS], 7_000, times=4.0), broken([CHECKOUT], 7_320)))


def test_trouble_of_a_callee_that_nobody_had_read_is_a_context_gap() -> None:
    impact = trouble_before().play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert len(impact.context_gap) == 1
    words = impact.context_gap[0]
    assert words.startswith("db/orders ")
    assert "was already" in words
    assert "for 4 min" in words


@pytest.mark.parametrize("subject", [ORDERS, "orders"])
def test_trouble_that_the_agent_had_read_is_no_gap(subject: str) -> None:
    impact = trouble_before().play(7_900, [step("a", 7_230, CHECKOUT)], [fact(subject, 7_200)])["a"]

    assert impact.context_gap == ()


@pytest.mark.parametrize(
    "known",
    [fact(ORDERS, 3_600), fact(ORDERS, 7_200, Outcome.FAILED), fact(CATALOG, 7_200)],
    ids=["read before it began", "the read failed", "read about something else"],
)
def test_a_read_that_could_not_show_it_leaves_the_gap(known: Fact) -> None:
    impact = trouble_before().play(7_900, [step("a", 7_230, CHECKOUT)], [known])["a"]

    assert len(impact.context_gap) == 1


def test_a_quiet_neighbourhood_leaves_no_gap() -> None:
    for seed in range(10):
        scene = Scene(broken([CHECKOUT], 7_320), seed=seed)
        assert scene.play(7_500, [step("a", 7_230, CHECKOUT)])["a"].context_gap == ()
