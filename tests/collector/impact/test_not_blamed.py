"""What is not blamed, and where nothing can be said."""

from __future__ import annotations

import pytest

from aftershock.model import Tier
from aftershock_collector.impact import ActionObserver
from tests.collector.impact.blame import CHECKOUT, GATEWAY, ORDERS, no_agent, probability
from tests.collector.impact.scene import Factor, Scene, both, broken, step, usual
from tests.evaluation.incidents.classes import Act, Case, Kind
from tests.evaluation.incidents.play import play
from tests.evaluation.incidents.world import Effect


def test_trouble_that_began_before_the_action_is_not_its_doing() -> None:
    scene = Scene(broken([CHECKOUT, GATEWAY], 7_080))

    impact = scene.play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert probability(impact) < 0.2
    assert impact.parts.before > 4


def test_trouble_of_a_callee_explains_trouble_of_its_caller() -> None:
    scene = Scene(broken([ORDERS, CHECKOUT], 7_320))

    impact = scene.play(7_900, [step("a", 7_230, CHECKOUT)])["a"]
    alone = Scene(broken([CHECKOUT], 7_320)).play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.parts.callee > 5
    assert probability(alone) > 0.8
    assert probability(impact) < 0.5
    assert impact.alternatives[0].name == f"trouble that began in {ORDERS}"


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_arrivals_that_are_unusual_by_chance_push_nothing_onto_a_dependency(seed: int) -> None:
    """Found live: over a minute of scrapes each second some round is unusual, and it was paged."""
    effects = tuple(Effect(name, "errors", 12.0, factor=150.0) for name in ("orders", "checkout"))
    case = Case("", Kind.COINCIDENT, (Act("a", "checkout"),), effects, lasts=75.0)

    assert play(case, 1.0, seed).peak["a"] < 0.5


def test_a_dependency_that_goes_wrong_after_its_caller_explains_nothing() -> None:
    scene = Scene(both(broken([CHECKOUT], 7_260), broken([ORDERS], 7_500)))

    impact = scene.play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert probability(impact) > 0.8


def test_a_dependency_that_an_agent_acted_on_did_not_break_by_itself() -> None:
    scene = Scene(broken([ORDERS, CHECKOUT], 7_320))

    played = scene.play(7_900, [step("a", 7_200, CHECKOUT), step("b", 7_230, ORDERS)])

    assert probability(played["b"]) > 0.5
    assert f"trouble that began in {ORDERS}" not in {
        each.name for impact in played.values() for each in impact.alternatives
    }


def test_where_something_that_nobody_touched_breaks_worse_no_agent_is_behind_it() -> None:
    storm = both(
        broken(["db/payments", "service/billing"], 7_260, times=40.0),
        broken([CHECKOUT], 7_320, times=1.5),
    )
    scene = Scene(storm, entities=(*Scene().entities, "db/payments", "service/billing"))

    impact = scene.play(7_900, [step("a", 7_290, CHECKOUT)])["a"]

    assert impact.parts.alternative > 6
    assert no_agent(impact) > probability(impact)
    assert impact.label in {"possible", "no metric evidence"}


def test_what_is_upstream_of_a_target_is_no_rival() -> None:
    impact = Scene(broken([CHECKOUT, GATEWAY], 7_320)).play(7_900, [step("a", 7_230, CHECKOUT)])[
        "a"
    ]

    assert impact.parts.alternative < 5


def test_more_traffic_alone_is_no_damage() -> None:
    scene = Scene(broken([CHECKOUT], 7_320, times=20.0, metrics=["rate"]))

    impact = scene.play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert probability(impact) < 0.5


def test_reads_are_not_watched() -> None:
    scene = Scene()
    scene.observer.open(step("a", 10, CHECKOUT, tier=Tier.READ))

    assert len(scene.observer) == 0


def test_a_target_without_series_says_so_at_once() -> None:
    scene = Scene()

    impact = scene.play(7_300, [step("a", 7_230, "db/nowhere")])["a"]

    assert impact.label == "no metric evidence"
    assert impact.probability is None
    assert impact.missing == ("nothing is measured on db/nowhere",)
    assert impact.charts == ()


def test_with_less_than_ten_points_of_history_there_is_not_enough_data() -> None:
    scene = Scene(broken([CHECKOUT], 540))

    impact = scene.play(900, [step("a", 500, CHECKOUT)])["a"]

    assert (impact.label, impact.probability) == ("not enough data", None)
    assert any("of history before the action" in words for words in impact.missing)


def test_a_target_that_falls_silent_at_the_action_is_neither_innocent_nor_guilty() -> None:
    def silent(entity: str, metric: str, seconds: float) -> float | None:
        return None if entity == CHECKOUT and seconds > 7_230 else usual(entity, metric, seconds)

    impact = Scene(silent).play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.probability is None
    assert impact.missing == (f"nothing arrived from {CHECKOUT} since the action",)


def test_an_action_without_a_target_is_counted_and_not_guessed_about() -> None:
    observed = ActionObserver()
    observed.open(step("a", 10))
    observed.open(step("b", 10, "k8s/shop/*"))
    observed.open(step("c", 10, ended=None))  # its targets may still become known

    assert len(observed) == 0
    assert observed.dropped["action_without_target"] == 2


def test_without_a_topology_the_verdict_says_that_it_is_missing() -> None:
    scene = Scene(broken([CHECKOUT], 7_320), topology={})

    impact = scene.play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.label == "probable"
    assert "which services call each other is not known" in impact.missing


def overloaded(times: float, since: float, *entities: str) -> Factor:
    """More work reaches some entities, and checkout becomes slow with it."""
    return both(
        broken(entities, since, times=times, metrics=["rate"]),
        broken([CHECKOUT], since + 60, times=4.0, metrics=["duration p99"]),
    )


def test_a_service_that_is_slow_under_more_users_is_not_the_work_of_who_just_touched_it() -> None:
    scene = Scene(overloaded(3.0, 7_260, "service/gateway", CHECKOUT))

    impact = scene.play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert (impact.probability or 0.0) < 0.5
    assert impact.alternatives[0].name == f"more traffic than usual reached {CHECKOUT}"


def test_more_work_that_came_from_no_caller_may_have_come_from_the_action() -> None:
    scene = Scene(overloaded(3.0, 7_260, CHECKOUT))

    impact = scene.play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert (impact.probability or 0.0) >= 0.8


def test_where_no_caller_is_known_more_work_is_as_likely_as_the_action() -> None:
    scene = Scene(overloaded(3.0, 7_260, CHECKOUT), topology={})

    impact = scene.play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert 0.4 < (impact.probability or 0.0) < 0.6


def test_users_who_try_again_after_a_failure_are_no_reason_for_it() -> None:
    again = broken(["service/gateway", CHECKOUT], 7_320, times=1.3, metrics=["rate"])
    scene = Scene(both(broken([CHECKOUT], 7_320, times=40.0, metrics=["errors"]), again))

    impact = scene.play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert (impact.probability or 0.0) >= 0.8


@pytest.mark.parametrize("seed", range(3))
def test_a_wave_of_work_that_lasted_one_scrape_is_measured_where_it_was(seed: int) -> None:
    wave = broken(["service/gateway", CHECKOUT], 7_260, 7_320, times=6.0, metrics=["rate"])
    slow = broken([CHECKOUT], 7_260, times=4.0, metrics=["duration p99"])
    scene = Scene(both(wave, slow), seed=seed)

    impact = scene.play(8_500, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.probability is not None
