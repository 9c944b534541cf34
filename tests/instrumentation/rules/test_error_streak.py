"""error_streak: the same class of error, whatever the arguments."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.error_streak import error_streak
from aftershock.rules.silent_failure import silent_failure
from tests.support.scenario import Scenario, run


def failing(count: int) -> Scenario:
    trying = run()
    for attempt in range(count):
        trying.calls("open_page", url=f"https://a/{attempt}").fails(f"not archived: 'a/{attempt}'")
    return trying


def test_three_failures_of_one_class_warn_and_six_alarm() -> None:
    assert failing(2).says(error_streak) == []
    assert [f.level for f in failing(3).says(error_streak)] == [Level.WARN]
    assert [f.level for f in failing(6).says(error_streak)] == [Level.ALARM]
    assert failing(3).says(error_streak)[0].id == failing(6).says(error_streak)[0].id


def test_different_errors_are_no_streak() -> None:
    trying = run()
    for error in ("KeyError: 'a'", "connection refused", "no such page"):
        trying.calls("open_page").fails(error)

    assert trying.says(error_streak) == []


def test_a_success_of_the_tool_ends_its_streak() -> None:
    assert failing(3).calls("open_page", url="b").returns("text").says(error_streak) == []


def test_a_success_of_another_tool_does_not() -> None:
    assert len(failing(3).calls("list_pages").returns("a, b").says(error_streak)) == 1


def test_repairs_in_between_keep_it_from_paging() -> None:
    testing = run()
    for text in "abcdefg":
        testing.calls("edit_file", text=text).returns("saved")
        testing.calls("run_tests").fails("AssertionError: 1 != 2")

    assert [f.level for f in testing.says(error_streak)] == [Level.WARN]


def test_a_person_who_asks_again_ends_a_streak() -> None:
    assert (
        failing(5).receives_message().calls("open_page", url="c").fails("x").says(error_streak)
        == []
    )


def test_the_same_failure_in_many_agents_of_a_run_counts_together() -> None:
    research = run()
    for number in range(6):
        research.as_worker(f"researcher-{number}").calls("search", q=f"topic {number}")
        research.fails("quota exceeded for project 881")

    (finding,) = research.says(error_streak)
    assert finding.level is Level.ALARM
    assert finding.summary == "search failed 6 times in the same way, in 6 agents of the run."


def test_repairs_that_change_nothing_page_at_the_eighth_equal_failure() -> None:
    stuck, progressing = run(), run()
    for attempt in range(8):
        for trying, failed in ((stuck, 3), (progressing, 9 - attempt)):
            trying.calls("edit_file", text=f"attempt {attempt}").returns("ok")
            trying.calls("run_suite").returns(f"Error: {failed} failed, 40 passed")
        if attempt == 6:
            assert [f.level for f in stuck.says(error_streak)] == [Level.WARN]

    assert [f.level for f in stuck.says(error_streak)] == [Level.ALARM]
    assert [f.level for f in progressing.says(error_streak)] == [Level.WARN]


def test_many_failures_that_differ_between_repairs_keep_to_a_warning() -> None:
    """Two suites are run after each edit, and fewer tests fail each time."""
    trying = run()
    for attempt in range(6):
        trying.calls("edit_file", text=f"attempt {attempt}").returns("ok")
        for suite in ("unit", "api"):
            trying.calls("run_suite", suite=suite).returns(f"Error: {30 - attempt} failed")

    assert [f.level for f in trying.says(error_streak)] == [Level.WARN]


def tried_again(tool: str, error: str, pause_s: float) -> list[Level]:
    trying = run()
    for _ in range(9):
        trying.after(pause_s).calls(tool, target="orders").fails(error)
    return [finding.level for finding in trying.says(error_streak)]


def test_a_read_that_is_tried_again_after_a_pause_waits_for_something_and_does_not_page() -> None:
    for tool, error in (
        ("http_get", "503 Service Unavailable"),
        ("get_row", "connection to the database refused"),
    ):
        assert tried_again(tool, error, 30.0) == [Level.WARN]
        assert tried_again(tool, error, 1.0) == [Level.ALARM]


def test_a_write_that_fails_every_time_pages_whatever_the_pauses() -> None:
    assert tried_again("send_invoice", "the account is closed", 30.0) == [Level.ALARM]


def test_different_things_that_are_not_there_warn_and_guessed_files_page() -> None:
    def asked_for(tool: str, error: str) -> list[Level]:
        looking = run()
        for number in range(9):
            looking.calls(tool, name=f"thing-{number}").fails(error)
        return [finding.level for finding in looking.says(error_streak)]

    assert asked_for("get_bucket", "NoSuchBucket: it does not exist") == [Level.WARN]
    assert asked_for("get_deployment", "Error (NotFound): not found") == [Level.WARN]
    assert asked_for("read_config", "FileNotFoundError: no such file") == [Level.ALARM]


def test_look_ups_that_all_name_the_same_missing_thing_page() -> None:
    shell, catalogue = run(), run()
    for number in range(9):
        shell.calls("bash", command=f"kubectl -n prdo get deploy svc-{number}")
        shell.returns('Error from server (NotFound): namespaces "prdo" not found')
        catalogue.calls("get_table", table=f"facts_{number}")
        catalogue.returns("Error: the schema 'reportng' does not exist")

    assert [f.level for f in shell.says(error_streak)] == [Level.ALARM]
    assert [f.level for f in catalogue.says(error_streak)] == [Level.ALARM]


LOCKED = "╷\n│ Error: Error acquiring the state lock\n│   Who: ci@runner\n╵\nexit code 1"


def test_who_tries_to_act_between_failing_looks_does_not_just_wait() -> None:
    waiting, trying = run(), run()
    for turn in range(8):
        command = "terraform apply -auto-approve" if turn % 2 else "terraform plan"
        waiting.after(30).calls("bash", command="terraform plan").returns(LOCKED)
        trying.after(30).calls("bash", command=command).returns(LOCKED)

    assert [f.level for f in waiting.says(error_streak)] == [Level.WARN]
    assert [f.level for f in trying.says(error_streak)] == [Level.ALARM]


def scouts(count: int, errors: tuple[str, ...], *, served: int = 0) -> list[Level]:
    """Agents that each make one call, of which the newest ones are served."""
    searching = run()
    for number in range(count):
        searching.as_worker(f"scout-{number}").calls("search_api", query=f"product {number}")
        if number < count - served:
            searching.fails(errors[number % len(errors)])
        else:
            searching.returns(f"{number} results")
        searching.calls("report", text=f"about {number}").returns("received")
    return [finding.level for finding in searching.says(error_streak)]


def test_a_tool_that_fails_for_many_agents_and_works_for_none_pages_whatever_it_says() -> None:
    walls = ("401 Unauthorized", "request failed: the key has expired", "sign-in is required")
    assert scouts(5, walls) == []
    assert scouts(6, walls) == [Level.ALARM]
    assert scouts(9, walls) == [Level.ALARM]
    assert Level.ALARM not in scouts(9, walls, served=1)


def test_many_agents_that_each_look_for_something_that_is_not_there_do_not_page() -> None:
    absent = ("404 not found", "NotFound: no such product", "product was not found")
    assert Level.ALARM not in scouts(8, absent)
    assert Level.ALARM not in scouts(8, absent[:1])


def pushed(times: int, *, pause_s: float = 1, between: str = "git commit --amend") -> list[Level]:
    pushing = run()
    for turn in range(times):
        pushing.calls("bash", command=f"{between} -m 'again {turn}'").returns(f"[fix {turn}a4c0e1]")
        pushing.after(pause_s).calls("bash", command="git push origin fix")
        pushing.returns("remote: error: author is not allowed\nerror: failed to push some refs")
    return [finding.level for finding in pushing.says(error_streak)]


def test_a_command_that_fails_to_the_letter_pages_although_other_commands_work() -> None:
    assert Level.ALARM not in pushed(7)
    assert pushed(8) == [Level.ALARM]


def test_a_command_whose_failure_changes_or_that_waits_is_no_such_streak() -> None:
    testing, waiting = run(), run()
    for turn in range(9):
        testing.calls("bash", command=f"sed -i s/a/b/ m{turn}.py").returns("ok")
        testing.calls("bash", command="pytest -q").returns(f"E   error\n{19 - turn} failed\nexit 2")
        waiting.calls("bash", command="docker ps").returns(f"db Up {turn} s")
        waiting.after(30).calls("bash", command="psql -c 'select 1'").returns(
            "psql: error: connection refused\nexit code 2"
        )

    assert Level.ALARM not in [finding.level for finding in testing.says(error_streak)]
    assert Level.ALARM not in [finding.level for finding in waiting.says(error_streak)]


def test_that_things_are_there_already_is_no_streak_and_no_failure() -> None:
    exists = {"status": 422, "message": "Validation Failed", "errors": [{"code": "already_exists"}]}
    ensuring = run()
    for number in range(9):
        ensuring.calls("create_label", repo=f"acme/{number}", name="triage").returns(exists)

    assert ensuring.says(error_streak) == []
    assert ensuring.says(silent_failure) == []
