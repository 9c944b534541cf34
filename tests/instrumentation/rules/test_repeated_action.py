"""repeated_action: what is a loop, and what is legitimate repetition."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Finding, Level
from aftershock.policy.policy import Policy
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import LIMITS, S, run


def test_two_equal_calls_that_taught_nothing_warn_and_the_third_alarms() -> None:
    twice = run().calls("restart", name="shop").returns("restarted").times(2)
    warned = twice.says(repeated_action)
    thrice = twice.calls("restart", name="shop").returns("restarted")
    alarmed = thrice.says(repeated_action)

    assert [f.level for f in warned] == [Level.WARN]
    assert [f.level for f in alarmed] == [Level.ALARM]
    assert warned[0].id == alarmed[0].id
    assert alarmed[0].evidence == ("span-000", "span-001", "span-002")
    assert alarmed[0].summary == (
        "restart was called 3 times with the same arguments and it returned nothing new."
    )


def test_a_read_harms_nobody_and_pages_one_call_later() -> None:
    reading = run().calls("get_status", name="shop").returns("degraded").times(3)

    assert [f.level for f in reading.says(repeated_action)] == [Level.WARN]
    reading.calls("get_status", name="shop").returns("degraded")
    assert [f.level for f in reading.says(repeated_action)] == [Level.ALARM]


def test_one_call_is_no_repetition() -> None:
    assert run().calls("get_status").returns("ok").says(repeated_action) == []


def test_arguments_that_differ_in_form_only_are_the_same() -> None:
    wrapped = run().calls("page_down").returns("end of page")
    wrapped.calls("page_down", arguments={}).returns("end of page")
    wrapped.calls("page_down", query="").returns("end of page").times(2)

    assert [f.level for f in wrapped.says(repeated_action)] == [Level.ALARM]


def test_equal_calls_that_fail_are_retries_and_page_later() -> None:
    retried = run().calls("fetch", url="x").fails("HTTP 503").times(3)

    assert [f.level for f in retried.says(repeated_action)] == [Level.WARN]
    retried.calls("fetch", url="x").fails("HTTP 503").times(2)
    assert [f.level for f in retried.says(repeated_action)] == [Level.ALARM]


def test_a_call_without_an_answer_does_not_count_yet() -> None:
    begun = run().calls("get_status").returns("degraded").times(3).calls("get_status")

    assert [f.level for f in begun.says(repeated_action)] == [Level.WARN]
    assert [f.level for f in begun.returns("degraded").says(repeated_action)] == [Level.ALARM]


def test_a_second_call_is_not_judged_before_its_answer_is_in() -> None:
    assert run().calls("next_page").returns("a").calls("next_page").says(repeated_action) == []


def test_pages_that_bring_new_lines_are_silent() -> None:
    pages = run()
    for page in ("apples\npears", "plums\nfigs", "kiwis\nlimes", "dates\nnuts"):
        pages.calls("page_down").returns(page)

    assert pages.says(repeated_action) == []


def test_polling_whose_answer_changes_is_silent() -> None:
    polling = run()
    for status in ("queued", "starting", "running", "done"):
        polling.calls("get_job", id="j1").returns({"status": status})

    assert polling.says(repeated_action) == []


def test_a_declared_poller_is_silent() -> None:
    policy = Policy.from_mapping({"tools": {"get_job": {"polls": True}}})

    assert (
        run(policy=policy).calls("get_job").returns("queued").times(9).says(repeated_action) == []
    )


def test_numbers_that_move_are_something_new() -> None:
    progress = run()
    for percent in range(10, 30):
        progress.calls("get_job").returns(f"progress {percent} %")

    assert progress.says(repeated_action) == []


def test_a_poll_without_pauses_pages_at_twice_the_number() -> None:
    polling = run().calls("get_job", id=1).returns({"status": "running"}).times(5)

    assert [f.level for f in polling.says(repeated_action)] == [Level.WARN]
    polling.calls("get_job", id=1).returns({"status": "running"})
    assert [f.level for f in polling.says(repeated_action)] == [Level.ALARM]


def test_a_poll_with_pauses_is_judged_by_the_time_since_its_answer_changed() -> None:
    def polled(minutes: int) -> list[Finding]:
        polling = run()
        for _ in range(minutes):
            polling.calls("get_job", id=1).returns({"status": "running"}).after(60)
        return polling.says(repeated_action)

    assert polled(14) == []
    (finding,) = polled(17)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "get_job was polled for 17 min (17 calls) and its answer (pending) did not change."
    )


def test_a_slow_poll_may_get_the_same_answer_ten_times() -> None:
    def polled(times: int, every_s: float) -> list[Level]:
        polling = run()
        for _ in range(times):
            polling.calls("get_job", id=1).returns({"status": "running"}).after(every_s)
        return [f.level for f in polling.says(repeated_action)]

    assert polled(10, 600) == []
    assert polled(10, 3_600) == []
    assert polled(13, 600) == [Level.ALARM]


def test_who_waits_for_an_approval_waits_for_a_person() -> None:
    waiting = run()
    for _ in range(20):
        waiting.calls("get_change", number=7).returns({"state": "-4", "approval": "requested"})
        waiting.after(3_600)

    assert waiting.says(repeated_action) == []


def test_each_page_of_what_is_written_is_work_of_its_own() -> None:
    writing, reading = run(), run()
    for page in range(12):
        writing.calls("upsert_contacts", offset=page * 200).returns({"errors": []})
        reading.calls("list_contacts", offset=page * 200).returns({"names": ["ann", "bob"]})

    assert writing.says(repeated_action) == []
    assert [f.level for f in reading.says(repeated_action)] == [Level.ALARM]


def test_a_payment_under_a_new_request_id_is_made_again_however_long_the_agent_paused() -> None:
    paying, renewing = run(), run()
    for number in range(4):
        paying.calls("create_payment", amount=900, idempotency_key=f"k{number}")
        paying.returns({"status": "processing", "amount": 900}).after(40)
        renewing.calls("create_payment", amount=900, idempotency_key=f"k{number}")
        renewing.returns({"status": "processing", "amount": 900}).after(3_600)

    assert [f.level for f in paying.says(repeated_action)] == [Level.ALARM]
    assert renewing.says(repeated_action) == []


def test_waits_neither_count_nor_hide() -> None:
    waiting = run()
    for _ in range(12):
        waiting.calls("get_job", id=1).returns({"status": "queued"})
        waiting.calls("wait", seconds=90).returns("")

    assert [f.level for f in waiting.says(repeated_action)] == [Level.ALARM]


def test_a_declared_patience_holds_for_a_poll() -> None:
    policy = Policy.from_mapping({"tools": {"get_job": {"polls": {"patience": "2h"}}}})
    polling = run(policy=policy)
    for _ in range(100):
        polling.calls("get_job", id=1).returns({"status": "running"}).after(60)

    assert polling.says(repeated_action) == []
    for _ in range(30):
        polling.calls("get_job", id=1).returns({"status": "running"}).after(60)
    assert [f.level for f in polling.says(repeated_action)] == [Level.ALARM]


def test_a_watch_that_shows_a_settled_state_is_never_stuck() -> None:
    watching = run()
    for _ in range(200):
        watching.calls("get_health", name="web").returns({"status": "healthy"}).after(60)

    assert watching.says(repeated_action) == []


def test_ends_that_the_sender_reports_late_do_not_hide_a_loop() -> None:
    played = run().calls("get_status", name="shop").returns("degraded").times(8).run()
    delayed_ends = tuple(
        replace(step, ended_at_ns=(step.ended_at_ns or 0) + 5 * S) for step in played.steps
    )

    found = list(repeated_action(replace(played, steps=delayed_ends), LIMITS))
    assert [f.level for f in found] == [Level.ALARM]


def test_an_automatic_continue_is_no_new_instruction() -> None:
    nudged = run()
    for _ in range(4):
        nudged.receives_message("user", automatic=True).calls("get_task", id=3).returns(
            {"state": "open"}
        )

    assert [f.level for f in nudged.says(repeated_action)] == [Level.ALARM]


def test_a_write_in_between_that_worked_makes_it_legitimate() -> None:
    tests = run()
    for change in ("a", "b", "c", "d"):
        tests.calls("edit_file", text=change).returns("saved")
        tests.calls("run_tests").returns("1 failed in test_a")

    assert [f for f in tests.says(repeated_action) if f.level is Level.ALARM] == []


def test_a_write_in_between_that_failed_does_not() -> None:
    tests = run()
    for change in ("apple", "pear", "fig"):
        tests.calls("edit_file", text=change).fails("PermissionError: read only")
        tests.calls("list_tests").returns("test_a")

    assert {f.subject.partition("/")[0] for f in tests.says(repeated_action)} == {"list_tests"}


def test_the_same_write_again_is_a_repetition_even_if_it_works() -> None:
    paying = run().calls("send_money", to="GB29", amount=50).returns("sent").times(3)

    assert [f.level for f in paying.says(repeated_action)] == [Level.ALARM]


def test_other_calls_in_between_do_not_hide_a_loop() -> None:
    hidden = run()
    for name in ("a", "b", "c", "d"):
        hidden.calls("get_status").returns("degraded").calls("get_logs", of=name).returns(name)

    assert [f.level for f in hidden.says(repeated_action)] == [Level.ALARM]


def test_a_loop_that_the_agent_left_is_no_longer_true() -> None:
    left = run().calls("get_status").returns("degraded").times(3)
    for name in "abcdefghi":
        left.calls("read_file", name=name).returns(f"content of {name}")

    assert left.says(repeated_action) == []


def test_thinking_does_not_change_the_answer() -> None:
    stuck = run().calls("get_status").returns("degraded").times(3)
    before = [f.id for f in stuck.says(repeated_action)]

    assert before == [f.id for f in stuck.thinks().thinks().says(repeated_action)]


def test_parallel_workers_are_counted_one_by_one() -> None:
    workers = run()
    for name in ("w1", "w2", "w3"):
        workers.as_worker(name).calls("get_config").returns("a = b")

    assert workers.says(repeated_action) == []


def test_a_loop_of_one_worker_is_not_hidden_by_another() -> None:
    workers = run()
    for place in "abc":
        workers.as_worker("w1").calls("get_config").returns("a = b")
        workers.as_worker("w2").calls("edit_file", text=place).returns("saved")

    assert [f.subject.split("/")[:2] for f in workers.says(repeated_action)] == [
        ["w1", "get_config"]
    ]


def test_equal_calls_of_one_batch_are_not_a_repetition() -> None:
    batch = run().calls("get_config").returns("a = b").calls("get_config").returns("a = b")

    assert batch.at_once().says(repeated_action) == []


def test_a_person_who_asks_again_ends_a_loop() -> None:
    asked = run().calls("get_status").returns("degraded").times(2)

    assert (
        asked.receives_message("user").calls("get_status").returns("degraded").says(repeated_action)
        == []
    )


def test_a_retry_that_works_is_silent() -> None:
    retried = run().calls("get_status").fails("TimeoutError").calls("get_status").returns("ok")

    assert retried.says(repeated_action) == []


def test_a_write_without_most_of_its_arguments_warns() -> None:
    emptied = (
        run().calls("write_fix", project="time", lines="one two three four five").returns("ok")
    )

    assert [
        f.subject.rpartition("/")[0]
        for f in emptied.calls("write_fix", project="time").returns("empty").says(repeated_action)
    ] == ["write_fix/emptied"]


def test_an_alarm_says_what_was_spent_since_it_was_certain() -> None:
    stuck = run().calls("get_status").returns("degraded").times(4).thinks(1_200)

    assert stuck.says(repeated_action)[0].facts == (
        "Spent since the loop was certain: 1 step, 1,200 tokens, 1 s.",
    )


def test_a_read_that_waits_until_its_time_is_up_is_judged_by_time() -> None:
    rolling, receiving = run(), run()
    for _ in range(6):
        rolling.calls("bash", command="timeout 25 kubectl -n shop rollout status sts/db")
        rolling.after(24).returns("Waiting for 1 pods to be ready...")
        receiving.calls("queue_receive", queue="invoices").after(19).returns({"status": 200})

    assert rolling.says(repeated_action) == receiving.says(repeated_action) == []
