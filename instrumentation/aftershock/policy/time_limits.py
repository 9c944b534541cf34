"""How long a call itself says that it may last: by an argument, or in its command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = re.compile(
    r"(?i)^(?:timeout|time_?limit|max_?time|max_?duration|deadline)(?:_?(?:in_?)?"
    r"(?P<unit>ms|millis|milliseconds|s|secs?|seconds|m|mins?|minutes|h|hours))?$"
)
COMMANDS = ("command", "cmd")
COMMAND_CHARS_MAX = 2_000
# `timeout 2h make`, `timeout -k 5 7200 make`, `--timeout=90m`, `--max-time 60`.
IN_COMMAND = re.compile(
    r"(?:^|[;&|(\s])(?:timeout(?:\s+-{1,2}[\w=\-]+(?:\s+\d+(?=\s+\d))?)*|--(?:timeout|max-time))"
    r"[\s=]+(?P<amount>\d+(?:\.\d+)?)(?P<unit>ms|[smhd]?)(?![\w.])"
)
AMOUNT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*$")
UNIT_S = {"ms": 0.001, "mi": 60.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
# A bare number from here on is in milliseconds: nobody lets a call last three hours in seconds.
MILLISECONDS_FROM = 10_000


def allowed_of(arguments: Mapping[str, Any]) -> float | None:
    """Seconds that a call says it may last at most; None: it does not say it."""
    for name, value in arguments.items():
        found = NAME.match(name) if name[:1] in "dDmMtT" else None
        if found and (seconds := seconds_of(value, found["unit"] or "")) is not None:
            return seconds
    for name in COMMANDS:
        command = arguments.get(name)
        if isinstance(command, str) and ("timeout" in command or "max-time" in command):
            match = IN_COMMAND.search(command[:COMMAND_CHARS_MAX])
            return float(match["amount"]) * UNIT_S[match["unit"] or "s"] if match else None
    return None


AMOUNT_MAX = 1e15  # in whatever unit: the integers of JSON have no end


def seconds_of(value: Any, unit: str) -> float | None:
    """An amount of time in seconds; None for anything else."""
    amount = AMOUNT.match(value) if isinstance(value, str) else None
    if amount:
        value, unit = float(amount[1]), amount[2] or unit
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        return None
    value = min(value, AMOUNT_MAX)
    if not unit:
        return value / 1_000 if value >= MILLISECONDS_FROM else float(value)
    unit = unit.lower()
    if unit.startswith(("ms", "milli")):
        return value * UNIT_S["ms"]
    return value * UNIT_S["mi" if unit.startswith("mi") else unit[0]]
