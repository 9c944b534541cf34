"""What an id is easily mistaken for: two neighbouring digits in each other's place."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.swapped import MARK, ids_of, neighbours_of
from aftershock.fingerprints.words import ids_in


@pytest.mark.parametrize(
    ("value", "neighbours"),
    [
        ("4471", ["4741", "4417"]),
        ("inc-48213", ["inc-84213", "inc-42813", "inc-48123", "inc-48231"]),
        ("t-118", ["t-181"]),
        ("777", []),
    ],
)
def test_each_pair_of_different_neighbouring_digits_is_swapped(
    value: str, neighbours: list[str]
) -> None:
    assert list(neighbours_of(value)) == neighbours


@pytest.mark.parametrize(
    "value", ["2012", "1.23", "10.0.0.12", "2026-03-12", "20260312", "web-12", "shop", "1" + "23" * 8]
)  # fmt: skip
def test_years_versions_addresses_and_what_nobody_types_have_no_neighbours(value: str) -> None:
    assert list(neighbours_of(value)) == []


def test_neighbours_are_sent_beside_the_ids_and_are_bounded() -> None:
    ids = ids_of({"order": "A-4471", "note": "about 4417 of today"})
    own = {one for one in ids if not one.startswith(MARK)}

    assert own == ids_in({"order": "A-4471"})
    assert {one.partition("=")[0] for one in ids - own} == {"~order"}
    assert len(ids_of({"orders": [f"A-{n}2345" for n in range(100, 200)]})) <= 32 + 16


def test_the_neighbours_of_one_id_hold_the_other_one() -> None:
    def marked(order: str) -> frozenset[str]:
        return frozenset(one for one in ids_of({"order": order}) if one.startswith(MARK))

    mistaken, other = marked("#5512"), marked("#9912")
    assert mistaken
    assert mistaken.isdisjoint(other)
