"""action_cycle: circles of calls and of hand-offs."""

from __future__ import annotations

import pytest

from aftershock.model import Level
from aftershock.rules.action_cycle import action_cycle
from tests.support.scenario import Scenario, run

PLACES = "abcdefghi"


def circle(period: int, rounds: int) -> Scenario:
    going = run()
    for _ in range(rounds):
        for place in PLACES[:period]:
            going.calls("look_at", place=place).returns(f"sign {place}")
    return going


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_a_second_round_warns_and_a_third_alarms(period: int) -> None:
    warned = circle(period, 2).says(action_cycle)
    alarmed = circle(period, 3).says(action_cycle)

    assert [f.level for f in warned] == [Level.WARN]
    assert [f.level for f in alarmed] == [Level.ALARM]
    assert warned[0].id == alarmed[0].id
    assert len(alarmed[0].evidence) == 3 * period


def test_a_circle_keeps_its_name_wherever_it_stands() -> None:
    going = run()
    names = set[str]()
    for at in range(14):
        going.calls(("read_a", "read_b", "read_c")[at % 3]).returns("same")
        names |= {f.subject for f in going.says(action_cycle)}

    assert names == {"read_a → read_b → read_c"}


def test_a_longer_circle_than_the_limit_is_silent() -> None:
    assert circle(9, 3).says(action_cycle) == []


def test_cursors_that_lead_back_to_one_another_are_a_circle_and_a_list_that_ends_is_none() -> None:
    circling, ending = run(), run()
    for cursor in ("a1", "b2", "c3") * 3:
        circling.calls("list_events", cursor=cursor, limit=2).returns({"events": [f"e-{cursor}"]})
    for cursor in range(9):
        ending.calls("list_events", cursor=f"c{cursor}", limit=2).returns({"events": [cursor]})

    assert [f.level for f in circling.says(action_cycle)] == [Level.ALARM]
    assert ending.says(action_cycle) == []


def test_pages_that_hold_something_new_at_each_reading_are_no_circle() -> None:
    watching = run()
    for reading in range(4):
        for page in (1, 2):
            rows = [f"order {reading * 10 + page}"]
            watching.calls("list_orders", page=page).returns({"orders": rows})

    assert watching.says(action_cycle) == []


def test_one_call_again_and_again_is_the_other_rule() -> None:
    assert run().calls("look").returns("x").times(8).says(action_cycle) == []


def test_a_round_that_learnt_something_is_silent() -> None:
    learning = run()
    for new in ("apples\nfigs", "plums\nkiwis", "dates\nnuts"):
        learning.calls("next_page").returns(new).calls("get_goal").returns("find nuts")

    assert learning.says(action_cycle) == []


def test_edit_and_test_is_silent_while_the_edits_differ() -> None:
    editing = run()
    for text in "abcd":
        editing.calls("edit_file", text=text).returns("saved").calls("run_tests").returns(
            "1 failed"
        )

    assert editing.says(action_cycle) == []


def test_the_same_edit_and_the_same_failing_test_are_a_circle() -> None:
    editing = run()
    for _ in range(3):
        editing.calls("edit_file", text="a").returns("saved").calls("run_tests").returns("1 failed")

    assert [f.level for f in editing.says(action_cycle)] == [Level.ALARM]


def test_agents_that_hand_the_same_work_round_are_a_circle() -> None:
    handing = run(agent="planner")
    for _ in range(3):
        handing.as_worker("planner").hands_off("researcher")
        handing.calls("search", q="limits").returns("nothing about limits")
        handing.hands_off("planner")

    findings = handing.says(action_cycle)

    assert [f.level for f in findings] == [Level.ALARM]
    assert "planner to researcher" in findings[0].summary


def test_agents_that_only_talk_get_more_rounds() -> None:
    def talk(rounds: int) -> list[Level]:
        talking = run(agent="writer")
        for _ in range(rounds):
            talking.as_worker("writer").hands_off("critic").hands_off("writer")
        return [f.level for f in talking.says(action_cycle)]

    assert talk(2) == []
    assert talk(3) == [Level.WARN]
    assert talk(5) == [Level.ALARM]


def test_hand_offs_with_new_work_each_time_are_silent() -> None:
    handing = run(agent="planner")
    for topic in ("apples", "pears", "figs"):
        handing.as_worker("planner").hands_off("researcher")
        handing.calls("search", q=topic).returns(topic).hands_off("planner")

    assert handing.says(action_cycle) == []


def test_what_is_done_and_undone_again_is_a_circle_whatever_the_receipts_are() -> None:
    matching = run()
    for number in range(3):
        matching.calls("match_line", line="l-3").returns(
            {"matched": True, "id": f"M{510 + number}"}
        )
        matching.calls("unmatch_line", line="l-3").returns(
            {"undone": True, "id": f"M{510 + number}"}
        )

    assert [f.level for f in matching.says(action_cycle)] == [Level.ALARM]


def test_a_read_and_a_write_whose_answers_differ_are_no_circle() -> None:
    counting = run()
    for number in range(3):
        counting.calls("get_next", queue="q").returns({"id": f"M{510 + number}"})
        counting.calls("ack", queue="q").returns({"ok": True, "id": f"M{510 + number}"})

    assert counting.says(action_cycle) == []


def handed_round(desks: list[str], tool: str, rounds: int, *, new: bool) -> Scenario:
    handing = run(agent=desks[0])
    for number in range(rounds * len(desks)):
        giver, taker = desks[number % len(desks)], desks[(number + 1) % len(desks)]
        handing.as_worker(giver).calls(tool, case="K-17")
        handing.returns({"status": "open", "notes": number if new else 3}).hands_off(taker)
    return handing


def test_work_that_is_handed_round_and_looked_at_in_vain_is_a_circle_of_any_length() -> None:
    for desks, tool in (
        (["triage", "billing", "network"], "crm_lookup"),
        (["build", "test", "release", "ops"], "kubectl_get"),
    ):
        levels = [
            [f.level for f in handed_round(desks, tool, rounds, new=False).says(action_cycle)]
            for rounds in (1, 2, 3)
        ]
        assert levels == [[], [Level.WARN], [Level.ALARM]]


def test_work_that_is_handed_round_while_somebody_finds_something_is_silent() -> None:
    assert handed_round(["a", "b", "c"], "crm_lookup", 4, new=True).says(action_cycle) == []


@pytest.mark.parametrize(
    ("listen", "speak"),
    [("speech.recognize", "speech.say"), ("gather_dtmf", "play_prompt"), ("stt", "tts")],
)
def test_a_person_who_is_not_understood_is_asked_again_five_times(listen: str, speak: str) -> None:
    def asked(rounds: int) -> list[Level]:
        talking = run()
        for _ in range(rounds):
            talking.calls(listen).returns({"heard": "", "event": "noise"})
            talking.calls(speak, text="Once more, please?").returns("played")
        return [finding.level for finding in talking.says(action_cycle)]

    assert asked(3) == []
    assert asked(5) == [Level.WARN]
    assert asked(6) == [Level.ALARM]


def test_who_only_speaks_or_polls_a_queue_talks_to_nobody() -> None:
    saying, taking = run(), run()
    for _ in range(3):
        saying.calls("say", text="one").returns("played").calls("tell", text="two").returns("said")
        taking.calls("sqs_listen").returns({"id": 7}).calls("parse_order", id=7).returns("bad")

    assert [f.level for f in saying.says(action_cycle)] == [Level.ALARM]
    assert [f.level for f in taking.says(action_cycle)] == [Level.ALARM]
