"""The infrastructure on the page's time axis: a chart per series, and when agents acted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock_collector.views.chart import (
    PATH_HEIGHT,
    PATH_WIDTH,
    Plot,
    ceiling,
    height,
    path,
    thinned,
)
from aftershock_collector.views.html.markup import Safe, join, place, tag
from aftershock_collector.views.html.time_axis import SUSPECTED, Axis, row
from aftershock_collector.wording import clean, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Impact
    from aftershock_collector.views.chart import Point

ACTIONS_MAX = 6  # lines through the picture; the panel below has every verdict
EDGE = 1.0  # of the drawing's height: a line that lies on the band's edge has not left it
FLAG_SHARE = 0.19  # of the axis that a flag's words may take


def action_lines(impacts: Sequence[Impact], axis: Axis) -> tuple[Safe, int]:
    """The moments of the likeliest actions, drawn through everything, and how many rows of flags.

    One line per action: an action that was judged against two entities has its surer verdict.
    """
    ranked = sorted(impacts, key=lambda i: (-(i.probability or 0.0), i.acted_at_ns, i.span_id))
    surest = {impact.span_id: impact for impact in reversed(ranked)}
    shown = sorted(list(surest.values())[-ACTIONS_MAX:], key=lambda i: i.acted_at_ns)
    taken: list[float] = []
    drawn: list[Safe] = []
    for impact in shown:
        at = axis.share(impact.acted_at_ns)
        level = next((n for n, end in enumerate(taken) if end <= at), len(taken))
        taken[level : level + 1] = [at + FLAG_SHARE]
        sure = (impact.probability or 0.0) >= SUSPECTED
        chance = "" if impact.probability is None else f" {percent(impact.probability)}"
        flag = tag("span", clean(impact.tool, 28) + chance)
        look = "act sure" if sure else "act"
        late = " late" if at > 1 - FLAG_SHARE else ""
        drawn.append(tag("div", flag, class_=look + late, style=place(a=at, level=level)))
    return tag("div", *drawn, class_="acts", aria_hidden="true"), len(taken)


def plot_rows(plots: Sequence[Plot], axis: Axis) -> Safe:
    """One small chart per series, on the same axis as the lanes."""
    return join(*(plot_row(plot, number, axis) for number, plot in enumerate(plots)))


def plot_row(plot: Plot, number: int, axis: Axis) -> Safe:
    """A series with the baseline band that was frozen before the action."""
    inside = [p for p in plot.points if axis.began_ns <= p[0] <= axis.ended_ns]
    label = join(tag("strong", clean(plot.entity, 60)), tag("small", clean(plot.metric, 60)))
    if not inside:
        return row(label, tag("div", "no points in this time", class_="empty"), "", "plot")
    top = ceiling(inside, plot.band)[1]
    usual = plot.band[1] if plot.band else None
    newest = plot.words(inside[-1][1])
    value = join(
        tag("strong", newest, class_="newest", data_usual=newest),
        tag("small", "" if usual is None else f"usual {plot.words(usual)}"),
    )
    scale = tag("span", plot.words(top), class_="scale", aria_hidden="true")
    picture = join(drawing(plot, inside, number, axis), scale)
    sure = (plot.probability or 0.0) >= SUSPECTED
    return row(label, picture, value, "plot sure" if sure else "plot")


def drawing(plot: Plot, inside: list[Point], number: int, axis: Axis) -> Safe:
    """The SVG: band, usual value, line, and what left the band after the action."""
    edges = ceiling(inside, plot.band)
    line = path(inside, axis.began_ns, axis.ended_ns, edges)
    below: list[Safe] = []
    above: list[Safe] = []
    if plot.band is not None:
        low, median, high = (height(edge, *edges) for edge in plot.band)
        below = [
            tag("rect", x=0, y=high, width=PATH_WIDTH, height=max(low - high, 1), class_="band"),
            tag("line", x1=0, x2=PATH_WIDTH, y1=median, y2=median, class_="usual"),
        ]
        if plot.acted_at_ns is not None:
            first, last = (axis.share(at) * PATH_WIDTH for at in (inside[0][0], inside[-1][0]))
            area = f"{line}L{last:.1f},{high}L{first:.1f},{high}Z"
            clip = f"url(#cut{number})"
            above = [
                outside(axis.share(plot.acted_at_ns) * PATH_WIDTH, high, low, f"cut{number}"),
                tag("path", d=area, class_="excess", clip_path=clip),
                tag("path", d=line, class_="series stray", clip_path=clip),
            ]
    return tag(
        "svg",
        *below,
        tag("path", d=line, class_="series"),
        *above,
        viewBox=f"0 0 {PATH_WIDTH} {PATH_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=spoken(plot, inside),
    )


def outside(acted: float, high: float, low: float, name: str) -> Safe:
    """What lies above and below the band, after the action."""
    wide = PATH_WIDTH - acted
    upper = tag("rect", x=acted, y=-10, width=wide, height=max(high + 10 - EDGE, 0))
    lower = tag("rect", x=acted, y=low + EDGE, width=wide, height=PATH_HEIGHT + 10 - low)
    return tag("clipPath", upper, lower, id=name)


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
