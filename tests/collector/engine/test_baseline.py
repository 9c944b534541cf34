"""The learned baseline: expectations from earlier runs, live and in recordings, in any order."""

from __future__ import annotations

import random

import pytest

from aftershock.limits import Limits
from aftershock.model import Claim, Level, Step
from aftershock_collector.engine import baseline as module
from aftershock_collector.engine.baseline import HOUR_NS, Baseline
from aftershock_collector.engine.engine import Engine
from tests.support.scenario import START_NS, Scenario, run

DAY_S = 86_400.0


def reading_first(number: int, *, after: float = 0.0) -> Scenario:
    """Reads an order, then updates it."""
    played = run(f"past-{number}").after(after + number)
    played.calls("get_order", order_id=f"A-{number}").returns("open")
    return played.calls("update_order", order_id=f"A-{number}", state="paid").returns("updated")


def hasty(*, after: float = DAY_S) -> Scenario:
    """Updates an order that it never read."""
    played = run("hasty").after(after)
    return played.calls("update_order", order_id="A-77", state="paid").returns("updated")


def missing(claims: tuple[Claim, ...]) -> list[Claim]:
    return [claim for claim in claims if claim.finding.kind == "missing_fact"]


def test_an_action_that_skips_what_runs_of_the_day_before_read_first_warns() -> None:
    engine = Engine(live=False)
    engine.observe([step for number in range(20) for step in reading_first(number).steps])
    engine.observe(hasty().steps)
    (claim,) = missing(engine.complete().opened)

    assert claim.finding.run_id == "hasty"
    assert claim.finding.level == Level.WARN
    assert claim.finding.facts == (
        (
            "answer of get_order: never read; get_order provides it; "
            "100% of 20 earlier actions read it first"
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_order_in_which_a_recording_is_read_makes_no_difference(seed: int) -> None:
    steps = [step for number in range(20) for step in reading_first(number).steps] + hasty().steps
    random.Random(seed).shuffle(steps)
    engine = Engine(live=False)
    for step in steps:
        engine.observe([step])
        engine.conclude(step.last_ns)

    assert len(missing(engine.complete().opened)) == 1


def test_live_runs_are_learned_from_when_they_are_evicted() -> None:
    engine = Engine()
    for number in range(20):
        engine.observe(reading_first(number).steps)
        engine.conclude(START_NS)
    engine.conclude(START_NS + int(DAY_S * 1e9))
    engine.observe(hasty().steps)

    assert len(engine) == 1
    assert len(missing(engine.conclude(hasty().now_ns).opened)) == 1


def test_runs_of_the_same_hour_are_judged_by_what_was_expected_before_it() -> None:
    engine = Engine(live=False)
    steps: list[Step] = [step for number in range(20) for step in reading_first(number).steps]
    engine.observe([*steps, *hasty(after=100.0).steps])

    assert missing(engine.complete().opened) == []


def test_a_run_that_reads_its_subject_first_meets_the_expectation() -> None:
    engine = Engine(live=False)
    engine.observe([step for number in range(20) for step in reading_first(number).steps])
    engine.observe(reading_first(77, after=DAY_S).steps)

    assert missing(engine.complete().opened) == []


def test_the_newest_runs_are_learned_from_and_a_bounded_part_of_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RUNS_MAX", 30)
    monkeypatch.setattr(module, "OBSERVATIONS_MAX", 3)
    baseline = Baseline(Limits())
    busy = run("busy")
    for number in range(50):
        busy.calls("get_order", order_id=f"B-{number}").returns("open")
        busy.calls("update_order", order_id=f"B-{number}").returns("updated")
    for number in range(100):
        baseline.learn(f"run-{number}", START_NS, busy.steps)
    learned = baseline.learned_at(START_NS + 2 * HOUR_NS)
    (expected,) = learned.expectations["order_id"]

    assert expected.support == 90


def test_the_expectations_of_an_hour_stay_until_they_are_unsettled() -> None:
    baseline = Baseline(Limits())
    now_ns = START_NS + 2 * HOUR_NS
    for number in range(20):
        baseline.learn(f"run-{number}", START_NS, reading_first(number).steps)
    before = baseline.learned_at(now_ns)
    baseline.learn("late", START_NS, reading_first(99).steps)

    assert before is baseline.learned_at(now_ns)
    baseline.unsettle()
    assert baseline.learned_at(now_ns).expectations["order_id"][0].support == 21
    assert baseline.learned_at(START_NS).expectations == {}


def test_the_longest_call_of_each_tool_is_learned_from_enough_calls() -> None:
    baseline = Baseline(Limits())
    for number in range(3):
        scenario = run(f"past-{number}").calls("get_logs", pod="a").after(number).returns("x")
        scenario.calls("wait", seconds=500).returns("ok")
        baseline.learn(scenario.id, START_NS, scenario.steps)
    learned = baseline.learned_at(START_NS + 3 * HOUR_NS)

    assert set(learned.longest_s) == {"get_logs"}
    assert learned.longest_s["get_logs"] >= 2
