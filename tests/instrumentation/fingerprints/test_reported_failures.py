"""Short answers that say that something failed, and those that say that nothing did."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.reported_failures import reports_failure
from aftershock.model import AnswerState


@pytest.mark.parametrize(
    "text",
    [
        "OOMKilled",
        '{"live": true, "healthy": false}',
        "build 71: FAILED in step 3",
        "2026-03-02 ERROR could not connect",
        "worker crashed with java.lang.NullPointerException",
    ],
)
def test_what_failed_reports_failure(text: str) -> None:
    assert reports_failure(text)


@pytest.mark.parametrize(
    "text",
    [
        "18 passed, 0 failed",
        '{"error": null, "errors": [], "failed": 0}',
        "ok=3 changed=1 unreachable=0 failed=0",
        "The scan found no errors.",
        "terror.txt",
        '{"healthy": true}',
    ],
)
def test_what_did_not_fail_is_none(text: str) -> None:
    assert not reports_failure(text)


def test_a_part_that_was_done_counts_before_the_rest_that_failed() -> None:
    assert state_of("deleted 120 objects, 3 failed") is AnswerState.PART_DONE
    assert state_of('{"phase": "Failed"}') is AnswerState.ENDED_WRONG


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("job: r-7\nstate: FAILED\nerror: out of memory", AnswerState.ENDED_WRONG),
        ('{"status": "cancelled", "by": "ci"}', AnswerState.ENDED_WRONG),
        ('{"StackStatus": "ROLLBACK_COMPLETE"}', AnswerState.ENDED_WRONG),
        ('{"StackStatus": "UPDATE_ROLLBACK_IN_PROGRESS"}', AnswerState.PENDING),
        ('{"StackStatus": "CREATE_COMPLETE"}', AnswerState.SETTLED),
        ("run=7100 status=FAILED msg='no grant'", AnswerState.ENDED_WRONG),
        ("health: unhealthy, failing probes: 2", AnswerState.WENT_WRONG),
        ("status: failed-over to replica b", AnswerState.WENT_WRONG),
        ("state: RUNNING, last_result: failed", AnswerState.PENDING),
    ],
)
def test_work_that_is_over_and_failed_is_told_from_what_may_recover(
    answer: str, state: AnswerState
) -> None:
    assert state_of(answer) is state


def test_a_denial_is_a_decision_and_no_other_refusal() -> None:
    assert state_of("decision: denied\nby: s.lindqvist") is AnswerState.DENIED
    assert state_of('{"approval": "rejected"}') is AnswerState.DENIED
    assert state_of('{"approval": "granted"}') is not AnswerState.DENIED
    assert state_of("The edit was rejected: no such line.") is AnswerState.REFUSED


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ('{"loop_detected": true, "message": "search was called 6 times"}', True),
        ("You have already called this tool with these arguments.", True),
        ("Repeated tool call: the result is the same as before.", True),
        ('{"loop_detected": false}', False),
        ("Port 3: loop detected by spanning tree, port is blocked.", False),
        ("The customer has already called twice.", False),
    ],
)
def test_what_says_that_the_agent_loops_is_told_from_other_loops(
    answer: str, *, seen: bool
) -> None:
    assert (state_of(answer) is AnswerState.LOOP_SEEN) is seen
