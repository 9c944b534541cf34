"""Composed values of attributes: what the agent's process encodes, the collector decodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aftershock.model import Requirement
from aftershock.wire import (
    EVERYTHING,
    HASHES_MAX,
    RequestedCall,
    decode_fact,
    decode_hashes,
    decode_named_hash,
    decode_requested_call,
    decode_requirement,
    encode_fact,
    encode_hashes,
    encode_named_hash,
    encode_requested_call,
    encode_requirement,
)

NAMES = some.text(some.characters(exclude_characters="\t"), min_size=1)
SECONDS = some.none() | some.floats(
    min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False
)
HEX = some.text("0123456789abcdef", min_size=16, max_size=16)


@given(some.frozensets(some.integers(0, 2**32 - 1), max_size=300))
def test_hashes_come_back(hashes: frozenset[int]) -> None:
    assert hashes == decode_hashes(encode_hashes(hashes))


@given(NAMES, some.text(min_size=1))
def test_facts_come_back_whatever_their_subject_holds(kind: str, subject: str) -> None:
    assert decode_fact(encode_fact(kind, subject)) == (kind, subject)


@given(NAMES, some.text(min_size=1), SECONDS)
def test_requirements_come_back(kind: str, subject: str, age: float | None) -> None:
    requirement = Requirement(kind, subject, age)

    assert decode_requirement(encode_requirement(requirement)) == requirement


@given(some.text(), HEX)
def test_named_hashes_come_back(argument: str, hashed: str) -> None:
    assert decode_named_hash(encode_named_hash(argument, hashed)) == (argument, hashed)


@given(NAMES, HEX, some.none() | NAMES)
def test_requested_calls_come_back(tool: str, digest: str, call_id: str | None) -> None:
    call = RequestedCall(tool, digest, call_id)

    assert decode_requested_call(encode_requested_call(call)) == call


@given(some.text())
def test_any_text_decodes_without_an_error(text: str) -> None:
    decode_fact(text)
    decode_requirement(text)
    decode_named_hash(text)
    decode_requested_call(text)


def test_a_tab_in_a_name_does_not_shift_the_fields() -> None:
    encoded = encode_requested_call(RequestedCall("a\tb", "0" * 16))

    assert decode_requested_call(encoded) == RequestedCall("a b", "0" * 16)


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("window", Requirement("window", EVERYTHING, None)),
        ("window\tprod", Requirement("window", "prod", None)),
        ("window\t\t", Requirement("window", EVERYTHING, None)),
        ("window\tprod\t60", Requirement("window", "prod", 60.0)),
        ("window\tprod\tnan", Requirement("window", "prod", None)),
        ("window\tprod\t-1", Requirement("window", "prod", None)),
    ],
)
def test_requirements_with_fields_missing(text: str, requirement: Requirement) -> None:
    assert decode_requirement(text) == requirement


@given(some.one_of(some.text(), some.binary(), some.integers(), some.none()))
def test_anything_else_is_none_or_hashes_and_never_an_error(value: object) -> None:
    found = decode_hashes(value)

    assert found is None or all(0 <= one < 2**32 for one in found)


@pytest.mark.parametrize("text", ["0", "0000000g", " 000000 ", 12, None, ["00000000"]])
def test_a_text_that_is_no_hashes_is_none(text: object) -> None:
    assert decode_hashes(text) is None


def test_no_hashes_differ_from_an_absent_attribute() -> None:
    assert ("", frozenset()) == (encode_hashes(()), decode_hashes(""))


def test_hashes_are_bounded() -> None:
    found = decode_hashes(encode_hashes(range(HASHES_MAX * 3)))

    assert found is not None
    assert len(found) == HASHES_MAX
