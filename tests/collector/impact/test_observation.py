"""Watch: who is blamed, who is not, and what is said where nothing can be said."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aftershock.model import Fact, Impact, Outcome, Tier
from aftershock_collector.impact import ActionObserver, observation
from aftershock_collector.metrics.series import Family, SeriesStore
from tests.collector.impact.scene import TOPOLOGY, S, Scene, at, both, broken, fact, step, usual

CHECKOUT, ORDERS, GATEWAY, CATALOG = (
    "service/checkout",
    "db/orders",
    "service/gateway",
    "service/catalog",
)
HOUR = 3_600.0


def no_agent(impact: Impact) -> float:
    """The probability of "no agent action"."""
    return sum(
        alternative.probability
        for alternative in impact.alternatives
        if alternative.span_id is None
    )


def probability(impact: Impact) -> float:
    assert impact.probability is not None
    return impact.probability


# --- Who is blamed -----------------------------------------------------------------------------


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


# --- Who is not blamed -------------------------------------------------------------------------


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
    assert probability(impact) < probability(alone)


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


# --- Where nothing can be said -----------------------------------------------------------------


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


# --- Series as they really are -----------------------------------------------------------------


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


# --- The life of a verdict ---------------------------------------------------------------------


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
    assert len(shares) <= 6


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


# --- What the agent had not read ---------------------------------------------------------------


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


# --- What is shown -----------------------------------------------------------------------------


def test_charts_hold_the_frozen_band_and_the_points_around_the_action() -> None:
    impact = Scene(broken([CHECKOUT], 7_320)).play(7_900, [step("a", 7_230, CHECKOUT)])["a"]
    chart = impact.charts[0]

    assert impact.change is not None
    assert (chart.entity, chart.metric) == (CHECKOUT, impact.change.name)
    assert chart.low <= chart.median <= chart.high
    assert max(chart.values) > chart.high
    assert len(chart.times_ns) == len(chart.values) <= 160
    assert chart.times_ns[0] < at(7_230) < chart.times_ns[-1]
    assert list(chart.times_ns) == sorted(chart.times_ns)
    before = [v for t, v in zip(chart.times_ns, chart.values, strict=True) if t <= at(7_230)]
    assert float(np.median(before[-30:])) == pytest.approx(chart.median, rel=1e-4)


def test_when_the_looks_are_over_the_chart_goes_on_beyond_the_look_that_was_kept() -> None:
    scene = Scene(broken([CHECKOUT], 7_320), observer=ActionObserver(observation_window_s=300))
    scene.play(7_600, [step("a", 7_230, CHECKOUT)])

    earlier, settled = scene.reported[-2:]

    assert earlier.charts[0].times_ns[-1] <= earlier.judged_at_ns
    assert settled.judged_at_ns <= at(7_590) <= settled.charts[0].times_ns[-1] + 60 * S


def test_probabilities_of_all_explanations_add_up_to_one() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_900, [step(str(n), 7_230 + n, CHECKOUT) for n in range(4)])

    for impact in scene.reported:
        shares = [
            probability(impact),
            *(alternative.probability for alternative in impact.alternatives),
        ]
        assert sum(shares) == pytest.approx(1.0)
        assert all(0 <= share <= 1 for share in shares)


def test_the_same_input_gives_the_same_verdicts() -> None:
    def reported() -> list[Impact]:
        scene = Scene(broken([CHECKOUT], 7_320))
        scene.play(7_900, [step("a", 7_230, CHECKOUT), step("b", 7_240, CATALOG)])
        return scene.reported

    assert reported() == reported()


def test_series_under_another_name_of_the_target_are_found() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.store.alias("k8s/shop/checkout", CHECKOUT)

    impact = scene.play(7_900, [step("a", 7_230, "k8s/shop/checkout")])["a"]

    assert (impact.label, impact.entity) == ("probable", CHECKOUT)


def test_an_empty_store_is_no_trouble() -> None:
    observed = ActionObserver()
    observed.open(step("a", 0, CHECKOUT))

    (impact,) = observed.score(at(1), SeriesStore(), {})

    assert impact.missing == (f"nothing is measured on {CHECKOUT}",)
