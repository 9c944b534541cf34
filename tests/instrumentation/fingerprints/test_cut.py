"""What a recorder cut is unknown: not cut off by the tool, and not absent."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.cut import is_cut_by_recorder
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import Outcome


@pytest.mark.parametrize("length", [256, 1_000, 4_096, 12_000])
def test_a_text_of_a_usual_limit_was_cut(length: int) -> None:
    assert is_cut_by_recorder("x" * length)
    assert is_cut_by_recorder("x" * length + "…")
    assert is_cut_by_recorder("x" * length + "...")
    assert not is_cut_by_recorder("x" * (length - 2))


def test_json_that_a_recorder_cut_was_shown_whole_and_json_that_its_tool_cut_was_not() -> None:
    rows = '[{"id": 1}, ' * 200

    assert outcome_of(rows[:1_000], None) is Outcome.OK
    assert outcome_of(rows[:1_001], None) is Outcome.TRUNCATED
    assert outcome_of(rows[:980] + " [output truncated]", None) is Outcome.TRUNCATED
