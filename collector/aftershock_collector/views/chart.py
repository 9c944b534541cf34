"""One series as a picture: points thinned without losing peaks, an SVG path, a line of braille."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock_collector.wording import measured, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Chart

POINTS_MAX = 800  # two per pixel column of a laptop: more than an eye can resolve
PATH_WIDTH = 10_000  # of the SVG's own coordinates; the page stretches them
PATH_HEIGHT = 100
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))  # braille, bottom to top, by column
Point = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Plot:
    """A series to draw; `band` and `acted_at_ns` only where it was judged against an action."""

    entity: str
    metric: str
    unit: str
    points: tuple[Point, ...]
    band: tuple[float, float, float] | None = None  # low, median, high of the frozen baseline
    acted_at_ns: int | None = None
    probability: float | None = None  # of the attribution that it belongs to

    @property
    def key(self) -> tuple[str, str]:
        """What it is a picture of."""
        return (self.entity, self.metric)

    def words(self, value: float) -> str:
        """A value of this series with its unit."""
        return quantity(measured(value, self.metric), self.unit, self.metric)


def plot_of(chart: Chart, acted_at_ns: int | None, probability: float | None) -> Plot:
    """A judged chart; values that are not numbers are gaps, not zeros."""
    pairs = zip(chart.times_ns, chart.values, strict=True)
    points = tuple(
        sorted((at, measured(value, chart.metric)) for at, value in pairs if math.isfinite(value))
    )
    edges = sorted(measured(edge, chart.metric) for edge in (chart.low, chart.high))
    band = (edges[0], measured(chart.median, chart.metric), edges[1])
    usable = band if all(math.isfinite(edge) for edge in band) else None
    return Plot(chart.entity, chart.metric, chart.unit, points, usable, acted_at_ns, probability)


def thinned(points: Sequence[Point], most: int = POINTS_MAX) -> list[Point]:
    """At most `most` points: of each stretch its lowest and its highest, in order."""
    if len(points) <= most:
        return list(points)
    stretch = math.ceil(len(points) / (most // 2))
    kept: list[Point] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept


def ceiling(
    points: Sequence[Point], band: tuple[float, float, float] | None
) -> tuple[float, float]:
    """(bottom, top) of the value axis: zero where the data allows it, with air above.

    A band never fills more than a little over half, so that a calm series looks calm.
    """
    values = [value for _, value in points] + ([band[0], 1.8 * band[2]] if band else [])
    low, high = min(values, default=0.0), max(values, default=1.0)
    floor = min(0.0, low)
    room = (high - floor) or 1.0
    return floor - room * 0.04, high + room * 0.08


def height(value: float, bottom: float, top: float) -> float:
    """A value as a distance from the upper edge."""
    share = (value - bottom) / (top - bottom)
    return round(PATH_HEIGHT * (1.0 - min(max(share, 0.0), 1.0)), 2)


def across(at_ns: int, began_ns: int, ended_ns: int) -> float:
    """A moment as a share of the axis, not clipped."""
    return (at_ns - began_ns) / max(ended_ns - began_ns, 1)


def path(points: Sequence[Point], began_ns: int, ended_ns: int, edges: tuple[float, float]) -> str:
    """The `d` of an SVG path through the points."""
    words = [
        f"{across(at, began_ns, ended_ns) * PATH_WIDTH:.1f},{height(value, *edges)}"
        for at, value in thinned(points)
    ]
    return "M" + "L".join(words) if words else ""


def braille(
    points: Sequence[Point], began_ns: int, ended_ns: int, width: int, usual: float = 0.0
) -> str:
    """A series as one line of braille: two columns and four rows of dots to a character.

    Twice the usual value fits always, so that a calm series looks calm.
    """
    columns: list[list[float]] = [[] for _ in range(width * 2)]
    for at, value in points:
        share = across(at, began_ns, ended_ns)
        if 0.0 <= share <= 1.0:
            columns[min(int(share * width * 2), width * 2 - 1)].append(value)
    known = [max(column) for column in columns if column]
    if not known:
        return " " * width
    bottom = min(0.0, *known)
    top = max(2 * usual, *known)
    cells: list[str] = []
    for left in range(0, width * 2, 2):
        bits = 0
        for side in (0, 1):
            column = columns[left + side]
            if column:
                share = (max(column) - bottom) / (top - bottom) if top > bottom else 0.0
                for dot in DOTS[side][: 1 + min(3, int(share * 4))]:
                    bits |= dot
        cells.append(chr(0x2800 + bits) if bits else " ")
    return "".join(cells)
