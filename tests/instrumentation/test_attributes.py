"""The wire vocabulary: every name of ours is described once."""

from __future__ import annotations

from collections import Counter

from aftershock import attributes
from docs.meanings import ATTRIBUTES, EVENTS

NAMES = {
    value
    for constant, value in vars(attributes).items()
    if constant.isupper() and isinstance(value, str) and value.startswith("aftershock.")
}
TYPES = {"string", "int", "double", "boolean", "string[]", "hashes"}


def test_every_name_of_ours_is_described_exactly_once() -> None:
    described = Counter(one.name for one in (*ATTRIBUTES, *EVENTS))
    metrics = {attributes.RECORDER_DROPS}  # the reference of metrics describes it

    assert set(described) | metrics == NAMES
    assert {name for name, count in described.items() if count > 1} == set()


def test_every_description_has_a_type_and_is_a_sentence() -> None:
    assert {one.type for one in ATTRIBUTES} == TYPES
    assert all(one.on for one in ATTRIBUTES)
    assert all(one.meaning.endswith(".") for one in (*ATTRIBUTES, *EVENTS))
