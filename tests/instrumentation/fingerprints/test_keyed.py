"""Keyed hashes: equal with one key, unrelated with another, nothing to guess without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aftershock.fingerprints.asked import unnamed
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
)
from aftershock.fingerprints.keyed import KEY_BYTES_MIN, hash_subject, hash_word, key_id, use_key
from aftershock.fingerprints.words import ids_in, words_in

ARGUMENTS = {"user": "mia_li_3668", "question": "what did the invoice cost"}
ONE, OTHER = b"one key of thirty-two bytes.....", b"another key of thirty-two bytes."


@pytest.fixture(autouse=True)
def unkeyed_afterwards() -> Iterator[None]:
    yield
    use_key(b"")


def everything() -> list[object]:
    """Every hash that leaves a process for one call."""
    arguments = fingerprint_arguments(ARGUMENTS)
    result = fingerprint_result("invoice 7781\ncost 12 EUR\npaid by mia_li_3668")
    return [
        arguments.digest,
        arguments.sketch,
        result.digest,
        result.sketch,
        subjects_of(ARGUMENTS),
        ids_in(ARGUMENTS),
        words_in("paid by mia_li_3668"),
    ]


def test_two_processes_with_one_key_agree_on_every_hash() -> None:
    use_key(ONE)
    first = everything()
    use_key(ONE)

    assert everything() == first


def test_no_hash_made_with_one_key_is_made_with_another_or_without() -> None:
    use_key(ONE)
    first = everything()
    use_key(OTHER)
    second = everything()
    use_key(b"")
    unkeyed = everything()

    for hashes in zip(first, second, unkeyed, strict=True):
        assert len({str(one) for one in hashes}) == 3


def test_a_list_of_words_recognises_nothing_without_the_key() -> None:
    use_key(ONE)
    sketch = fingerprint_arguments(ARGUMENTS).sketch
    use_key(b"")
    guesses = {hash_word(word) | digit for word in ("invoice", "cost", "what") for digit in (0, 1)}

    assert sketch.isdisjoint(guesses)
    assert sketch.isdisjoint({guess & ~1 for guess in guesses})


def test_keys_have_ids_that_say_nothing_of_them() -> None:
    use_key(ONE)
    first = key_id()
    use_key(OTHER)

    assert first != key_id()
    assert len(first) == 8
    assert first not in ONE.hex()


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        use_key(b"x" * (KEY_BYTES_MIN - 1))


def test_a_long_text_is_a_key_too() -> None:
    use_key(b"a passphrase " * 20)

    assert hash_subject("prod") == hash_subject("PROD")
    assert key_id()


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": "call +1 (415) 555-0199 now"},
        {"text": "call 415-555-0199 now"},
        {"phone_number": "4155550199", "text": "call now"},
        {"text": "call 078-05-1120 now"},
        {"ssn": "078051120", "text": "call now"},
        {"text": "call 4111 1111 1111 1111 now"},
        {"text": "call jane.roe@example.com now"},
        {"card": {"number": "4111111111111111"}, "text": "call now"},
    ],
)
def test_numbers_of_people_are_in_no_sketch(arguments: dict[str, object]) -> None:
    found = fingerprint_arguments(arguments)
    plain = fingerprint_arguments({"text": "call now"})

    (added,) = found.sketch - plain.sketch
    assert added == unnamed(int(found.digest[:8], 16))


def test_calls_about_two_people_differ_in_their_sketch_all_the_same() -> None:
    one = fingerprint_arguments({"email": "ada@example.com"})
    other = fingerprint_arguments({"email": "bob@example.com"})

    assert one.sketch != other.sketch
