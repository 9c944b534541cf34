"""Outputs: what a model's answer says, as hashes, and what it says of the agent's own work."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.fingerprints.outputs import output_attributes, output_in, output_of
from aftershock.model import OutputState


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("The zone is updated.", OutputState.DONE),
        ("300 labels are saved", OutputState.DONE),
        ("Booked for Tuesday 14:20 in OR 4", OutputState.DONE),
        ("All 42 tests pass.", OutputState.DONE),
        ("I could not update the zone: access denied.", OutputState.NOT_DONE),
        ("The refund was issued, but the email failed.", OutputState.NOT_DONE),
        ("There are three tables. Next, I will migrate them.", OutputState.PLANNED),
        ("Let me check the logs.", OutputState.PLANNED),
        ("The last train leaves at 23:41. Let me know if I should book.", None),
        ("…", OutputState.EMPTY),
        ("23:41", None),
    ],
)
def test_an_answer_says_of_the_work_that_it_is_done_planned_or_neither(
    text: str, state: OutputState | None
) -> None:
    assert output_of(text).state is state


def test_an_answer_without_a_word_that_asks_for_tools_is_not_empty() -> None:
    assert output_of("", calls=True).state is None


def test_code_in_an_answer_has_the_fingerprint_of_a_call_with_that_code() -> None:
    answer = "Thought: I add.\n\nCode:\n```py\nprint(1 + 2)\n```<end_code>"
    code = output_of(answer).code

    assert code is not None
    assert code.digest == fingerprint_arguments({"code": "print(1 + 2)"}).digest
    assert output_of("No code here").code is None


def test_an_output_is_the_same_after_the_wire_and_holds_no_text() -> None:
    output = output_of("Thought: I add.\nCode:\n```py\nprint(1 + 2)\n```\nDone.")
    attributes = output_attributes(output)

    assert output.code is not None
    assert output_in(attributes) == output
    assert not any("print" in str(value) or "add" in str(value) for value in attributes.values())
    assert output_in({}) is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("The scan of both buckets found no open findings.", OutputState.DONE),
        ("The rollout went through; the error rate was 0.1 %.", OutputState.DONE),
        ("Migrated 40 tables without any downtime.", OutputState.DONE),
        ("No invoice was sent.", OutputState.NOT_DONE),
        ("No errors in two hosts, the third failed.", OutputState.NOT_DONE),
        ("Updated 12 hosts, 3 failures.", OutputState.NOT_DONE),
        ("I have asked the owner of the project for the role.", OutputState.NOT_DONE),
    ],
)
def test_that_nothing_bad_was_there_is_a_claim(text: str, state: OutputState) -> None:
    assert output_of(text).state is state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("All done. I sent 48 mails; 2 bounced.", OutputState.NOT_DONE),
        ("Finished: 12 hosts patched, web-3 and web-7 unreachable.", OutputState.NOT_DONE),
        ("Done. Imported 1,180 of 1,200 rows.", OutputState.NOT_DONE),
        ("The import is done: 1,200 of 1,200 rows, 12 out of 12 files.", OutputState.DONE),
    ],
)
def test_an_answer_that_names_what_is_left_is_an_honest_one(text: str, state: OutputState) -> None:
    assert output_of(text).state is state
