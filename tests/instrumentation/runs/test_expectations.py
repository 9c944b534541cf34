"""Expectations are learned from enough runs, and hold for rare tools too."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.failed_fact import failed_fact
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.stale_fact import stale_fact
from aftershock.runs.expectations import LearnedExpectations, at_least, expect, learn_expectations
from tests.support.scenario import Scenario, run


def past(count: int) -> LearnedExpectations:
    return learn_expectations(
        run(f"past-{number}")
        .calls("get_order", order_id=f"order-{number}")
        .returns(f"order {number}")
        .calls("update_order", order_id=f"order-{number}", remark="x y")
        .returns("updated")
        .steps
        for number in range(count)
    )


def expecting(scenario: Scenario, learned: LearnedExpectations) -> Scenario:
    scenario.steps = [expect(learned, step) for step in scenario.steps]
    return scenario


def test_what_enough_runs_read_first_is_a_custom() -> None:
    (custom,) = past(20).expectations["order_id"]

    assert (custom.source, custom.support, custom.confidence) == ("get_order", 20, 1.0)


def test_a_few_runs_make_no_custom() -> None:
    assert past(5).expectations == {}
    assert at_least(5, 5) < at_least(20, 20) < 1


def test_reads_that_failed_and_actions_that_failed_teach_nothing() -> None:
    failing = learn_expectations(
        run()
        .calls("get_order", order_id="a-1")
        .fails()
        .calls("update", order_id="a-1")
        .returns()
        .steps
        for _ in range(20)
    )

    assert failing.expectations == {}


def test_skipping_a_custom_warns_even_with_a_tool_never_seen_before() -> None:
    skipping = expecting(run().calls("cancel_order", order_id="b-2"), past(20))
    (finding,) = skipping.says(missing_fact)

    assert finding.level == Level.WARN
    assert finding.summary == "cancel_order was called without knowing the answer of get_order."
    (line,) = finding.facts
    assert line.startswith("answer of get_order: never read; get_order provides it; ")
    assert line.endswith("100% of 20 earlier actions read it first")


def test_following_a_custom_is_silent() -> None:
    following = run().calls("get_order", order_id="b-2").returns("order b")
    following.calls("cancel_order", order_id="b-2")

    assert expecting(following, past(20)).says(missing_fact) == []


def test_reading_about_something_else_does_not_follow_it() -> None:
    wrong = run().calls("get_order", order_id="c-3").returns("order c")
    wrong.calls("cancel_order", order_id="b-2")

    assert "something else only" in expecting(wrong, past(20)).says(missing_fact)[0].facts[0]


def test_reading_in_vain_and_a_change_by_others_are_found_too() -> None:
    vain = run().calls("get_order", order_id="b-2").fails().calls("cancel_order", order_id="b-2")
    noticed = run().calls("get_order", order_id="b-2").returns("order b").after(1)
    noticed.saw("changed", "b-2").calls("cancel_order", order_id="b-2")

    assert len(expecting(vain, past(20)).says(failed_fact)) == 1
    assert len(expecting(noticed, past(20)).says(stale_fact)) == 1


def test_what_a_policy_requires_stands_alone() -> None:
    policy = Policy.from_mapping({"tools": {"cancel_order": {"requires": [{"fact": "window"}]}}})
    declared = expecting(run(policy=policy).calls("cancel_order", order_id="b-2"), past(20))

    assert [f.summary for f in declared.says(missing_fact)] == [
        "cancel_order was called without knowing the window."
    ]


def test_steps_that_say_nothing_about_it_stay_as_they_are() -> None:
    thought = run().thinks().steps[0]
    bare = run().calls("get_order").returns("x").steps[0]

    assert expect(past(20), thought) is thought
    assert expect(past(20), bare) is bare
    assert expect(LearnedExpectations(), replace(bare)) == bare
