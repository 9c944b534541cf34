"""Several incidents at once, second incidents, and a restart in the middle of one."""

from __future__ import annotations

import pytest

from aftershock.model import Change, ChangeKind
from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.series import Family, SeriesStore
from tests.collector.impact.scene import SHOP, Scene, at, both, broken, step

CHECKOUT, CATALOG, ORDERS = "service/checkout", "service/catalog", "db/orders"
HOUR = 3_600.0


def test_two_culprits_on_two_targets_are_each_found() -> None:
    scene = Scene(both(broken([CHECKOUT], 7_320), broken([CATALOG], 7_380)))

    impacts = scene.play(8_000, [step("a", 7_230, CHECKOUT), step("b", 7_290, CATALOG, run="two")])

    assert min(impact.probability or 0.0 for impact in impacts.values()) >= 0.8


def test_a_second_incident_is_found_as_fast_as_the_first() -> None:
    def rounds_until_probable(hit: Scene, span: str, broke: float) -> float:
        shown = [i for i in hit.reported if i.span_id == span and (i.probability or 0.0) >= 0.8]
        return (shown[0].judged_at_ns - at(broke)) / 60e9

    scene = Scene(both(broken([CHECKOUT], 7_320), broken([CATALOG], 7_560)))
    scene.play(8_400, [step("a", 7_270, CHECKOUT), step("b", 7_510, CATALOG, run="two")])

    first = rounds_until_probable(scene, "a", 7_320)
    assert abs(rounds_until_probable(scene, "b", 7_560) - first) <= 1


def test_a_restart_in_an_incident_takes_nothing_back() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_700, [step("a", 7_230, CHECKOUT)])
    (before,) = scene.observer.snapshot(scene.store, scene.topology, at(7_700)).actions

    scene.restart(7_700)

    assert scene.score(7_705) == []
    assert len(scene.observer) == 1
    (kept,) = scene.observer.snapshot(scene.store, scene.topology, at(7_705)).actions
    assert kept.best is not None
    assert (kept.best.probability or 0.0) >= 0.8
    assert kept == before


def test_after_a_restart_a_dependency_that_broke_by_itself_is_still_the_rival() -> None:
    """Found live: without its history only the action was left to explain the damage."""
    scene = Scene(broken([ORDERS, CHECKOUT], 7_320))
    scene.play(7_500, [step("a", 7_230, CHECKOUT)])

    scene.restart(7_500)
    impact = scene.play(7_900, since_s=7_560)["a"]

    assert impact.alternatives[0].name == f"trouble that began in {ORDERS}"
    assert (impact.probability or 0.0) < 0.5


def test_after_a_restart_trouble_that_nobody_touched_still_speaks_for_the_agent() -> None:
    others = ("db/payments", "service/billing")
    storm = both(broken(others, 7_260, times=40.0), broken([CHECKOUT], 7_320, times=1.5))
    scene = Scene(storm, entities=(*SHOP, *others))
    scene.play(7_500, [step("a", 7_290, CHECKOUT)])

    scene.restart(7_500)
    impact = scene.play(7_900, since_s=7_560)["a"]

    assert impact.parts.alternative > 6
    assert (impact.probability or 0.0) < 0.5


def test_a_blip_is_not_paged_and_a_settling_release_neither() -> None:
    blip = Scene(broken([CHECKOUT], 602, 608, times=20.0), cadence_s=1.0)
    blip.play(640, [step("a", 600, CHECKOUT)])

    assert max((i.probability or 0.0 for i in blip.reported), default=0.0) < 0.8


def test_trouble_that_a_person_looked_at_is_not_usual_whoever_was_behind_it() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    impact = scene.play(7_700, [step("a", 7_230, CHECKOUT)])["a"]
    fresh = ActionObserver()

    fresh.assessed(impact, at(7_800))

    ((began_ns, ended_ns),) = fresh.troubles.by_entity()[CHECKOUT]
    assert abs(began_ns - at(7_320)) <= 60 * 10**9
    assert ended_ns == at(7_800)


def test_more_work_explains_more_use_of_resources() -> None:
    def held(arrivals: float) -> float:
        """The surest round after CPU time doubled, with so many times the usual arrivals."""
        store, observer = SeriesStore(), ActionObserver()
        observer.open(step("a", 7_230, CHECKOUT))
        for second in range(0, 7_800, 60):
            later = second >= 7_320
            noise = 1.0 + 0.02 * ((second // 60 * 7) % 11 - 5) / 5
            rate, cpu = 40.0 * noise, 0.4 * noise
            store.append(
                CHECKOUT, "rate", Family.TRAFFIC, "{request}/s", at(second),
                rate * arrivals if later else rate,
            )  # fmt: skip
            store.append(
                CHECKOUT, "cpu", Family.RESOURCES, "1", at(second), cpu * 2 if later else cpu
            )
            if second > 7_230:
                observer.score(at(second) + 1, store, {})
        (kept,) = observer.snapshot(store, {}, at(7_800)).actions
        return kept.held.maximum

    assert held(1.0) > 0.9
    assert held(2.0) < 0.2


@pytest.mark.parametrize("cadence_s", [5.0, 15.0])
def test_an_incident_of_others_makes_nobody_immune_a_few_minutes_later(cadence_s: float) -> None:
    """Found live: what a deploy had broken counted as usual, and the deploy was blamed again."""
    first = broken([CHECKOUT], 1_802, 1_860, times=40.0, metrics=["errors"])
    second = broken([CHECKOUT], 2_102, times=40.0, metrics=["errors"])
    scene = Scene(both(first, second), cadence_s)
    scene.play(1_800 - cadence_s)
    deploy = Change("d", ChangeKind.DEPLOY, CHECKOUT, "2.1 by CI", at(1_799))
    scene.observer.on_change(deploy)

    steps = [step("a", 1_796, CHECKOUT), step("b", 2_100, CHECKOUT, run="two")]
    scene.play(2_300, steps, since_s=1_800)

    peaks = {
        span: max(i.strength for i in scene.reported if i.span_id == span) for span in ("a", "b")
    }
    assert peaks["a"] < 0.5
    assert peaks["b"] >= 0.8
