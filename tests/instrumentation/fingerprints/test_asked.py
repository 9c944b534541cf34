"""Sketches of arguments: names as a whole, sentences word by word."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.fingerprints.asked import Asked, asked_of
from aftershock.fingerprints.fingerprint import fingerprint_arguments


def asked(**arguments: Any) -> Asked:
    return asked_of(fingerprint_arguments(arguments).sketch)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"url": "https://alpha.com"}, {"url": "https://beta.com"}),
        ({"path": "src/a.py", "start": 1}, {"path": "src/a.py", "start": 51}),
        ({"recipient": "Ann", "body": "see you on monday"}, {"recipient": "Bob", "body": "see"}),
        ({"state": "open"}, {"state": "closed"}),
        ({"hotels": ["Astor", "Krone"]}, {"hotels": ["Astor"]}),
        ({"query": "SELECT a FROM t WHERE b"}, {"query": "SELECT c FROM t WHERE b"}),
        ({"command": "npx jest tests/nav --watch=false"}, {"command": "npx jest tests/cart -u"}),
    ],
)
def test_other_names_are_other_arguments(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert asked(**one).arguments != asked(**other).arguments


def test_sentences_are_words_and_the_names_inside_them() -> None:
    plain = asked(query="what does it cost to rent a flat")  # cost, rent, flat
    assert not plain.arguments
    assert not plain.names
    assert len(plain.words) == 3
    named = asked(query="what does https://a.example/b say of orders_2 and report.pdf in may")
    assert not named.arguments
    assert len(named.names) == 3
    assert named.words == asked(query="what does say of and in may").words


def test_the_same_value_of_another_argument_is_another_name() -> None:
    assert asked(giver="ann").arguments != asked(taker="ann").arguments


def test_numbers_are_known_apart() -> None:
    assert asked(q="orders of the month of may", page=2).numbers
    assert not asked(q="orders of the month of may").numbers
    moved = fingerprint_arguments({"page": 2}).sketch ^ fingerprint_arguments({"page": 3}).sketch
    assert asked_of(moved).numbers == moved


def test_code_is_compared_by_its_words_and_its_numbers() -> None:
    code = asked(code="task = search_agent(question='where is it')\nprint(task.answer, 12)")
    assert len(code.names) == 1
    assert code.words


def test_values_about_a_person_are_only_known_together() -> None:
    one, other = (
        asked(phone="+41 44 668 18 00", text="x"),
        asked(phone="+41 44 668 18 01", text="x"),
    )
    assert one.arguments != other.arguments
    assert len(one.arguments & other.arguments) == 1
