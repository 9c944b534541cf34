"""Errors without content: the kind of trouble stays, names and records go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aftershock.recorder.error_words import without_content


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("TimeoutError: connection to db timed out", "TimeoutError: connection to … timed out ["),
        ("Error: patient Jane Roe, born 1980-02-03", "Error: … # ["),
        ("KeyError: 'jane.roe@example.com'", "KeyError: '…'"),
        ("HTTP 503 Service Unavailable", "HTTP # Service Unavailable"),
        ("psycopg.errors.UniqueViolation: duplicate key value", "… duplicate key value ["),
        ("OSError: [Errno 111] ECONNREFUSED", "OSError: … #] ECONNREFUSED ["),
        ("permission denied", "permission denied"),
        ("", ""),
    ],
)
def test_only_words_of_errors_stay(text: str, kept: str) -> None:
    assert without_content(text).startswith(kept)


def test_two_kinds_of_trouble_stay_two_and_one_stays_one() -> None:
    first, second = without_content("no such pod"), without_content("no such tenant")

    assert first != second
    assert first == without_content("no such pod")


@given(some.text(max_size=300))
def test_any_text_has_a_class(text: str) -> None:
    assert len(without_content(text)) <= 220
