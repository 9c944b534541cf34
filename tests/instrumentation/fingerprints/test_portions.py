"""Portions: counts in answers, and calls that bound how much they do."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.portions import is_portion
from aftershock.model import AnswerState, Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run


@pytest.mark.parametrize(
    "answer",
    [
        "DELETE 10000",
        "1,000 rows deleted",
        "Purged 500 messages from orders-dlq",
        '{"deleted": 1000, "remaining": 4000}',
        '{"status": "ok", "archived": 500, "has_more": true}',
        "Moved 200 files, 1,800 left",
    ],
)
def test_what_was_removed_or_leaves_something_to_do_is_a_part_that_is_done(answer: str) -> None:
    assert state_of(answer) is AnswerState.PART_DONE


@pytest.mark.parametrize(
    "answer", ["UPDATE 500", "Query OK, 1,000 rows affected (0.2 sec)", '{"modified": 500}']
)
def test_what_was_changed_is_counted_and_may_be_the_same_again(answer: str) -> None:
    assert state_of(answer) is AnswerState.COUNTED


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("DELETE 1", None),
        ('pod "web-1" deleted', None),
        ("deleted order 5512", None),
        ('{"deleted": "2026-03-02T10:00:00"}', None),
        ("DELETE 0", AnswerState.UNCHANGED),
        ('{"status": "running", "deleted": 400}', AnswerState.PENDING),
    ],
)
def test_one_thing_an_id_or_a_date_is_no_part(answer: str, state: AnswerState | None) -> None:
    assert state_of(answer) is state


@pytest.mark.parametrize(
    ("arguments", "portion"),
    [
        ({"query": "DELETE FROM a WHERE id IN (SELECT id FROM a LIMIT 10000)"}, True),
        ({"sql": "DELETE TOP (500) FROM a"}, True),
        ({"batch_size": 500}, True),
        ({"queue": "dlq", "limit": None}, False),
        ({"sql": "UPDATE a SET state = 1 WHERE batch = 19"}, False),
    ],
)
def test_a_portion_is_a_call_that_says_at_most_how_much_it_does(
    arguments: dict[str, Any], portion: bool
) -> None:
    assert is_portion(arguments) is portion


def test_the_same_bounded_statement_is_progress_while_it_counts_rows() -> None:
    filling = run()
    for rows in (5000, 5000, 5000, 5000, 118):
        filling.calls("sql", query="UPDATE a SET b = 1 WHERE b IS NULL LIMIT 5000")
        filling.returns(f"UPDATE {rows}")
        assert filling.says(repeated_action) == []


def test_the_same_unbounded_update_is_a_repetition_whatever_it_counts() -> None:
    setting = run().calls("sql", query="UPDATE a SET b = 1 WHERE c = 19").returns("UPDATE 340")

    assert [f.level for f in setting.times(4).says(repeated_action)] == [Level.ALARM]
