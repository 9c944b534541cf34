"""A failure that many entities share at one moment is nobody's single action."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from aftershock.model import Impact, Step
from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.series import Family, SeriesStore
from tests.collector.impact.blame import probability
from tests.collector.impact.scene import Scene, at, broken, step

SERVICES = tuple(f"service/s{number}" for number in range(14))
CADENCE_S = 15.0
ACTED_S = 1_805.0
DOWN_S = 1_830.0

Down = Callable[[str, float], bool]


def stop(entities: Iterable[str], since: float, until: float = 1e9, *, spread: float = 0.0) -> Down:
    """These stop answering, one after the other within `spread` seconds."""
    order = {entity: number for number, entity in enumerate(entities)}

    def down(entity: str, seconds: float) -> bool:
        number = order.get(entity)
        if number is None:
            return False
        return since + spread * number / len(order) <= seconds < until

    return down


def scraped(
    down: Down,
    steps: Iterable[Step],
    *,
    topology: dict[str, list[str]] | None = None,
    entities: tuple[str, ...] = SERVICES,
    until_s: float = 1_935.0,
    errors_since: dict[str, float] | None = None,
) -> dict[str, list[Impact]]:
    """Every attribution of each action that was reported while the entities were scraped."""
    random = np.random.default_rng(3)
    observer, store = ActionObserver(), SeriesStore()
    waiting = sorted(steps, key=lambda each: each.began_at_ns)
    reported: dict[str, list[Impact]] = {}
    seconds = 0.0
    while seconds <= until_s:
        for number, entity in enumerate(entities):
            here = seconds + number * CADENCE_S / len(entities) / 2  # each at its own time
            gone = down(entity, here)
            store.append(entity, "up", Family.ERRORS, "1", at(here), float(gone))
            failing = here >= (errors_since or {}).get(entity, 1e9)
            share = abs(float(random.normal(0.002, 0.001))) + (0.3 if failing else 0.0)
            if not gone:
                store.append(entity, "errors", Family.ERRORS, "1", at(here), share)
        while waiting and waiting[0].began_at_ns <= at(seconds + CADENCE_S):
            observer.open(waiting.pop(0))
        for impact in observer.score(at(seconds + CADENCE_S * 0.9), store, topology or {}):
            reported.setdefault(impact.span_id, []).append(impact)
        seconds += CADENCE_S
    return reported


def worst(reported: list[Impact]) -> float:
    return max(probability(impact) for impact in reported)


def explanations(impact: Impact) -> list[str]:
    return [alternative.name for alternative in impact.alternatives]


def test_when_many_targets_stop_answering_at_once_the_action_on_one_of_them_is_not_blamed() -> None:
    starved = stop(SERVICES[:12], DOWN_S, spread=CADENCE_S)

    reported = scraped(starved, [step("a", ACTED_S, SERVICES[3])])["a"]

    assert worst(reported) < 0.2
    assert (
        "12 of 14 targets stopped answering at once: the collector or the network, not this action"
        in explanations(reported[-1])
    )


def test_an_action_that_stops_its_own_target_is_still_found() -> None:
    reported = scraped(stop(SERVICES[3:4], DOWN_S), [step("a", ACTED_S, SERVICES[3])])["a"]

    assert reported[-1].label == "probable"


def test_targets_that_stopped_at_other_times_do_not_excuse_an_action() -> None:
    def down(entity: str, seconds: float) -> bool:
        early = entity in SERVICES[6:] and seconds >= 900.0
        return early or (entity == SERVICES[3] and seconds >= DOWN_S)

    reported = scraped(down, [step("a", ACTED_S, SERVICES[3])])["a"]

    assert reported[-1].label == "probable"


def test_an_action_on_what_all_of_them_run_on_reaches_them() -> None:
    node = "host/node-1"
    topology = {entity: [node] for entity in SERVICES[:12]}

    reported = scraped(
        stop((*SERVICES[:12], node), DOWN_S),
        [step("a", ACTED_S, node)],
        topology=topology,
        entities=(*SERVICES, node),
    )["a"]

    assert reported[-1].label == "probable"


def test_actions_on_every_target_just_before_are_five_incidents_and_no_shared_failure() -> None:
    hit = SERVICES[:5]
    steps = [step(str(n), ACTED_S + n, entity) for n, entity in enumerate(hit)]

    reported = scraped(stop(hit, DOWN_S), steps)

    assert [reported[str(n)][-1].label for n in range(5)] == ["probable"] * 5


def test_with_an_older_action_on_every_target_a_shared_failure_is_still_nobodys() -> None:
    steps = [step(str(n), 1_400.0 + 20 * n, entity) for n, entity in enumerate(SERVICES)]

    reported = scraped(stop(SERVICES[:12], DOWN_S), steps)

    assert all(worst(impacts) < 0.5 for impacts in reported.values())


def test_damage_of_its_own_still_counts_when_the_scraper_fails_later() -> None:
    starved = stop(SERVICES[:12], DOWN_S + 6 * CADENCE_S, DOWN_S + 8 * CADENCE_S)

    reported = scraped(
        starved,
        [step("a", ACTED_S, SERVICES[3])],
        errors_since={SERVICES[3]: DOWN_S},
        until_s=2_100.0,
    )["a"]

    assert reported[-1].label == "probable"
    assert reported[-1].change is not None
    assert reported[-1].change.name == "errors"


def test_two_targets_are_all_the_targets_there_are() -> None:
    """Of two targets one says little: it may hang on the other in a way that nobody declared."""
    pair = SERVICES[:2]

    reported = scraped(stop(pair, DOWN_S), [step("a", ACTED_S, pair[0])], entities=pair)["a"]

    assert not any("at once" in name for name in explanations(reported[-1]))


@pytest.mark.parametrize("metric", ["duration p99", "errors"])
def test_damage_that_unrelated_services_show_at_the_same_moment_is_shared(metric: str) -> None:
    entities = (*(f"service/t{n}" for n in range(8)), *SERVICES[:2])
    scene = Scene(
        broken([*entities[:6]], 7_320, times=20.0, metrics=[metric]),
        entities=entities,
        topology={"service/t0": ["service/s0"], "service/t1": ["service/s1"]},
    )

    impact = scene.play(7_900, [step("a", 7_290, "service/t0")])["a"]

    assert probability(impact) < 0.2
    assert any(name.startswith("6 of 10") and "at once" in name for name in explanations(impact))


def test_callers_that_feel_it_do_not_make_damage_shared() -> None:
    callers = tuple(f"service/t{n}" for n in range(6))
    scene = Scene(
        broken([*callers, "service/s0"], 7_320),
        entities=(*callers, "service/s0", "service/s1"),
        topology={caller: ["service/s0"] for caller in callers},
    )

    impact = scene.play(7_900, [step("a", 7_290, "service/s0")])["a"]

    assert impact.label == "probable"


@pytest.mark.parametrize("spread", [0.0, CADENCE_S, 2 * CADENCE_S])
def test_what_an_action_broke_stays_its_doing_when_everything_stops_answering_later(
    spread: float,
) -> None:
    """Found in the whole stack: at the end of the day its 97 % became 29 %, and the page closed."""
    culprit = SERVICES[0]
    ended = stop(SERVICES, ACTED_S + 10 * CADENCE_S, spread=spread)
    broke = {culprit: ACTED_S + CADENCE_S}
    until_s = ACTED_S + 30 * CADENCE_S

    reported = scraped(ended, [step("a", ACTED_S, culprit)], errors_since=broke, until_s=until_s)[
        "a"
    ]

    assert probability(reported[-1]) >= 0.8
    assert reported[-1].change is not None
    assert reported[-1].change.name == "errors"
