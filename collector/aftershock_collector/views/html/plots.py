"""The infrastructure on the document's time axis: a chart per series, and when agents acted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.grade import SUSPECTED_FROM
from aftershock_collector.views.chart import (
    PATH_HEIGHT,
    PATH_WIDTH,
    Plot,
    ceiling,
    height,
    path,
    thinned,
)
from aftershock_collector.views.html.templates import position
from aftershock_collector.wording import chance, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Impact
    from aftershock_collector.views.chart import Point
    from aftershock_collector.views.html.time_axis import Axis

ACTIONS_MAX = 6  # lines through the picture; the panel below has every attribution
EDGE = 1.0  # of the drawing's height: a line that lies on the band's edge has not left it
FLAG_SHARE = 0.19  # of the axis that the words of a flag may cover


@dataclass(frozen=True, slots=True)
class ActionLine:
    """The moment of one action, drawn through everything."""

    label: str
    classes: str
    style: str


@dataclass(frozen=True, slots=True)
class Band:
    """The frozen baseline: its upper edge, its height and its median, in drawing units."""

    top: float
    height: float
    median: float


@dataclass(frozen=True, slots=True)
class Stray:
    """What left the band after the action: two clip rectangles and the area under the line."""

    id: str
    x: float
    width: float
    above: float
    below_y: float
    below: float
    area: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The SVG of one series."""

    line: str
    band: Band | None = None
    stray: Stray | None = None
    width: int = PATH_WIDTH
    height: int = PATH_HEIGHT


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One series with its label, its newest value and its drawing (None: no points to draw)."""

    entity: str
    metric: str
    sure: bool
    newest: str = ""
    usual: str = ""
    top: str = ""
    spoken: str = ""
    drawing: Drawing | None = None


def action_lines(impacts: Sequence[Impact], axis: Axis) -> tuple[list[ActionLine], int]:
    """The moments of the likeliest actions, and how many rows their flags need.

    One line per action: an action that was judged against two entities has its surer attribution.
    """
    ranked = sorted(impacts, key=lambda i: (-(i.probability or 0.0), i.acted_at_ns, i.span_id))
    surest = {impact.span_id: impact for impact in reversed(ranked)}
    shown = sorted(list(surest.values())[-ACTIONS_MAX:], key=lambda i: i.acted_at_ns)
    ends: list[float] = []  # of the last flag in each row
    lines: list[ActionLine] = []
    for impact in shown:
        at = axis.share(impact.acted_at_ns)
        level = next((n for n, end in enumerate(ends) if end <= at), len(ends))
        ends[level : level + 1] = [at + FLAG_SHARE]
        sure = (impact.probability or 0.0) >= SUSPECTED_FROM
        flipped = " flipped" if at > 1 - FLAG_SHARE else ""
        lines.append(
            ActionLine(
                label=f"{clean(impact.tool, 28)} {chance(impact)}".strip(),
                classes=("act sure" if sure else "act") + flipped,
                style=position(a=at, level=level),
            )
        )
    return lines, len(ends)


def plot_row(plot: Plot, number: int, axis: Axis) -> PlotRow:
    """A series with the baseline band that was frozen before the action."""
    inside = [p for p in plot.points if axis.began_ns <= p[0] <= axis.ended_ns]
    entity, metric = clean(plot.entity, 60), clean(plot.metric, 60)
    sure = (plot.probability or 0.0) >= SUSPECTED_FROM
    if not inside:
        return PlotRow(entity, metric, sure=False)
    return PlotRow(
        entity=entity,
        metric=metric,
        sure=sure,
        newest=plot.words(inside[-1][1]),
        usual="" if plot.band is None else f"usual {plot.words(plot.band[1])}",
        top=plot.words(ceiling(inside, plot.band)[1]),
        spoken=spoken(plot, inside),
        drawing=drawing(plot, inside, number, axis),
    )


def drawing(plot: Plot, inside: list[Point], number: int, axis: Axis) -> Drawing:
    """The SVG: band, usual value, line, and what left the band after the action."""
    edges = ceiling(inside, plot.band)
    line = path(inside, axis.began_ns, axis.ended_ns, edges)
    if plot.band is None:
        return Drawing(line)
    low, median, high = (height(edge, *edges) for edge in plot.band)
    band = Band(top=high, height=max(low - high, 1), median=median)
    if plot.acted_at_ns is None:
        return Drawing(line, band)
    first, last = (axis.share(at) * PATH_WIDTH for at in (inside[0][0], inside[-1][0]))
    acted = axis.share(plot.acted_at_ns) * PATH_WIDTH
    stray = Stray(
        id=f"cut{number}",
        x=acted,
        width=PATH_WIDTH - acted,
        above=max(high + 10 - EDGE, 0),
        below_y=low + EDGE,
        below=PATH_HEIGHT + 10 - low,
        area=f"{line}L{last:.1f},{high}L{first:.1f},{high}Z",
    )
    return Drawing(line, band, stray)


def spoken(plot: Plot, inside: list[Point]) -> str:
    """The chart for those who do not see it."""
    words = f"{clean(plot.entity, 60)} {clean(plot.metric, 60)}"
    if plot.band is not None:
        low, _, high = (plot.words(edge) for edge in plot.band)
        words += f", usually {low} to {high}"
    if plot.acted_at_ns is not None:
        after = [value for at, value in inside if at >= plot.acted_at_ns]
        if after:
            words += f"; after the action at most {plot.words(max(after))}"
    return f"{words}; now {plot.words(inside[-1][1])}"


def plot_data(plots: Sequence[Plot], axis: Axis) -> list[list[tuple[float, str]]]:
    """The points that the cross-hair reads, as shares of the axis and words."""
    return [
        [
            (round(axis.share(at), 5), plot.words(value))
            for at, value in thinned(plot.points)
            if axis.began_ns <= at <= axis.ended_ns
        ]
        for plot in plots
    ]
