"""What a person's message asks of repetitions and of changes, and what says nothing of either."""

from __future__ import annotations

import pytest

from aftershock.model import Instruction
from aftershock.policy.instructions import (
    REPEATS_MAX,
    instruction_attributes,
    instruction_in,
    instruction_of,
)


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("run the suite 20 times", 20),
        ("10 runs each on main and on the branch", 10),
        ("prove it with 3 clean runs, then 5 more rounds", 5),
        ("bench it 12x", 12),
        ("bitte 15 mal ausführen", 15),
        ("请运行10次", 10),
        ("do it 9999 times", REPEATS_MAX),
    ],
)
def test_the_largest_number_of_times_that_is_asked_for_is_read(text: str, repeats: int) -> None:
    assert instruction_of(text) == Instruction(repeats=repeats)


@pytest.mark.parametrize(
    "text",
    [
        "stop please, HR says that they are coming back",
        "STOP! Do not delete anything else, p09 is still needed",
        "No, stop.",
        "review src/auth and list problems. Do NOT change any file",
        "look into it without changing anything",
    ],
)
def test_a_word_to_stop_or_to_change_nothing_is_read(text: str) -> None:
    assert instruction_of(text) == Instruction(forbids_changes=True)


@pytest.mark.parametrize(
    "text",
    [
        "stop the pod cart-1",
        "stop, rename /b instead",
        "Do not change any file but write the report to findings.md",
        "delete the old volumes, never touch production",
        "copy the 16 recordings",
        "the pods stopped 3 minutes ago",
        "",
    ],
)
def test_a_task_is_neither(text: str) -> None:
    assert instruction_of(text) is None


@pytest.mark.parametrize("asked", [Instruction(7), Instruction(None, True), Instruction(2, True)])
def test_an_instruction_is_read_again_from_its_attributes(asked: Instruction) -> None:
    assert instruction_in(instruction_attributes(asked)) == asked


def test_attributes_of_others_are_no_instruction() -> None:
    assert instruction_in({}) is None
    assert instruction_in({"aftershock.message.repeats": -3}) is None
    assert instruction_in({"aftershock.message.forbids_changes": "yes"}) is None


@pytest.mark.parametrize(
    "text",
    [
        "Don't change any code outside of src/parser, the tests there must pass.",
        "Never edit any file under migrations/. The login page should show an error.",
        "The login page shows no error. Do not change any lines in the public API.",
        "I want the totals in EUR. Don't remove any lines.",
        "Don't delete any files, p09 needs them; the report is due today.",
        "Make no changes to the schema, the endpoint must return 404.",
    ],
)
def test_what_is_forbidden_in_one_place_or_of_one_kind_forbids_no_other_change(text: str) -> None:
    """Found live: such a task paged for the two edits that it asked for."""
    assert instruction_of(text) is None
