"""Several agents' actions that may be behind one degradation: one page, and nobody blamed alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from aftershock.model import Tier
from aftershock_collector.wording import judgement
from tests.collector.impact.scene import Scene, at, both, broken, step

CHECKOUT = "service/checkout"
PAGED, WARNED = 0.8, 0.5


def three_actions(until: float, *, seed: int, cadence_s: float = 1.0) -> Scene:
    """Three agents act within seconds, and the service that they acted on is broken for a while."""
    scene = Scene(broken([CHECKOUT], 602, until), cadence_s=cadence_s, seed=seed)
    steps = [step(str(n), 596 + 2 * n, CHECKOUT, run=str(n)) for n in range(3)]
    scene.play(until + 100, steps)
    return scene


def paged(scene: Scene) -> list[str]:
    """Who stood for all, in the order of the reports."""
    spans = [impact.span_id for impact in scene.reported if impact.strength >= PAGED]
    return list(dict.fromkeys(spans))


def test_several_agents_on_one_target_are_nearly_certain_together() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))

    impacts = scene.play(8_000, [step(str(n), 7_230 + n, CHECKOUT, run=str(n)) for n in range(3)])

    assert max(impact.probability or 0.0 for impact in impacts.values()) < WARNED
    (leader,) = [impact for impact in impacts.values() if impact.any_agent is not None]
    assert leader.strength >= PAGED
    assert paged(scene) == [leader.span_id]
    assert judgement(leader).startswith(
        "One of 3 agent actions probably degraded service/checkout, likeliest sre-bot's change_"
    )


def test_a_blip_after_the_actions_of_several_agents_is_not_paged() -> None:
    blip = Scene(broken([CHECKOUT], 602, 608, times=20.0), cadence_s=1.0)

    blip.play(640, [step(str(n), 598 + n, CHECKOUT, run=str(n)) for n in range(3)])

    assert max((impact.strength for impact in blip.reported), default=0.0) < PAGED


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("until", [640.0, 700.0])
def test_one_page_stands_for_all_until_the_service_recovered(seed: int, until: float) -> None:
    scene = three_actions(until, seed=seed)

    (leader,) = paged(scene)
    shown = [impact for impact in scene.reported if impact.span_id == leader]
    first = next(n for n, impact in enumerate(shown) if impact.strength >= PAGED)
    ends = next(n for n, impact in enumerate(shown) if impact.recovered_at_ns is not None)
    assert min(impact.strength for impact in shown[first:ends]) >= PAGED
    assert all(impact.recovered_at_ns is not None for impact in shown[ends:])
    assert abs((shown[ends].recovered_at_ns or 0) - at(until)) <= 2e9


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("apart_s", [4.0, 60.0, 100.0])
def test_nobody_becomes_likelier_because_the_window_of_a_rival_ended(
    apart_s: float, seed: int
) -> None:
    """Found by simulation: an innocent action had 99 % ten minutes into a lasting outage."""
    scene = Scene(broken([CHECKOUT], 1_002), cadence_s=2.0, seed=seed)

    scene.play(1_700, [step("a", 998 - apart_s, CHECKOUT, run="a"), step("c", 998, CHECKOUT)])

    last = [i for i in scene.reported if i.judged_at_ns >= at(1_500) and i.alternatives]
    assert all(any(other.span_id for other in impact.alternatives) for impact in last)
    for span in ("a", "c"):
        shown = [impact.probability or 0.0 for impact in scene.reported if impact.span_id == span]
        assert all(later < 0.9 or later - before < 0.2 for before, later in pairwise(shown))


@pytest.mark.parametrize("seed", range(2))
def test_a_second_incident_is_led_by_those_who_acted_after_the_first_was_over(seed: int) -> None:
    hit = both(broken([CHECKOUT], 602, 660), broken([CHECKOUT], 902, 1_500))
    scene = Scene(hit, cadence_s=2.0, seed=seed)
    first = [step(span, 596 + 2 * n, CHECKOUT, run=span) for n, span in enumerate("abc")]
    second = [step(span, 896 + 2 * n, CHECKOUT, run=span) for n, span in enumerate("def")]

    scene.play(1_000, [*first, *second])

    earlier = [i for i in scene.reported if i.strength >= PAGED and i.span_id in "abc"]
    later = [i for i in scene.reported if i.strength >= PAGED and i.span_id in "def"]
    assert len({i.span_id for i in earlier}) == len({i.span_id for i in later}) == 1
    assert max(i.judged_at_ns for i in earlier) <= at(910)
    assert min(i.judged_at_ns for i in later) <= at(920)


def test_one_of_several_that_stands_out_later_is_paged_by_its_own() -> None:
    scene = Scene(broken([CHECKOUT], 602), cadence_s=1.0)

    scene.play(900, [step("a", 480, CHECKOUT, run="a"), step("c", 601, CHECKOUT, tier=Tier.WRITE)])

    assert paged(scene)[-1] == "c"
