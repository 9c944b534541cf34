"""How long an action is observed, on which series, and how many at once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aftershock_collector.impact import ActionObserver, observation
from aftershock_collector.metrics.series import Family
from tests.collector.impact.blame import CHECKOUT
from tests.collector.impact.scene import TOPOLOGY, S, Scene, at, broken, step


def test_irregular_scrapes_with_gaps_give_the_same_verdict() -> None:
    hit = broken([CHECKOUT], 7_320)

    def gappy(entity: str, metric: str, seconds: float) -> float | None:
        return (
            None
            if hash((metric, int(seconds // 60) % 7)) % 4 == 0
            else hit(entity, metric, seconds)
        )

    scene = Scene(gappy, jitter_s=45.0)

    assert scene.play(8_100, [step("a", 7_230, CHECKOUT)])["a"].label == "probable"


def test_a_series_that_was_silent_before_the_action_is_no_evidence() -> None:
    def gone(entity: str, metric: str, seconds: float) -> float | None:
        if entity == CHECKOUT and metric == "errors":
            return 100.0 if seconds < 3_600 else None
        return 1.0

    impact = Scene(gone).play(7_900, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.label == "no metric evidence"
    assert all(chart.metric != "errors" for chart in impact.charts)


def test_an_agent_whose_clock_is_minutes_off_is_judged_on_the_clock_of_the_series() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_200)
    scene.observer.open(step("a", 7_230 - 300, CHECKOUT), skew_ns=300 * S)
    random = np.random.default_rng(3)
    for seconds in range(7_260, 7_900, 60):
        for entity in scene.entities:
            value = 0.2 + 0.02 * float(random.standard_normal())
            hit = 5.0 if entity == CHECKOUT and seconds >= 7_320 else 1.0
            scene.store.append(
                entity, "duration p99", Family.LATENCY, "s", at(seconds), value * hit
            )
        scene.score(seconds + 1)

    assert scene.impacts["a"].label == "probable"
    assert scene.impacts["a"].acted_at_ns == at(7_230)


def test_a_long_call_is_judged_from_its_start_and_its_damage_is_not_trouble_before() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_200)
    scene.observer.open(step("a", 7_230, CHECKOUT, ended=None))
    scene.observer.open(step("a", 7_230, CHECKOUT, ended=7_500))

    impact = scene.play(7_900)["a"]

    assert impact.label == "probable"
    assert impact.acted_at_ns == at(7_230)


def test_targets_that_become_known_with_the_end_of_the_call_are_used() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.observer.open(step("a", 7_230, "db/nowhere", ended=None))
    scene.observer.open(step("a", 7_230, CHECKOUT, ended=7_235))

    assert scene.play(7_900)["a"].label == "probable"
    assert len(scene.observer) == 1


def test_when_the_series_is_back_in_its_band_the_verdict_says_since_when() -> None:
    scene = Scene(broken([CHECKOUT], 7_320, 8_400))

    impact = scene.play(9_600, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.label == "probable"
    assert impact.recovered_at_ns == at(8_400)
    assert impact.change is not None
    assert impact.change.ended_at_ns == at(8_400)
    assert impact.charts[0].times_ns[-1] >= at(8_400)
    assert len(scene.observer) == 0


def test_silence_is_not_recovery() -> None:
    hit = broken([CHECKOUT], 7_320)

    def dies(entity: str, metric: str, seconds: float) -> float | None:
        return None if entity == CHECKOUT and seconds > 7_600 else hit(entity, metric, seconds)

    scene = Scene(dies)
    impact = scene.play(12_000, [step("a", 7_230, CHECKOUT)])["a"]

    assert impact.recovered_at_ns is None
    assert len(scene.observer) == 1


def test_a_verdict_is_told_when_it_changes_and_not_at_every_look() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(9_000, [step("a", 7_230, CHECKOUT)])
    shares = [impact.probability or 0 for impact in scene.reported]

    assert shares == sorted(shares)  # the surest look stands
    assert len({round(share, 2) for share in shares}) <= 6  # between them only the chart goes on


def test_looks_are_few_however_fast_the_scrapes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[int] = []
    real: Any = observation.score

    def counted(*given: Any, **named: Any) -> Any:
        scored.append(given[2])
        return real(*given, **named)

    monkeypatch.setattr(observation, "score", counted)
    scene = Scene(cadence_s=1.0, observer=ActionObserver(observation_window_s=600))

    scene.play(1_000, [step("a", 300, CHECKOUT)])

    assert 100 <= len(scored) <= 400
    assert scored[-1] >= at(870)


@pytest.mark.slow
def test_with_nothing_open_a_tick_costs_nothing() -> None:
    scene = Scene()
    scene.play(3_600)
    began = time.perf_counter()
    for _ in range(1_000):
        scene.observer.score(at(3_601), scene.store, TOPOLOGY)

    assert time.perf_counter() - began < 0.1


def test_an_action_that_is_told_hours_late_is_not_judged_on_the_points_of_today() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_500)
    scene.observer.open(step("a", 600, CHECKOUT))

    assert scene.score(7_600) == []
    assert len(scene.observer) == 0
    assert scene.observer.dropped["action_arrived_too_late"] == 1


def test_actions_watched_at_once_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "OPEN_MAX", 3)
    observed = ActionObserver()
    for number in range(5):
        observed.open(step(str(number), number, CHECKOUT))

    assert len(observed) == 3
    assert observed.dropped["observed_actions_full"] == 2


def test_a_flood_of_actions_does_not_end_the_observation_of_another_agents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observation, "OPEN_MAX", 3)
    victim = replace(step("victim", 600, CHECKOUT), agent="victim")
    flood = [step(f"flood-{number}", 601 + number / 10, "service/other") for number in range(300)]
    impacts = Scene(broken([CHECKOUT], 660)).play(900, [victim, *flood])

    assert "victim" in impacts


def test_remembered_actions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "ENTITIES_MAX", 3)
    monkeypatch.setattr(observation, "ACTIONS_MAX", 2)
    observed = ActionObserver()
    for number in range(10):
        observed.remember([f"service/{number}", CHECKOUT], number)

    assert len(observed.acted_ns) == 3
    assert observed.acted_ns[CHECKOUT] == [8, 9]
