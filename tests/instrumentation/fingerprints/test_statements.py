"""What a SQL statement asks about, however it is spelled."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.statements import change_of, subject_of

ASKED = "SELECT SUM(spend) FROM ads.daily WHERE channel = 'tiktok'"


@pytest.mark.parametrize(
    "spelling",
    [
        "select sum(spend) from ads.daily where lower(channel) = 'TikTok'",
        "SELECT SUM(spend) FROM ads.daily WHERE channel LIKE '%tiktok%' OR channel = 'TIKTOK'",
        "SELECT SUM(spend) FROM ads.daily WHERE REGEXP_CONTAINS(channel, r'(?i)tiktok')",
    ],
)
def test_another_spelling_asks_the_same(spelling: str) -> None:
    assert subject_of(spelling) == subject_of(ASKED)


@pytest.mark.parametrize(
    "other",
    [
        "SELECT SUM(spend) FROM ads.daily WHERE channel = 'youtube'",
        "SELECT SUM(spend) FROM ads.hourly WHERE channel = 'tiktok'",
        "SELECT SUM(clicks) FROM ads.daily WHERE channel = 'tiktok'",
        "SELECT SUM(spend) FROM ads.daily WHERE channel = 'tiktok' AND spend > 12",
    ],
)
def test_another_value_table_or_column_asks_something_else(other: str) -> None:
    assert subject_of(other) != subject_of(ASKED)


def test_what_is_no_query_asks_nothing() -> None:
    assert subject_of("UPDATE ads.daily SET spend = 0") is None
    assert subject_of("how much did we spend?") is None


def test_a_change_is_what_is_done_and_the_columns_that_pick_its_rows() -> None:
    done = "update products set price = 12.9"
    assert change_of("UPDATE products SET  price = 12.9 WHERE sku = 'A'") == (done, "sku")
    assert change_of("update products set price = 12.9 where ean='7' and ref = 2") == (
        done,
        "ean ref",
    )
    assert change_of("DELETE FROM carts WHERE id = 7") == ("delete from carts", "id")
    assert change_of("DELETE FROM carts") is None
    assert change_of("SELECT id FROM carts WHERE id = 7") is None
