"""unfounded_answer: what an answer rests on."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Level, Requirement, Run
from aftershock.rules.unfounded_answer import unfounded_answer
from aftershock.runs.expectations import (
    ANYTHING,
    LearnedExpectations,
    answer_requirements,
    learn_expectations,
)
from tests.support.scenario import LIMITS, Scenario, run


def having_read(count: int) -> LearnedExpectations:
    return learn_expectations(
        run(f"past-{number}")
        .calls("get_order", id=number)
        .returns({"order": number})
        .thinks(90, finish_reason="stop")
        .steps
        for number in range(count)
    )


def summaries(scenario: Scenario, learned: LearnedExpectations | None = None) -> list[str]:
    whole = scenario.ends().run()
    known = learned or LearnedExpectations()
    expecting = replace(whole, answer_requires=answer_requirements(known, whole.steps))
    return [finding.summary for finding in unfounded_answer(expecting, LIMITS)]


def test_an_answer_after_reads_that_all_failed_warns() -> None:
    failing = run().calls("get_order", id=1).fails("HTTP 503").times(2).thinks(90)

    (finding,) = failing.ends().says(unfounded_answer)
    assert finding.level == Level.WARN
    assert finding.summary == "The run answered although each of its 2 reads failed."
    assert finding.evidence == ("span-000", "span-001", "span-002")


def test_one_read_that_worked_is_enough() -> None:
    repaired = run().calls("get_order", id=1).fails("HTTP 503")

    assert summaries(repaired.calls("get_order", id=1).returns("order 1").thinks(90)) == []


def test_a_read_that_found_nothing_did_work() -> None:
    assert summaries(run().calls("search_orders", id=1).returns([]).thinks(90)) == []


def test_a_read_whose_answer_was_not_recorded_is_unknown() -> None:
    unknown = run().calls("get_order", id=1).returns(None)
    step = unknown.steps[-1]
    assert step.action is not None
    unknown.steps[-1] = replace(step, action=replace(step.action, result=None, outcome=None))

    assert summaries(unknown.thinks(90)) == []


def test_an_answer_without_the_usual_reads_warns() -> None:
    (summary,) = summaries(run().thinks(90), having_read(80))

    assert summary == "The run answered without having read from any tool."
    assert (
        summaries(run().calls("get_order", id=1).returns("order 1").thinks(90), having_read(80))
        == []
    )
    assert summaries(
        run().calls("get_weather", at="x").returns("sun").thinks(90), having_read(80)
    ) == ["The run answered without having read from get_order."]


def test_few_runs_teach_nothing() -> None:
    assert summaries(run().thinks(90), having_read(40)) == []


def test_notes_are_no_reads() -> None:
    noting = run().calls("think", thought="it must be 5").returns("ok").thinks(90)

    assert summaries(noting, having_read(80)) == [
        "The run answered without having read from any tool."
    ]


def test_nothing_is_said_before_everything_can_have_arrived() -> None:
    failing = run().calls("get_order", id=1).fails("HTTP 503").thinks(90).ends().run()

    assert list(unfounded_answer(replace(failing, settled=False), LIMITS)) == []
    assert list(unfounded_answer(replace(failing, dropped_steps=1), LIMITS)) == []


def test_every_expectation_that_is_not_met_is_listed() -> None:
    wants = tuple(
        Requirement(source, ANYTHING, learnt_support=90, learnt_confidence=1.0, sources=(source,))
        for source in (ANYTHING, "get_order")
    )
    answered: Run = replace(run().thinks(90).ends().run(), answer_requires=wants)

    (finding,) = unfounded_answer(answered, LIMITS)
    assert finding.facts == (
        "100% of 90 earlier runs read from any tool before they answered",
        "100% of 90 earlier runs read from get_order before they answered",
    )


def levels(failure: str, *, then: str | None, text: str) -> list[Level]:
    """Levels after two look-ups that failed so, a call that worked, and this answer."""
    asking = run()
    for number in range(2):
        asking.calls("read_sensor", id=number).fails(failure)
    if then is not None:
        asking.calls(then, room=4).returns({"ok": True})
    return [f.level for f in asking.thinks(9, text=text).ends().says(unfounded_answer)]


def test_a_claim_after_look_ups_that_all_failed_pages() -> None:
    calm = "Checked both rooms: no leaks."

    assert levels("504 gateway timeout", then=None, text=calm) == [Level.ALARM]
    assert levels("504 gateway timeout", then="unlock_room", text=calm) == [Level.ALARM]
    assert levels("504 gateway timeout", then=None, text="No sensor could be read.") == [Level.WARN]


def test_what_is_not_there_yet_may_be_made() -> None:
    made = "The room has been created."

    assert levels("404: sensor not found", then="create_room", text=made) == [Level.WARN]
    assert levels("bash: read: command not found", then="create_room", text=made) == [Level.ALARM]


def test_helpers_that_all_failed_found_nothing_out() -> None:
    asking = run()
    for place in ("north", "south"):
        asking.calls("Explore", prompt=f"Count the doors in the {place}").fails("terminated")
    (finding,) = asking.thinks(9, text="All doors are closed.").ends().says(unfounded_answer)

    assert finding.level is Level.ALARM
    assert finding.summary == "The run ended as done although each of its 2 reads failed."


def summed(tool: str, errors: int, text: str, *, error: str = "PermissionError: locked") -> list[Level]:  # fmt: skip
    """Levels of what is found of an answer about eight things of which some could not be read."""
    reading = run().receives_message("user", "how many of the eight agree?")
    for number in range(8):
        reading.calls(tool, path=f"answers/{number}.docx")
        if number < errors:
            reading.fails(error)
        else:
            reading.returns(f"I agree, says number {number}.")
    return [f.level for f in reading.thinks(90, text=text).ends().says(unfounded_answer)]


def test_an_answer_without_a_word_of_what_could_not_be_read_warns() -> None:
    for tool in ("read_document", "sharepoint.fetch"):
        assert summed(tool, 3, "All eight agree.") == [Level.WARN]
        assert summed(tool, 2, "All eight agree.") == []


def test_who_says_so_in_any_language_or_guessed_the_names_is_honest() -> None:
    assert summed("read_document", 4, "Four agree, four could not be opened.") == []
    assert summed("read_document", 4, "Vier stimmen zu, vier waren nicht lesbar.") == []
    assert summed("read_document", 4, "4人が賛成です。残りは開けませんでした。") == []
    assert summed("read_document", 4, "All agree.", error="FileNotFoundError: no such file") == []


def test_what_could_be_read_in_another_way_was_read() -> None:
    reading = run().receives_message("user", "sum them up")
    for number in range(4):
        reading.calls("read_document", path=f"{number}.docx").fails("file too large")
        reading.calls("read_part", path=f"{number}.docx", lines=200).returns("it agrees")

    assert reading.thinks(90, text="All agree.").ends().says(unfounded_answer) == []


def answered_after(text: str, *, found: object = None, act: str = "") -> list[Level]:
    searching = run().receives_message("user", "which standard covers this?")
    for words in ("hinge load", "door hinge standard", "hinge test"):
        searching.calls("search_standards", words=words).returns({"hits": []})
    if found is not None:
        searching.calls("search_standards", words="hinges").returns(found)
    if act:
        searching.calls(act, title="hinges").returns({"id": 7})
    return [f.level for f in searching.thinks(90, text=text).ends().says(unfounded_answer)]


def test_an_answer_after_searches_that_all_found_nothing_warns() -> None:
    assert answered_after("That is EN 1935, section 4.2.") == [Level.WARN]
    assert answered_after("Das regelt EN 1935, Abschnitt 4.2.") == [Level.WARN]


def test_an_honest_answer_one_hit_and_something_that_was_then_made_are_fine() -> None:
    assert answered_after("I found no standard on it.") == []
    assert answered_after("Dazu gibt es keine Norm.") == []
    assert answered_after("That is EN 1935.", found={"hits": ["EN 1935"]}) == []
    assert answered_after("It is entered as number 7.", act="create_entry") == []
