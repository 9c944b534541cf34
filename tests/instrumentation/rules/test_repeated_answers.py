"""repeated_action: what answers show, of equal calls and of different ones."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run


def test_request_ids_among_the_arguments_do_not_make_another_call() -> None:
    asking = run()
    for number in range(4):
        asking.calls("get_balance", account=7, request_id=f"r-{number}").returns({"balance": 5})

    assert [f.level for f in asking.says(repeated_action)] == [Level.ALARM]


def test_a_substantial_answer_to_different_arguments_is_a_loop() -> None:
    page = "\n".join(f"order o-{n}, customer {n}, total {n * 7}" for n in range(12))
    paging = run()
    for number in range(6):
        paging.calls("list_orders", region=f"r-{number}").returns(page)

    (finding,) = paging.says(repeated_action)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "6 calls of list_orders with different arguments returned the same answer."
    )


def test_every_page_with_the_same_short_answer_is_a_loop() -> None:
    ignored, paging = run(), run()
    for number in range(4):
        ignored.calls("contracts.list", page=number, size=2).returns('["V-1001", "V-1002"]')
        paging.calls("contracts.list", page=number, size=2).returns(f'["V-{number}"]')

    (finding,) = ignored.says(repeated_action)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "contracts.list was called 4 times for another page or request id and it returned "
        "nothing new."
    )
    assert paging.says(repeated_action) == []


def test_a_read_that_stays_empty_after_each_write_about_it_is_a_loop() -> None:
    """The comment is accepted and never shows; lint that finds nothing after each edit may."""
    posted, linted = run(), run()
    for number in range(5):
        posted.calls("jira_add_comment", issue="OPS-77", body=f"Deployed {number}").returns("ok")
        posted.calls("jira_list_comments", issue="OPS-77").returns("[]")
        linted.calls("edit_file", path=f"src/part_{number}.py").returns("ok")
        linted.calls("lint", path="src/all").returns("")

    assert [finding.level for finding in posted.says(repeated_action)] == [Level.ALARM]
    assert linted.says(repeated_action) == []


def test_a_search_of_one_place_after_the_other_only_warns() -> None:
    """That a leaked key is in none of seven repositories is good."""
    sweep, guesses = run(), run()
    for number in range(7):
        sweep.calls("grep", pattern="AKIA4X", path=f"/src/r{number}").returns("No matches found")
        guesses.calls(
            "search", query=f"where was the poet emil rast born in the year {1900 + number}"
        ).returns("No results found.")

    assert [finding.level for finding in sweep.says(repeated_action)] == [Level.WARN]
    assert Level.ALARM in {finding.level for finding in guesses.says(repeated_action)}


def test_short_equal_answers_about_different_things_are_silent() -> None:
    checking = run()
    for number in range(20):
        checking.calls("check_host", host=f"node-{number}").returns({"status": "healthy"})

    assert checking.says(repeated_action) == []


def test_searches_that_find_nothing_are_a_loop_and_empty_lists_of_other_tools_are_not() -> None:
    searching, listing = run(), run()
    for number, word in enumerate(("apple", "pear", "fig", "plum", "kiwi", "date")):
        searching.calls("search_docs", query=f"how to peel {word}").returns("No results found.")
        listing.calls("list_alerts", service=f"svc-{number}").returns({"alerts": []})

    assert next(f.subject for f in searching.says(repeated_action)) == "search_docs/nothing"
    assert listing.says(repeated_action) == []


def test_a_write_that_says_it_changed_nothing_does_not_break_a_chain() -> None:
    tests = run()
    for _ in range(3):
        tests.calls("edit_file", path="a.py", text="x").returns("No changes made.")
        tests.calls("list_tests").returns("test_a")

    assert "list_tests" in {f.subject.partition("/")[0] for f in tests.says(repeated_action)}


def test_times_and_ids_in_an_answer_are_not_news() -> None:
    stuck = run()
    for minute in range(4):
        stuck.calls("get_status").returns(f"2026-01-15T12:0{minute}:00Z degraded")

    assert [f.level for f in stuck.says(repeated_action)] == [Level.ALARM]


def test_a_call_with_an_effect_that_reports_a_progressing_state_is_silent() -> None:
    """Its name says rollout, so it counts as a write; its numbers are what was waited for."""
    polled = run()
    for percent in range(3, 100, 8):
        polled.calls("rollout_status", name="shop").returns(
            f'{{"state": "progressing", "percent": {percent}}}'
        )
    polled.calls("rollout_status", name="shop").returns('{"state": "succeeded", "percent": 100}')

    assert polled.says(repeated_action) == []


def test_a_call_with_an_effect_whose_state_stays_the_same_is_a_loop() -> None:
    stuck = (
        run()
        .calls("rollout_status", name="shop")
        .returns('{"state": "progressing", "percent": 40}')
    )

    assert [f.level for f in stuck.times(12).says(repeated_action)] == [Level.ALARM]


def test_a_tool_of_unknown_effect_that_answers_with_other_lines_each_time_is_silent() -> None:
    """The words of a log are few; what is new in it are its numbers."""
    followed = run()
    for minute in range(14):
        lines = [
            f"03:{minute:02d}:{second:02d} web nginx[{minute * 60 + second}]: GET /cart 200"
            for second in range(20)
        ]
        followed.calls("journalctl", unit="nginx").returns("\n".join(lines))

    assert followed.says(repeated_action) == []


def test_a_fix_that_is_submitted_again_with_a_long_report_is_a_loop() -> None:
    """Of a write that is known as one, most of the report must be new."""
    repeated = run()
    for attempt in range(6):
        report = "\n".join(
            f"test_{number}: assertion failed at line {number}" for number in range(20)
        )
        repeated.calls("write_fix", lines="12-14").returns(f"{report}\nseed {attempt * 7919}")

    assert [finding.level for finding in repeated.says(repeated_action)] == [Level.ALARM]


def test_a_page_to_sign_in_at_every_address_is_a_loop() -> None:
    wall = "<html><title>Log in | Acme</title><form>…</form></html>"
    barred, open_ = run(), run()
    for number in range(6):
        barred.calls("fetch_url", url=f"https://a.example/{number}").returns(wall)
        open_.calls("fetch_url", url=f"https://a.example/{number}").returns("<title>Log</title>")

    assert [f.level for f in barred.says(repeated_action)] == [Level.ALARM]
    assert open_.says(repeated_action) == []


def test_an_address_with_another_clock_is_the_same_address() -> None:
    reloading = run()
    for number in range(4):
        url = f"https://a.example/q?x=1&nocache={number}"
        reloading.calls("http_get", url=url).returns(f"Busy. Request id: 7f{number}a")

    assert [f.level for f in reloading.says(repeated_action)] == [Level.ALARM]


def searching(count: int, command: str) -> list[Level]:
    looking = run()
    for number in range(count):
        looking.calls("Bash", command=command.format(number)).returns("Exit code 1")
    return [finding.level for finding in looking.says(repeated_action)]


def test_a_name_that_grep_finds_nowhere_pages_later_than_other_searches() -> None:
    assert searching(5, "grep -rn name{} src") == []
    assert searching(11, "grep -rn name{} src") == [Level.WARN]
    assert searching(12, "grep -rn name{} src") == [Level.ALARM]


def test_one_thing_looked_for_in_many_files_is_a_sweep() -> None:
    assert searching(20, "zgrep T-1881 /logs/{}.gz") == []
    assert searching(20, "find /disks/{} -name T-1881") == []
