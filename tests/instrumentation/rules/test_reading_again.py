"""repeated_action: pages that begin anew, searches that no edit changes, passages and empty places."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def found(reading: Scenario, about: str) -> list[Level]:
    return [f.level for f in reading.says(repeated_action) if about in f.subject]


def paged(rounds: int, tool: str, page: str, *, failure: str = "timeout", ends: bool = True) -> Scenario:  # fmt: skip
    """A list that is read page by page in each round, and fails at the third page."""
    reading = run()
    for turn in range(rounds):
        reading.calls(tool, **{page: ""}).returns({"rows": ["a-1", "a-2"], "then": f"k{turn}1"})
        reading.calls(tool, **{page: f"k{turn}1"}).returns({"rows": ["b-1"], "then": f"k{turn}2"})
        if ends:
            reading.calls(tool, **{page: f"k{turn}2"}).returns({"error": failure})
    reading.calls(tool, **{page: ""}).returns({"rows": ["a-1", "a-2"], "then": "k91"})
    return reading


@pytest.mark.parametrize(("tool", "page"), [("dump_members", "cursor"), ("crm.list", "token")])
def test_a_list_that_begins_anew_after_the_same_failure_pages_at_the_fifth_time(
    tool: str, page: str
) -> None:
    assert found(paged(2, tool, page), "anew") == []
    assert found(paged(3, tool, page), "anew") == [Level.WARN]
    assert found(paged(4, tool, page), "anew") == [Level.ALARM]


def test_a_list_that_is_read_to_its_end_each_time_is_read_again_on_purpose() -> None:
    assert found(paged(4, "dump_members", "cursor", ends=False), "anew") == []


def test_a_list_that_is_read_anew_after_a_repair_is_checked() -> None:
    reading = run()
    for turn in range(6):
        for page in ("", f"k{turn}"):
            reading.calls("dump_members", cursor=page).returns({"rows": ["a"], "then": "k"})
        reading.calls("dump_members", cursor="k9").returns({"error": "bad row"})
        reading.calls("update_member", row=turn).returns({"ok": True, "row": turn})

    assert found(reading, "anew") == []


def test_a_call_that_worked_and_whose_answer_was_not_recorded_is_no_beginning() -> None:
    reading = run()
    for _ in range(6):
        reading.calls("dump_members", cursor="").returns("page")
        last = reading.steps[-1]
        assert last.action is not None
        reading.steps[-1] = replace(last, action=replace(last.action, result=None))

    assert found(reading, "anew") == []


def edited(rounds: int, *, edit: str, printed: str = "", shown: str = "7") -> Scenario:
    editing = run()
    for turn in range(rounds):
        editing.calls("bash", command=edit.format(turn)).returns(printed)
        editing.calls("bash", command="grep -c legacy src/site.conf").returns(shown.format(turn))
    return editing


@pytest.mark.parametrize(
    "edit", ["sed -i 's/legacy{}/modern/' site.conf", "perl -pi -e 's/a{}/b/' src/other.conf"]
)
def test_a_search_that_no_silent_edit_changes_pages_at_the_eighth(edit: str) -> None:
    assert found(edited(4, edit=edit), "unmoved") == []
    assert found(edited(5, edit=edit), "unmoved") == [Level.WARN]
    assert found(edited(8, edit=edit), "unmoved") == [Level.ALARM]


def test_a_search_tool_beside_an_editor_that_changes_nothing_is_the_same() -> None:
    editing = run()
    for turn in range(8):
        editing.calls("replace_text", old=f"legacy {turn}", new="m").returns("no changes made")
        editing.calls("search_text", pattern="legacy").returns("site.conf:4: legacy")

    assert found(editing, "unmoved") == [Level.ALARM]


def test_a_search_that_finds_less_and_edits_that_say_what_they_did_are_progress() -> None:
    edit = "sed -i 's/legacy{}/modern/' site.conf"
    assert found(edited(9, edit=edit, shown="{}"), "unmoved") == []
    assert found(edited(9, edit=edit, printed="1 line replaced"), "unmoved") == []


def test_a_check_that_is_fine_after_each_edit_is_good_news() -> None:
    editing = run()
    for turn in range(9):
        editing.calls("bash", command=f"sed -i 's/a{turn}/b/' nginx.conf").returns("")
        editing.calls("bash", command="nginx -t").returns("syntax is ok")

    assert found(editing, "unmoved") == []


PASSAGE = {
    "passages": [{"page": 4, "text": "Guests may cancel free of charge until the day before."}]
}
QUESTIONS = (
    "may dogs sleep in the room",
    "dog policy of the hotel",
    "is a pet allowed with guests",
    "bring my dog along",
    "fee for pets per night",
    "are animals welcome there",
)  # fmt: skip


@pytest.mark.parametrize("tool", ["search_handbook", "docs.lookup"])
def test_one_short_passage_for_six_questions_pages(tool: str) -> None:
    asking = run()
    for question in QUESTIONS:
        asking.calls(tool, q=question, limit=1).returns(PASSAGE)

    assert found(asking, "equal") == [Level.ALARM]


def test_names_that_are_found_in_one_place_and_states_are_no_passage() -> None:
    looking, asking = run(), run()
    for name in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta"):
        looking.calls("search_code", q=name).returns(
            {"files": ["services/checkout/src/main/java/shop/Order.java"]}
        )
    for question in QUESTIONS:
        asking.calls("lookup_state", q=question).returns(
            {"status": "healthy", "region": "eu-central-1", "zone": "a", "replicas": "three"}
        )

    assert found(looking, "equal") == []
    assert found(asking, "equal") == []


def searched(tool: str, known: object, *, place: str = "tickets-2019") -> list[Level]:
    searching = run().calls(tool, index=place).returns(known)
    for name in ("lamp", "chair", "desk", "shelf", "sofa", "rug"):
        searching.calls("search_index", index="tickets-2019", query=name).returns({"hits": []})
    return found(searching, "nothing")


def test_searches_of_a_place_that_is_known_to_be_empty_page() -> None:
    assert searched("index_stats", {"index": "tickets-2019", "documents": 0}) == [Level.ALARM]
    assert searched("describe_index", {"index": "tickets-2019", "total": 0, "rows": 0}) == [
        Level.ALARM
    ]


def test_searches_of_a_place_that_holds_something_are_a_sweep() -> None:
    for levels in (
        searched("index_stats", {"index": "tickets-2019", "documents": 8_100}),
        searched("index_stats", {"index": "tickets-2018", "documents": 0}, place="tickets-2018"),
        searched("list_aliases", {"aliases": []}),
    ):
        assert levels in ([], [Level.WARN])
