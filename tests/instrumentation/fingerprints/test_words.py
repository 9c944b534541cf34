"""Id-like words: what counts as one, and what can be said when there are too many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.fingerprints.keyed import hash_word
from aftershock.fingerprints.words import ids_in, is_absent, is_id, words_in
from aftershock.limits import Limits

LIMITS = Limits()


@pytest.mark.parametrize(
    "word",
    [
        "hat170", "mia_li_3668", "credit_card_4421486", "us133000000121212121212", "1234567",
        "ada@example.com", "vol-7f31", "checkout-7f9c8-abcde", "i-0abc12", "4wq150",
    ],
)  # fmt: skip
def test_names_of_one_thing_among_many_are_ids(word: str) -> None:
    assert is_id(word)


@pytest.mark.parametrize(
    "word",
    [
        "economy", "2024-05-20", "2024-05-20t10", "10", "123456", "12.50", "v2.1.3", "512mi",
        "30s", "-4000", "+1-555-0199", "1000usd", "a1", "@home", "",
    ],
)  # fmt: skip
def test_words_dates_times_amounts_and_quantities_are_not(word: str) -> None:
    assert not is_id(word)


def test_ids_are_found_whatever_stands_around_them() -> None:
    text = "Order (HAT170), see https://shop/x?id=4WQ150. Mail ada@example.com."

    assert words_in(text) == {hash_word(w) for w in ("hat170", "4wq150", "ada@example.com")}


def test_ids_of_arguments_keep_the_arguments_name_and_not_the_value() -> None:
    ids = ids_in({"user": {"id": "mia_li_3668"}, "note": "about HAT170 of today", "count": 7})

    assert ids == {f"id={hash_word('mia_li_3668'):08x}"}


def test_ids_of_arguments_are_bounded_in_number_and_depth() -> None:
    deep: object = "x1234y"
    for _ in range(50):
        deep = [deep]

    assert len(ids_in({"all": [f"id{n}x" for n in range(1_000)]})) == 32
    assert ids_in(deep) == frozenset()


def test_a_text_that_is_too_long_to_be_read_whole_is_not_known() -> None:
    assert words_in("x" * (LIMITS.value_chars_max + 1)) is None


@given(st.lists(st.integers(0, 10**6), max_size=60, unique=True), st.integers(0, 10**6))
def test_what_is_called_absent_is_never_among_the_words(numbers: list[int], other: int) -> None:
    tight = replace(LIMITS, words_max=8)
    words = words_in(" ".join(f"id{n}x" for n in numbers), tight)

    assert words is not None
    assert len(words) <= 8
    assert not any(is_absent(hash_word(f"id{n}x"), words, tight) for n in numbers)
    if len(numbers) < 8 and other not in numbers:
        assert is_absent(hash_word(f"id{other}x"), words, tight)


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert words_in(text) == words_in(text.replace("\n", " "))
