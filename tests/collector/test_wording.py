"""Texts for people: quantities, durations and factors."""

from __future__ import annotations

import pytest

from aftershock_collector.wording import age, odds, quantity, times, times_usual

S = 1_000_000_000


@pytest.mark.parametrize(
    ("value", "unit", "metric", "expected"),
    [
        (0.21, "s", "duration p99", "210 ms"),
        (1.9, "s", "duration p99", "1.9 s"),
        (0.042, "1", "http errors", "4.2 %"),
        (0.7, "1", "cpu", "0.7"),
        (512e6, "By", "memory", "512 MB"),
        (2.5e12, "By", "disk", "2.5 TB"),
        (12.0, "{connection}", "connections", "12 connection"),
    ],
)
def test_quantities_have_the_unit_of_the_series(
    value: float, unit: str, metric: str, expected: str
) -> None:
    assert quantity(value, unit, metric) == expected


def test_durations_and_factors_are_short_and_have_no_exponent() -> None:
    assert [age(s * S) for s in (41, 240, 9_000)] == ["41 s", "4 min", "2.5 h"]
    assert [times(f) for f in (3.42, 110.0, 5e6)] == ["3.4 times", "110 times", "over 1,000 times"]
    assert [times_usual(*pair) for pair in ((0.8, 0.2), (0.1, 0.2), (0.1, 0.0))] == [
        "4 times its usual",
        "",
        "",
    ]


def test_surprise_is_written_in_words_and_not_in_nats() -> None:
    assert [odds(nats) for nats in (9.0, 4.6, 1.0)] == [
        "very unlikely by chance",
        "unlikely by chance",
        "not unusual",
    ]
