"""Amounts and durations in words, as short as a page can bear."""

from __future__ import annotations

from aftershock_collector.metrics.series import Family, Series

_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def amount(value: float, series: Series) -> str:
    """A value of this series with its unit: 210 ms, 1.9 s, 4.2 %, 512 MB."""
    unit = series.unit
    if unit == "s":
        return f"{value * 1e3:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
    if unit == "By":
        for size, name in _BYTES:
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return f"{value:.0f} B"
    if unit == "1" and series.family is Family.ERRORS:
        return f"{value * 100:.3g} %"
    named = unit.replace("{", "").replace("}", "")
    return f"{value:.3g}" if named in {"", "1"} else f"{value:.3g} {named}"


def times(value: float, usual: float) -> str:
    """How many times its usual value something is, or nothing where there is no usual."""
    return f"{value / usual:.2g}×" if usual > 0 and value > usual else ""


def duration(nanoseconds: int) -> str:
    """A duration in its largest sensible unit."""
    seconds = nanoseconds / 1e9
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
