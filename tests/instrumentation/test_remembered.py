"""Remembered answers: asked once for each short name, and never kept for what may be data."""

from __future__ import annotations

from aftershock.remembered import NAME_CHARS_MAX, remembered


def test_a_short_name_is_asked_about_once_and_a_long_one_each_time() -> None:
    asked: list[str] = []

    @remembered
    def length(name: str) -> int:
        asked.append(name)
        return len(name)

    long = "x" * (NAME_CHARS_MAX + 1)

    assert [length("name"), length("name"), length(long), length(long)] == [4, 4, 65, 65]
    assert asked == ["name", long, long]
