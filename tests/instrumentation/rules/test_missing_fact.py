"""missing_fact: acting without ever having asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.missing_fact import missing_fact
from tests.support.scenario import Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale_service": {
                "tier": "provision",
                "requires": [
                    {"fact": "maintenance_window", "subject": "{env}"},
                    {"fact": "connection_limit", "subject": "{db}"},
                ],
            },
            "get_calendar": {"provides": [{"fact": "maintenance_window", "subject": "{env}"}]},
            "get_limit": {"provides": [{"fact": "connection_limit", "subject": "{db}"}]},
        }
    }
)


def scaled(before: Scenario) -> Scenario:
    return before.calls("scale_service", env="prod", db="orders")


def test_every_fact_that_was_never_read_is_named_in_one_finding() -> None:
    (finding,) = scaled(run(policy=POLICY)).says(missing_fact)

    assert finding.level == Level.ALARM
    assert finding.lasting
    assert finding.subject == "scale_service/span-000"
    assert finding.summary == (
        "scale_service was called without knowing the maintenance_window of prod and "
        "connection_limit of orders."
    )
    assert finding.facts == (
        "maintenance_window of prod: never read; get_calendar provides it",
        "connection_limit of orders: never read; get_limit provides it",
    )


def test_it_is_said_when_the_call_begins_and_stays_the_same_when_it_ends() -> None:
    begun = scaled(run(policy=POLICY))
    before = begun.says(missing_fact)

    assert [f.id for f in before] == [f.id for f in begun.returns("ok").says(missing_fact)]


def test_nothing_is_said_when_everything_was_read() -> None:
    knowing = run(policy=POLICY).calls("get_calendar", env="prod").returns("none today, all free")
    knowing.calls("get_limit", db="orders").returns("100")

    assert scaled(knowing).says(missing_fact) == []


def test_a_fact_that_the_app_showed_counts() -> None:
    shown = run(policy=POLICY).saw("maintenance_window", "prod").saw("connection_limit", "orders")

    assert scaled(shown).says(missing_fact) == []


def test_a_fact_about_another_subject_does_not_count() -> None:
    wrong = (
        run(policy=POLICY)
        .calls("get_calendar", env="staging")
        .returns("free")
        .saw("connection_limit", "orders")
    )
    (finding,) = scaled(wrong).says(missing_fact)

    assert finding.facts == (
        "maintenance_window of prod: never read; get_calendar was asked about staging only",
    )
    assert finding.evidence == ("span-002", "span-000")


def test_a_fact_that_was_read_after_the_call_began_does_not_count() -> None:
    after = scaled(run(policy=POLICY)).calls("get_calendar", env="prod").returns("free")

    assert len(list(missing_fact(after.run(1), run().policy.limits))) == 1


def test_an_action_without_requirements_says_nothing() -> None:
    assert run(policy=POLICY).calls("delete_everything").says(missing_fact) == []


def test_a_learnt_expectation_only_warns_and_says_what_it_rests_on() -> None:
    step = scaled(run(policy=POLICY)).run().steps[0]
    assert step.action
    learnt = tuple(
        replace(requirement, learnt_support=20, learnt_confidence=0.95)
        for requirement in step.action.requires
    )
    action = replace(step.action, requires=learnt)
    seen = replace(scaled(run()).run(), steps=(replace(step, action=action),))
    (finding,) = missing_fact(seen, run().policy.limits)

    assert finding.level == Level.WARN
    assert "95% of 20 earlier actions read it first" in finding.facts[0]


@pytest.mark.parametrize("lasted_ns", [1, None])
def test_a_call_that_waited_for_a_person_and_goes_on_is_found_once(lasted_ns: int | None) -> None:
    """None: the begin of what goes on arrives before the end of what waited."""
    begun = scaled(run(policy=POLICY))
    began_ns = begun.steps[-1].began_at_ns
    paused = replace(
        begun.steps[-1], ended_at_ns=None if lasted_ns is None else began_ns + lasted_ns
    )
    begun.steps[-1] = paused
    assert begun.says(missing_fact)

    again = scaled(begun)
    resumed = again.steps[-1]
    assert resumed.action is not None
    assert paused.action is not None
    again.steps[-1] = replace(
        resumed, action=replace(resumed.action, call_id=paused.action.call_id)
    )
    assert not again.says(missing_fact)
