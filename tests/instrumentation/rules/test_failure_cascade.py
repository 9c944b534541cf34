"""failure_cascade: several tools at once, not one tool and not a mistake that is got over."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.failure_cascade import failure_cascade
from tests.support.scenario import LIMITS, Scenario, run


def failing(*tools: str) -> Scenario:
    played = run()
    for tool in tools:
        played.calls(tool, name=tool).fails()
    return played


def test_three_tools_that_fail_one_after_the_other_alarm() -> None:
    (finding,) = failing("get_pods", "get_logs", "query_metrics").says(failure_cascade)

    assert finding.level == Level.ALARM
    assert finding.summary == "3 different tools fail: get_logs, get_pods, query_metrics."
    assert finding.evidence == ("span-000", "span-001", "span-002")


def test_two_tools_or_one_tool_often_are_no_cascade() -> None:
    assert failing("get_pods", "get_logs", "get_pods", "get_logs").says(failure_cascade) == []
    assert failing(*["get_pods"] * 8).says(failure_cascade) == []


def test_something_that_works_in_between_leaves_it_a_warning() -> None:
    mixed = failing("get_pods", "get_logs")
    mixed.calls("list_files", path="x").returns("a").calls("query_metrics", q="x").fails()
    (finding,) = mixed.says(failure_cascade)

    assert finding.level == Level.WARN


def test_a_tool_that_works_again_is_out_of_it() -> None:
    over = failing("get_pods", "get_logs", "query_metrics").calls("get_pods", name="x").returns("a")

    assert over.says(failure_cascade) == []


def test_old_failures_are_forgotten() -> None:
    old = failing("get_pods", "get_logs")
    for number in range(LIMITS.errors_window_actions - 1):
        old.calls("list_files", path=str(number)).returns(f"file {number}")

    assert old.calls("query_metrics", q="x").fails().says(failure_cascade) == []


def test_each_workers_failures_are_its_own() -> None:
    team = run()
    for worker in ("one", "two", "three"):
        team.as_worker(worker).calls(f"get_{worker}").fails()

    assert team.says(failure_cascade) == []
