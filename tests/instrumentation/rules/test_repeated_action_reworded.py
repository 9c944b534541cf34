"""repeated_action: other wordings of one question, and what the agent says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.model import LOOP_REPORTED, Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run


def test_the_same_question_reworded_warns() -> None:
    searching = run().calls("web_search", query="pie menus or linear menus which is better")
    searching.returns("a page").calls("web_search", query="linear menus or pie menus: better?")
    searching.returns("another page")

    assert [(f.subject, f.level) for f in searching.says(repeated_action)] == [
        ("web_search/reworded", Level.WARN)
    ]


def test_the_same_question_about_another_thing_is_another_question() -> None:
    flights = run()
    for day in range(10, 14):
        flights.calls("search_flights", origin="LAS", to="IAH", date=f"2024-05-{day}").returns("x")

    assert flights.says(repeated_action) == []


@pytest.mark.parametrize(
    "questions",
    [
        ({"query": "price of the alpha phone"}, {"query": "price of the beta phone"}),
        ({"url": "https://www.alpha.example"}, {"url": "https://www.beta.example"}),
        ({"query": "meeting", "date": "2026-03-02"}, {"query": "lunch", "date": "2026-03-02"}),
        ({"hotels": ["Astor", "Krone", "Rialto"]}, {"hotels": ["Astor", "Krone"]}),
        ({"sql": "SELECT a FROM t WHERE b = c"}, {"sql": "SELECT b FROM t WHERE a = c"}),
        ({"query": "who leads the team of @ann now"}, {"query": "who leads the team of @bob now"}),
    ],
)
def test_another_name_asks_about_another_thing(questions: tuple[dict[str, Any], ...]) -> None:
    searching = run()
    for arguments in questions:
        searching.calls("web_search", **arguments).returns(f"a page for {arguments}")

    assert searching.says(repeated_action) == []


def test_the_same_words_in_another_order_warn() -> None:
    searching = run().calls("web_search", query="refund policy shoes").returns("a page")
    searching.calls("web_search", query="shoes refund policy").returns("another page")

    assert [f.subject for f in searching.says(repeated_action)] == ["web_search/reworded"]


def test_a_second_wording_after_nothing_was_found_is_a_correction_and_a_third_is_not() -> None:
    searching = run()
    for query in (
        "minutes of the planning meeting in may",
        "planning meeting: its minutes (may)",
        "the minutes of a meeting about planning, may",
    ):
        before = searching.says(repeated_action) if searching.steps else []
        searching.calls("search_files", query=query).returns("No files found.")

    assert before == []
    assert [f.subject for f in searching.says(repeated_action)] == ["search_files/reworded"]


def test_a_draft_and_its_final_version_are_no_repetition() -> None:
    report = run()
    for ending in ("is nearly done by now", "has been done and is closed"):
        report.calls("submit_report", text=f"the work on the slow checkout {ending}")
        report.returns("received")

    assert report.says(repeated_action) == []


def test_an_agent_that_says_that_it_loops_is_a_second_opinion() -> None:
    alone = run().calls("get_status", name="shop").returns("degraded").saw(LOOP_REPORTED)
    warned = run().calls("get_status", name="shop").returns("degraded").times(2)
    warned.saw(LOOP_REPORTED)

    assert [(f.subject, f.level) for f in alone.says(repeated_action)] == [("reported", Level.WARN)]
    assert [f.level for f in warned.says(repeated_action)] == [Level.ALARM, Level.WARN]
    assert warned.receives_message("user", "again, please").says(repeated_action) == []


def test_six_wordings_with_the_same_answer_page() -> None:
    wordings = (
        "opening hours of the museum in Basel on Monday",
        "is the Basel museum open on Monday, opening hours",
        "museum Basel Monday opening hours please tell",
        "Basel museum hours on Monday opening times",
        "Monday opening hours museum of Basel city",
        "when does the museum in Basel open Monday hours",
    )
    same, other = run(), run()
    for number, words in enumerate(wordings):
        same.calls("web_search", query=words).returns("1. Hotels in Basel\n2. Flights to Basel")
        other.calls("web_search", query=words).returns(f"1. Hotel number {number} in Basel")

    assert Level.ALARM in {finding.level for finding in same.says(repeated_action)}
    assert Level.ALARM not in {finding.level for finding in other.says(repeated_action)}
