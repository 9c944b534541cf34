"""hung_tool: what is found, and what is legitimate."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.hung_tool import hung_tool
from tests.support.scenario import LIMITS, run


def test_a_call_that_lasts_ten_times_longer_than_ever_pages() -> None:
    hung = run()
    for name in "abc":
        hung.calls("get_logs", pod=name).returns(name).after(20)
    hung.calls("get_logs", pod="d")

    assert hung.after(100).says(hung_tool) == []
    (finding,) = hung.after(100).says(hung_tool)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "get_logs has been running for 3 min; its longest call before lasted 1 s."
    )


def test_an_unknown_tool_is_silent_unless_its_time_is_declared() -> None:
    policy = Policy.from_mapping({"tools": {"run_suite": {"max_time": "5m"}}})

    assert run().calls("run_suite").after(3_000).says(hung_tool) == []
    declared = run(policy=policy).calls("run_suite")
    assert declared.after(200).says(hung_tool) == []
    assert [f.level for f in declared.after(200).says(hung_tool)] == [Level.ALARM]


def test_a_call_that_waits_on_purpose_is_silent() -> None:
    waiting = run().calls("wait", seconds=1).returns("").times(3).calls("wait", seconds=9_999)

    assert waiting.after(5_000).says(hung_tool) == []


def test_the_longest_call_of_earlier_runs_counts_as_well() -> None:
    waiting = run().calls("get_logs", pod="a").after(400).run()

    assert list(hung_tool(waiting, LIMITS)) == []
    (finding,) = hung_tool(replace(waiting, longest_s={"get_logs": 20.0}), LIMITS)
    assert finding.summary.endswith("its longest call before lasted 20 s.")
    assert list(hung_tool(replace(waiting, longest_s={"get_logs": 60.0}), LIMITS)) == []


def test_a_shell_that_never_comes_back_pages_after_three_quarters_of_an_hour() -> None:
    hung = run().calls("Bash", command="ssh pay-4 sudo systemctl restart pay")

    assert hung.after(2_600).says(hung_tool) == []
    assert [f.level for f in hung.after(200).says(hung_tool)] == [Level.ALARM]


def test_a_wait_that_says_no_time_pages_unless_it_is_for_a_person() -> None:
    page, person = run().calls("browser_wait_for", text="Ready"), run().calls("wait_for_approval")

    assert page.after(2_600).says(hung_tool) == []
    assert [f.level for f in page.after(200).says(hung_tool)] == [Level.ALARM]
    assert person.after(50_000).says(hung_tool) == []


def beating(tool: str, seconds: float) -> list[Level]:
    """Levels of what is found of a first call whose process sends heartbeats."""
    hung = run().calls(tool).after(seconds).heartbeat()
    return [finding.level for finding in hung.says(hung_tool)]


def test_a_tool_that_was_never_seen_warns_and_pages_after_four_hours() -> None:
    assert beating("spark_submit", 7_000) == []
    assert beating("spark_submit", 7_300) == [Level.WARN]
    assert beating("spark_submit", 14_500) == [Level.ALARM]


def test_work_that_takes_hours_and_questions_only_warn() -> None:
    for tool in ("train_model", "mcp__db__migrate_table", "ask_dba"):
        assert beating(tool, 14_000) == []
        assert beating(tool, 40_000) == [Level.WARN]
    assert beating("request_approval", 40_000) == []


def test_a_call_that_holds_a_working_sub_agent_is_silent() -> None:
    delegating = run(agent="planner").calls("task", agent="coder").as_worker("coder")
    for _ in range(8):
        delegating.after(1_800).calls("edit").returns("saved")
        assert delegating.heartbeat().says(hung_tool) == []


def test_an_unknown_tool_without_heartbeats_may_have_ended_unseen() -> None:
    assert run().calls("spark_submit").heartbeat().after(20_000).says(hung_tool) == []


def test_a_command_may_last_as_long_as_it_says_itself() -> None:
    named = run().calls("shell", command="timeout 3h ./nightly.sh")
    given = run().calls("Bash", command="make soak", timeout=10_800_000)

    for lasting in (named, given):
        assert lasting.after(10_000).says(hung_tool) == []
        assert [f.level for f in lasting.after(1_000).says(hung_tool)] == [Level.ALARM]


def test_a_command_that_once_took_an_hour_may_take_it_again() -> None:
    again = run().calls("Bash", command="make soak").after(3_600).returns("passed")
    again.calls("Bash", command="make soak")

    assert again.after(5_000).says(hung_tool) == []
