"""unexplained_action: said where a decision was to be expected, and only there."""

from __future__ import annotations

import pytest

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.unexplained_action import unexplained_action
from tests.support.scenario import run

ASKED = Policy.from_mapping({"tools": {"delete_*": {"explain": True}, "scale": {"explain": True}}})
WAIVED = Policy.from_mapping({"tools": {"delete_*": {"explain": False}}})


def test_an_agent_that_never_records_decisions_is_not_nagged_at() -> None:
    assert run().thinks().calls("delete_database", name="a").says(unexplained_action) == []


def test_a_policy_that_wants_a_decision_is_told_where_there_is_none() -> None:
    (finding,) = run(policy=ASKED).thinks().calls("delete_database").says(unexplained_action)

    assert finding.level == Level.WARN
    assert finding.lasting
    assert finding.summary == (
        "delete_database (destructive) was called without a recorded decision."
    )


def test_a_policy_may_want_it_of_any_tool_that_has_an_effect() -> None:
    assert len(run(policy=ASKED).calls("scale", n=3).says(unexplained_action)) == 1


@pytest.mark.parametrize("chosen", [None, "the old database", "delete_database"])
def test_a_decision_before_it_explains_it(chosen: str | None) -> None:
    explained = run(policy=ASKED).decides(chosen).calls("delete_database", name="a")

    assert explained.says(unexplained_action) == []
    assert explained.returns().calls("delete_database", name="b").says(unexplained_action) == []


def test_a_run_that_recorded_decisions_before_is_expected_to_go_on() -> None:
    careless = run().decides("restart checkout").calls("restart_service", name="checkout").returns()
    (finding,) = careless.calls("delete_database", name="a").says(unexplained_action)

    assert finding.facts == ("the last decision was about what now, and chose restart checkout",)
    assert finding.evidence == ("span-002", "span-000")


def test_a_decision_explains_one_tool_and_not_whatever_comes_after() -> None:
    played = run().decides("make room").calls("delete_logs").returns()

    assert len(played.calls("terminate_instance", name="a").says(unexplained_action)) == 1


def test_a_decision_that_names_the_tool_explains_it_whenever_it_comes() -> None:
    played = run().decides("delete_logs, then terminate_instance").calls("delete_logs").returns()

    assert played.calls("terminate_instance", name="a").says(unexplained_action) == []


def test_reads_writes_and_what_the_policy_waives_need_no_decision() -> None:
    decided = run(policy=WAIVED).decides().calls("delete_database").returns()

    assert decided.calls("delete_table", name="b").says(unexplained_action) == []
    assert decided.calls("send_mail", to="b").says(unexplained_action) == []
    assert decided.calls("get_status", name="b").says(unexplained_action) == []
