"""Equal writes that copy a list page by page, and looks that come in rounds."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def copying(*, pages: bool) -> Scenario:
    copying = run()
    for number in range(6):
        given = {"cursor": f"c{number}k"} if pages else {}
        copying.calls("list_records", **given).returns({"first": number, "next": f"c{number + 1}k"})
        copying.calls("append_lines", file="all.jsonl").returns({"appended": 100})
    return copying


def levels(played: Scenario, tool: str) -> set[Level]:
    found = played.says(repeated_action)
    return {finding.level for finding in found if finding.subject.startswith(tool)}


def test_what_is_written_after_each_further_page_is_that_page() -> None:
    assert levels(copying(pages=True), "append_lines") == set()
    assert levels(copying(pages=False), "append_lines") == {Level.ALARM}


def looking(pause_s: float, *, writes: bool = False) -> Scenario:
    looking = run()
    for _ in range(6):
        looking.after(pause_s).calls("search_logs", query="error").returns({"hits": 0})
        if writes:
            looking.calls("update_flag", name="f", value=1).returns("ok")
        looking.calls("query_metric", name="errors").returns({"value": 0})
    return looking


def test_each_look_of_a_round_with_long_pauses_is_a_poll() -> None:
    assert levels(looking(300), "query_metric") == set()
    assert levels(looking(1), "query_metric") == {Level.ALARM}
