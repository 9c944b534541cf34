"""Hashes travel as one text and come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.fingerprints.hashes import HASHES_MAX, pack, unpack


@given(st.frozensets(st.integers(0, 2**32 - 1), max_size=64))
def test_what_is_packed_comes_back(hashes: frozenset[int]) -> None:
    assert hashes == unpack(pack(hashes))


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.integers())))
def test_anything_else_is_none_or_hashes_and_never_an_error(value: object) -> None:
    found = unpack(value)

    assert found is None or all(0 <= one < 2**32 for one in found)


@pytest.mark.parametrize("text", ["0", "0000000g", "00 00 00", [1, 2], None])
def test_a_text_that_is_no_hashes_says_nothing(text: object) -> None:
    assert unpack(text) is None


def test_no_hashes_is_not_nothing_said() -> None:
    assert ("", frozenset()) == (pack(()), unpack(""))


def test_a_hostile_text_is_read_up_to_a_bound() -> None:
    found = unpack(pack(range(HASHES_MAX * 3)))

    assert found is not None
    assert HASHES_MAX == len(found)
