"""Whether an answer is usable: lists of failures, counts of nothing, work that was aborted."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import Outcome

JOBS = [{"id": "J1", "error": "timeout"}, {"id": "J2", "error": "disk full"}]


@pytest.mark.parametrize(
    "answer",
    [
        {"failed": JOBS},
        {"runs": [{"status": "failed", "name": "nightly"}], "total": 1},
        {"data": {"alerts": [{"state": "error", "host": "web-1"}]}},
    ],
)
def test_a_list_of_what_failed_is_an_answer(answer: dict[str, Any]) -> None:
    assert outcome_of(answer, None) is Outcome.OK


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "timeout", "jobs": JOBS},
        {"errors": [{"message": "unknown column"}]},
        {"result": {"status": "failed"}},
        "Job aborted due to stage failure: java.lang.OutOfMemoryError",
        "The query was killed by the watchdog after 300 s",
    ],
)
def test_what_a_call_says_of_itself_is_a_failure(answer: Any) -> None:
    assert outcome_of(answer, None) is Outcome.FAILED


@pytest.mark.parametrize(
    "answer",
    [
        {"jobComplete": True, "totalRows": "0", "totalBytesProcessed": "41220113920"},
        {"query_id": 8, "took": 3, "hits": [], "total": 0, "searched": 10_031},
    ],
)
def test_a_count_of_nothing_is_empty_whatever_else_is_counted(answer: dict[str, Any]) -> None:
    assert outcome_of(answer, None) is Outcome.EMPTY


def test_no_rows_of_several_are_no_empty_answer() -> None:
    assert outcome_of({"rows": [], "total": 3}, None) is Outcome.OK


@pytest.mark.parametrize(
    "answer",
    [
        '{"type": "about:blank", "title": "Conflict", "status": 409, "instance": "/carts/4"}',
        '{"detail": "Not authenticated", "status": 401}',
        '{"exitStatus": 2, "stdout": ""}',
        '{"returnCode": 128, "stderr": "fatal: not a git repository"}',
        "<!doctype html><html><head><title>Error 404 (Not Found)</title></head><body>…",
        "<html><head><title>503 Service Unavailable</title></head></html>",
        "pg_restore: got error: could not read from input file",
    ],
)
def test_a_failure_is_one_in_whatever_form_it_is_reported(answer: str) -> None:
    assert outcome_of(answer, None) is Outcome.FAILED


@pytest.mark.parametrize(
    "answer",
    [
        '{"took": 3, "timed_out": false, "hits": []}',
        '{"apiVersion": "v1", "kind": "PodList", "items": []}',
        '{"ok": true, "data": {"series": []}}',
    ],
)
def test_a_list_with_nothing_in_it_is_no_answer_whatever_stands_around_it(answer: str) -> None:
    assert outcome_of(answer, None) is Outcome.EMPTY


@pytest.mark.parametrize(
    "answer",
    [
        '{"status": "success", "errors": [], "warnings": []}',
        '{"items": [], "deleted": ["a", "b"]}',
        '{"url": "https://shop.example/old", "status": 404}',
        "<html><head><title>Room 404: how we found the leak</title></head></html>",
        '{"status": 200, "title": "Orders", "detail": "all shipped"}',
        '{"exitCode": 0, "stdout": ""}',
    ],
)
def test_what_only_looks_like_a_failure_or_like_nothing_is_an_answer(answer: str) -> None:
    assert outcome_of(answer, None) in {Outcome.OK, Outcome.EMPTY}
    assert outcome_of(answer, None) is not Outcome.FAILED
