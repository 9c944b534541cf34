"""Times in the zone in which people read them."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from aftershock_collector.views.selection import moment_ns
from aftershock_collector.wording import day, offset_ms, use_zone, zoned_clock, zoned_time

SUMMER_NS = 1_782_864_000 * 10**9  # 2026-07-01 00:00 UTC
WINTER_NS = 1_767_225_600 * 10**9  # 2026-01-01 00:00 UTC


@pytest.fixture(autouse=True)
def berlin() -> Generator[None]:
    use_zone(ZoneInfo("Europe/Berlin"))
    yield
    use_zone(UTC)


def test_a_time_carries_its_zone_and_follows_daylight_saving() -> None:
    assert zoned_time(SUMMER_NS) == "2026-07-01 02:00:00 CEST"
    assert zoned_time(WINTER_NS) == "2026-01-01 01:00:00 CET"
    assert zoned_clock(WINTER_NS + 250_000_000, tenths=True) == "01:00:00.2 CET"
    assert (offset_ms(SUMMER_NS), offset_ms(WINTER_NS)) == (7_200_000, 3_600_000)
    assert day(WINTER_NS - 1) == "2026-01-01"


def test_a_time_that_a_person_types_is_in_that_zone_too() -> None:
    assert moment_ns("--since", "2026-07-01T02:00", 0) == SUMMER_NS
    assert moment_ns("--since", "2026-07-01T00:00+00:00", 0) == SUMMER_NS
    assert moment_ns("--since", "2h", SUMMER_NS) == SUMMER_NS - 7_200 * 10**9


def test_the_ends_of_the_calendar_have_a_time_in_every_zone() -> None:
    use_zone(ZoneInfo("Pacific/Kiritimati"))

    assert zoned_time(10**22)
    assert zoned_time(-(10**22))
