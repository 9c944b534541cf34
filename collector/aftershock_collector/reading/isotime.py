"""ISO 8601 texts → nanoseconds: moments and durations as recorded files write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_DURATION = re.compile(
    r"^P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.(\d{1,9})\d*)?S)?)?$"
)
TIME_NS_MAX = 2**63 - 1  # what OTLP and the store hold: the year 2262
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_ns_of(text: Any) -> int | None:
    """Nanoseconds since the epoch, to the microsecond; without a zone it is UTC.

    None: no time, or none that can be kept.
    """
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    time_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return time_ns if abs(time_ns) <= TIME_NS_MAX else None


def duration_ns_of(text: Any) -> int | None:
    """Nanoseconds of a duration such as PT1M48.75S. None: no duration."""
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None or text in ("P", "PT"):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = int((match[5] or "").ljust(9, "0"))
    return ((days * 24 + hours) * 60 + minutes) * 60_000_000_000 + seconds * 10**9 + fraction
