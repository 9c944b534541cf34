"""Screening: it finds exactly what the pattern finds, and searches far fewer texts."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.fingerprints import answers, languages, outcomes, portions, walls
from aftershock.fingerprints.screening import Screened, candidates, folded, needed_by

PATTERNS = [
    one
    for module in (answers, languages, outcomes, portions, walls)
    for one in vars(module).values()
    if isinstance(one, Screened)
]
ODD = "\u0130\u0131\u017f\u212a\u00df\u1e9e\u00b5\ufb01\u3000\u2028\x1c\t\n\r"
WORDS = st.sampled_from(
    [
        "error",
        "failed",
        "status",
        "state",
        "rejected",
        "pending",
        "approval",
        "null",
        "0",
        "rows",
        ":",
        "=",
        '"',
        "'",
        "{",
        "}",
        "[",
        "]",
        "was",
        "no",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.one_of(WORDS, st.sampled_from(ODD))).map(" ".join),
)


@pytest.mark.parametrize("screened", PATTERNS, ids=lambda one: one.pattern.pattern[:24])
@given(data=st.data())
def test_every_match_of_a_pattern_passes_its_screen(
    screened: Screened, data: st.DataObject
) -> None:
    around = st.text(ODD + "ab \n", max_size=3)
    text = data.draw(around) + data.draw(st.from_regex(screened.pattern)) + data.draw(around)

    assert same(screened.search(text), screened.pattern.search(text))


def same(one: re.Match[str] | None, other: re.Match[str] | None) -> bool:
    """True for two matches at the same place, or two times none."""
    return (one and one.span()) == (other and other.span())


@given(text=TEXTS)
def test_no_text_is_judged_otherwise_than_by_the_pattern_alone(text: str) -> None:
    for screened in PATTERNS:
        assert same(screened.search(text), screened.pattern.search(text))
        assert screened.sub("~", text) == screened.pattern.sub("~", text)
        assert screened.findall(text) == screened.pattern.findall(text)


def test_what_ignoring_case_takes_for_equal_is_equal_when_folded() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzäöüéèàçñãõáíóúê"
    each = {letter: re.compile(letter, re.IGNORECASE) for letter in letters}
    any_of_them = re.compile(f"[{letters}]", re.IGNORECASE)
    for code in range(sys.maxunicode + 1):
        if any_of_them.match(char := chr(code)):
            matched = [letter for letter, pattern in each.items() if pattern.match(char)]
            assert [folded(char)] == matched
        if char.isspace():
            assert folded(char) == " "


def test_a_text_without_a_piece_is_searched_by_no_pattern_that_needs_one() -> None:
    assert not candidates("0000") & {one for one in PATTERNS if needed_by(one.pattern)}
    assert answers.REFUSED in candidates("The request was REJECTED.")


@pytest.mark.parametrize(
    ("pattern", "pieces"),
    [
        (r"\bno\sop\b", {"no op"}),
        (r"(?:alpha|beta)s?\d+", {"alpha", "beta"}),
        (r"(?:alpha|be)s?\d+", None),
        (r"(?:alpha)?\d+", None),
        (r"(?=.*gamma)\w+", {"gamma"}),
        (r"(?!alpha)gamma", {"gamma"}),
        (r"(?:xyz|abc)\W+(?:delta|epsilon)", {"delta", "epsilon"}),
        (r"(?i:ALPHA)", {"alpha"}),
        (r"straße\d", {"stra"}),
    ],
)
def test_the_pieces_are_read_from_the_pattern(pattern: str, pieces: set[str] | None) -> None:
    assert needed_by(re.compile(pattern)) == pieces


def test_a_parser_that_has_changed_ends_the_screening_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "re._parser", object())

    assert needed_by(re.compile("alpha")) is None
