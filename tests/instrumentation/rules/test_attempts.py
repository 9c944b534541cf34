"""The same attempt again after the same failure, and what is another attempt."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def levels(attempting: Scenario) -> set[Level]:
    found = attempting.says(repeated_action)
    return {finding.level for finding in found if "same failure" in finding.summary}


def restarting(times: int, **changed: bool) -> Scenario:
    attempting = run()
    for number in range(times):
        if changed.get("patched"):
            attempting.calls("patch_config", key="heap", value=number).returns({"saved": True})
        attempting.after(90).calls("restart_service", name="ledger").returns({"pid": number + 70})
        status = {"ledger": "crashed", "code": 137} if not changed.get("well") else {"up": True}
        attempting.after(90).calls("get_service", name="ledger").returns(status)
    return attempting.calls("restart_service", name="ledger").returns({"pid": 99})


def test_the_fifth_attempt_after_the_same_failure_pages() -> None:
    assert levels(restarting(2)) == set()
    assert levels(restarting(3)) == {Level.WARN}
    assert levels(restarting(4)) == {Level.ALARM}


def test_an_attempt_after_another_change_is_another_attempt() -> None:
    assert levels(restarting(6, patched=True)) == set()


def test_a_duty_that_is_checked_and_well_is_no_attempt() -> None:
    assert levels(restarting(6, well=True)) == set()


def test_a_release_that_is_taken_back_each_time_pages_one_round_earlier() -> None:
    releasing = run()
    for _ in range(3):
        releasing.after(60).calls("publish_release", tag="v4").returns({"live": "v4"})
        releasing.after(60).calls("check_shop").returns({"alive": False, "reason": "no schema"})
        releasing.after(60).calls("restore_release", tag="v3").returns({"live": "v3"})

    assert levels(releasing.calls("publish_release", tag="v4").returns({"live": "v4"})) == {
        Level.ALARM
    }


def submitting(*, new: bool) -> Scenario:
    attempting = run()
    for number in range(5):
        job = 4_410 + number if new else 4_410
        attempting.after(600).calls("Bash", command="qsub fold.pbs").returns(
            f"{4_410 + number}.pbs"
        )
        attempting.calls("Bash", command=f"qstat -x {job}").returns(
            f"{job} F Exit_status=271 killed"
        )
    return attempting


def test_a_job_that_is_submitted_as_it_was_pages() -> None:
    assert levels(
        submitting(new=True).calls("Bash", command="qsub fold.pbs").returns("4415.pbs")
    ) == {Level.ALARM}


def test_a_command_that_asks_for_the_same_thing_each_time_may_be_a_poll() -> None:
    assert (
        levels(submitting(new=False).calls("Bash", command="qsub fold.pbs").returns("x")) == set()
    )


def job_each_hour(outcomes: list[str], *, between: str | None = None) -> list[Level]:
    """A job that is started each hour, with what it answers."""
    running = run()
    for hour, outcome in enumerate(outcomes):
        answer = f'job=export run={7_100 + hour} status={outcome} msg="relation ledger"'
        if between:
            running.calls(between, text=f"{outcome} before {hour}").returns("ok")
        running.after(3_590).calls("run_job", job="export").returns(answer)
    return [f.level for f in running.says(repeated_action) if "said each time" in f.summary]


def test_the_same_failing_job_each_hour_is_one_thing_and_pages_at_the_sixth() -> None:
    assert job_each_hour(["FAILED"] * 3) == [Level.WARN]
    assert job_each_hour(["FAILED"] * 6) == [Level.ALARM]
    assert job_each_hour(["FAILED"] * 6, between="send_message") == [Level.ALARM]


def test_a_job_that_works_or_fails_otherwise_or_after_a_repair_is_no_such_loop() -> None:
    assert job_each_hour(["SUCCEEDED"] * 8) == []
    assert job_each_hour(["FAILED"] * 5 + ["SUCCEEDED"]) == []
    assert job_each_hour(["FAILED", "SUCCEEDED"] * 4) == []
    assert job_each_hour(["FAILED"] * 8, between="update_grant") == []
