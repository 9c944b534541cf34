"""silent_failure: what is found, and what is legitimate."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.silent_failure import silent_failure
from tests.support.scenario import run


def test_five_calls_that_fail_in_words_page_and_fewer_warn_at_the_end() -> None:
    sending = run()
    for number in range(4):
        sending.calls("send", to=f"a{number}").returns({"ok": False, "error": "no channel"})

    assert sending.says(silent_failure) == []
    assert [f.level for f in sending.ends().says(silent_failure)] == [Level.WARN]
    sending.calls("send", to="b").returns("Tool failed after 3 attempts: Timeout after 5s.")
    assert [f.level for f in sending.says(silent_failure)] == [Level.ALARM]


def test_a_success_of_the_same_tool_clears_its_failures() -> None:
    sending = run().calls("send", to="a").returns({"ok": False})

    assert sending.calls("send", to="b").returns({"ok": True}).ends().says(silent_failure) == []


def test_a_failure_that_its_span_shows_is_not_silent() -> None:
    assert run().calls("send", to="a").fails("TimeoutError").ends().says(silent_failure) == []


def checked(tool: str, change: str, failures: list[str]) -> list[Level]:
    checking = run()
    for number, failure in enumerate(failures):
        checking.calls(change, path="a", text=f"version {number}").returns("saved")
        checking.calls(tool, target="orders").returns(failure)
    return [finding.level for finding in checking.says(silent_failure)]


def test_a_check_that_fails_in_another_way_after_each_change_shows_that_it_was_seen() -> None:
    suites = [f"Error: {9 - number} tests failed" for number in range(8)]
    plans = [f'{{"ok": false, "missing_columns": {9 - number}}}' for number in range(8)]

    assert checked("run_suite", "edit_file", suites) == []
    assert checked("validate_schema", "update_schema", plans) == []


def test_a_check_that_fails_in_the_same_way_whatever_is_changed_still_pages() -> None:
    assert checked("run_suite", "edit_file", ["Error: 3 tests failed"] * 6) == [Level.ALARM]


def test_failures_of_one_check_that_differ_are_work_that_goes_on() -> None:
    mending, stuck = run(), run()
    for left in range(9, 3, -1):
        for checking, count in ((mending, left), (stuck, 9)):
            checking.calls("Bash", command="cargo check").returns(
                f"error: could not compile, {count} previous errors\nexit status 101"
            )
            checking.calls("edit_file", path=f"src/m{left}.rs", text="…").returns("saved")

    assert mending.says(silent_failure) == []
    assert [f.level for f in stuck.says(silent_failure)] == [Level.ALARM]
