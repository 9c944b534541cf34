"""Which action is blamed for damage that followed it."""

from __future__ import annotations

import pytest

from aftershock.model import Tier
from aftershock_collector.impact import ActionObserver
from tests.collector.impact.blame import CATALOG, CHECKOUT, GATEWAY, ORDERS, no_agent, probability
from tests.collector.impact.scene import S, Scene, at, both, broken, step

HOUR = 3_600.0


@pytest.mark.parametrize("cadence_s", [0.5, 1.0, 5.0, 15.0, 60.0])
def test_what_breaks_after_an_action_is_probably_its_doing_at_any_cadence(cadence_s: float) -> None:
    acted = 120 * cadence_s + 1
    hit = broken([CHECKOUT, GATEWAY], acted + 2 * cadence_s)
    scene = Scene(
        hit,
        cadence_s=cadence_s,
        observer=ActionObserver(observation_window_s=max(10 * cadence_s, 30)),
    )

    impact = scene.play(acted + max(9 * cadence_s, 16), [step("a", acted, CHECKOUT)])["a"]

    assert impact.label == "probable"
    assert probability(impact) >= 0.8
    assert impact.entity == CHECKOUT
    assert impact.change is not None
    assert impact.change.name in {"duration p99", "errors"}
    lead_ns = impact.change.began_at_ns - at(acted)
    assert impact.lead_ns == lead_ns
    assert 0 < lead_ns <= 4 * cadence_s * S


def test_scrapes_that_arrive_together_are_judged_one_after_the_other() -> None:
    """A query each half minute brings six scrapes: damage that lasted is probable at once."""
    scene = Scene(broken([CHECKOUT], 612), cadence_s=5.0, batch=6)

    found = scene.play(650, [step("a", 603, CHECKOUT)])

    assert found["a"].label == "probable"


def test_a_blip_among_scrapes_that_arrive_together_is_not_probable() -> None:
    hit = broken([CHECKOUT], 612)

    def blip(entity: str, metric: str, seconds: float) -> float | None:
        return hit(entity, metric, seconds) if seconds < 619 else 1.0

    found = Scene(blip, cadence_s=5.0, batch=6).play(800, [step("a", 603, CHECKOUT)])

    assert "a" not in found or found["a"].label != "probable"


def test_with_forty_seconds_of_history_at_twice_a_second_a_verdict_is_possible() -> None:
    scene = Scene(
        broken([CHECKOUT], 46), cadence_s=0.5, observer=ActionObserver(observation_window_s=60)
    )

    impact = scene.play(75, [step("a", 41, CHECKOUT)])["a"]

    assert impact.label == "probable"
    assert "only 41 s of history before the action" in impact.missing


def test_damage_that_comes_minutes_after_the_action_is_found_at_a_fast_cadence() -> None:
    scene = Scene(
        broken([CHECKOUT], 400), cadence_s=1.0, observer=ActionObserver(observation_window_s=600)
    )

    impact = scene.play(500, [step("a", 200, CHECKOUT)])["a"]

    assert impact.label == "probable"
    assert impact.lead_ns == 200 * S


def test_a_harmless_action_is_not_blamed() -> None:
    scene = Scene()

    impact = scene.play(3 * HOUR, [step("a", 2.5 * HOUR, CHECKOUT)])["a"]

    assert impact.label == "no metric evidence"
    assert no_agent(impact) > 0.8


@pytest.mark.slow
def test_many_looks_at_a_fast_cadence_make_no_harmless_action_suspected() -> None:
    for seed in range(12):
        scene = Scene(cadence_s=1.0, seed=seed, observer=ActionObserver(observation_window_s=60))
        impact = scene.play(110, [step("a", 45, CHECKOUT)])["a"]
        assert probability(impact) < 0.5


def test_of_two_actions_the_one_on_what_broke_is_blamed_and_the_other_is_not() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))

    impacts = scene.play(
        7_900, [step("a", 7_230, CHECKOUT), step("b", 7_240, CATALOG, run="other")]
    )

    assert impacts["a"].label == "probable"
    assert probability(impacts["b"]) < 0.2
    assert all(alternative.span_id is None for alternative in impacts["a"].alternatives)


def hungry(entity: str, metric: str, seconds: float) -> float | None:
    """From 7,260 s on, checkout uses twice the CPU, and that is all."""
    return 2.0 if (entity, metric) == (CHECKOUT, "cpu") and seconds > 7_260 else 1.0


def test_what_was_given_more_room_and_uses_it_is_not_damaged() -> None:
    def blamed(tier: Tier) -> float:
        acted = step("a", 7_230, CHECKOUT, tier=tier)
        return probability(Scene(hungry).play(7_900, [acted])["a"])

    assert blamed(Tier.PROVISION) < 0.2
    assert blamed(Tier.WRITE) > 0.5


def test_two_actions_on_the_same_target_share_the_blame() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))

    impacts = scene.play(7_900, [step("a", 7_230, CHECKOUT), step("b", 7_240, CHECKOUT)])

    assert 0.3 < probability(impacts["a"]) < 0.7
    assert 0.3 < probability(impacts["b"]) < 0.7


def test_a_destructive_action_is_suspected_before_a_plain_one_on_the_same_target() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    steps = [
        step("plain", 7_230, CHECKOUT),
        step("deletes", 7_231, CHECKOUT, tier=Tier.DESTRUCTIVE),
    ]

    impacts = scene.play(7_900, steps)

    assert probability(impacts["deletes"]) > probability(impacts["plain"])


def test_an_action_with_several_targets_is_judged_on_the_one_that_broke() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))

    impact = scene.play(7_900, [step("a", 7_230, CATALOG, "db/nowhere", CHECKOUT)])["a"]

    assert (impact.label, impact.entity) == ("probable", CHECKOUT)
    assert "nothing is measured on db/nowhere" in impact.missing


def test_work_pushed_onto_a_callee_does_not_excuse_the_action_that_pushed_it() -> None:
    pushed = both(
        broken([CHECKOUT, ORDERS], 7_320),
        broken([ORDERS], 7_260, times=3.0, metrics=["rate"]),
    )

    impact = Scene(pushed).play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.label == "probable"
