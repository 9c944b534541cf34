"""What an exit status says."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.fingerprint import fingerprint_result
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import AnswerState, Outcome


@pytest.mark.parametrize(
    "answer",
    [
        "Exit code 1",
        "[exit 1]",
        "Command exited with code 1 and no output",
        {"exit_code": 1, "stdout": "", "stderr": "", "duration_ms": 31},
        {"returncode": 1, "stdout": "", "command": "grep x y"},
    ],
)
def test_a_status_of_one_and_no_output_says_no(answer: object) -> None:
    assert outcome_of(answer, None) is Outcome.EMPTY


@pytest.mark.parametrize(
    "answer",
    [
        "Exit code 2",
        "collected 0 items\n[exit 5]",
        "make: *** [all] Error 2\n(exit: 2)",
        {"exit_code": 1, "stdout": "", "stderr": "no such table"},
        {"exit_code": 2, "stdout": "", "stderr": ""},
        "lint: 3 problems\nexit code 1",
    ],
)
def test_any_other_status_is_a_failure(answer: object) -> None:
    assert outcome_of(answer, None) is Outcome.FAILED


def test_a_probe_that_prints_its_no_is_read_by_its_words() -> None:
    assert outcome_of("port 22 closed\n[exit 1]", None) is Outcome.OK


def test_a_state_says_that_there_is_none() -> None:
    assert state_of("Exit code 1") is AnswerState.NONE_FOUND
    assert state_of('{"deleted": 0}') is AnswerState.UNCHANGED
    assert state_of('{"rowCount": 0, "command": "UPDATE"}') is AnswerState.UNCHANGED
    assert state_of('{"rowCount": 0, "command": "SELECT"}') is not AnswerState.UNCHANGED
    assert state_of('{"inserted": 3, "deleted": 0}') is not AnswerState.UNCHANGED
    assert state_of('{"state": "open", "decided_by": null}') is AnswerState.WAITS_FOR_PERSON


def test_a_thing_whose_name_ends_like_a_clock_is_content() -> None:
    def digest(position: int) -> str:
        return fingerprint_result({"mergeRequest": {"position": position}}).digest

    assert digest(4) != digest(3)
    assert (
        fingerprint_result({"pages_fetched": 3}).digest
        != fingerprint_result({"pages_fetched": 5}).digest
    )
