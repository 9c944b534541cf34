"""A timeline as one self-contained page: it opens without a network and runs only our script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from aftershock_collector.notify.page import State, title_of
from aftershock_collector.views.chart import Plot, plot_of
from aftershock_collector.views.html import panels, plots, time_axis
from aftershock_collector.views.html.markup import Safe, data, join, place, tag
from aftershock_collector.wording import (
    attribution_words,
    clean,
    clock,
    counted,
    day,
    lasted,
    percent,
    short,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Claim, Impact
    from aftershock_collector.notify.page import Page
    from aftershock_collector.views.timeline import Timeline

PLOTS_MAX = 24  # a page that people scroll through; the first are those that were judged


def render(
    timeline: Timeline,
    *,
    extra: Sequence[Plot] = (),
    pages: Sequence[tuple[str, int, Page]] = (),
) -> str:
    """The page.

    Args:
        timeline: what agents did, and what is claimed about it.
        extra: series that no verdict carries, such as those of a service that nobody touched.
        pages: (receiver, when it was delivered in ns, page) of every page that was sent.

    Returns:
        A whole HTML document in one text.
    """
    shown = plots_of(timeline.impacts, extra)
    axis = time_axis.axis_of(timeline, shown[:PLOTS_MAX])
    body = stage_of(timeline, shown, axis)
    known = {
        "began": axis.began_ns // 1_000_000,
        "ended": axis.ended_ns // 1_000_000,
        "details": axis.details,
        "plots": plots.plot_data(shown[:PLOTS_MAX], axis),
    }
    script = asset("timeline.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(asset("timeline.html")).substitute(
        digest=digest,
        style=asset("timeline.css"),
        script=script,
        title=tag("title", f"Aftershock: {headline(timeline)}"),
        heading=heading(timeline, pages),
        stage=body,
        verdicts=panels.verdicts(timeline),
        findings=panels.finding_cards(timeline),
        pages=panels.page_cards(pages),
        pages_count=str(len({(receiver, page.key) for receiver, _, page in pages})),
        table=panels.table(timeline),
        table_name=f"All {counted(len(timeline.entries), 'line')} as a table",
        data=data(known),
    )


@cache
def asset(name: str) -> str:
    """A file that ships beside this module."""
    place = files("aftershock_collector.views.html") / "assets" / name
    return place.read_text(encoding="utf-8")


def plots_of(impacts: Sequence[Impact], extra: Sequence[Plot]) -> list[Plot]:
    """Every series once, those of the likeliest verdict first, drawn against that verdict."""
    found: dict[tuple[str, str], Plot] = {}
    ranked = sorted(impacts, key=lambda i: -(i.probability or 0.0))
    judged = [(impact, chart) for impact in ranked for chart in impact.charts]
    for own in (True, False):
        for impact, chart in judged:
            if (chart.entity == impact.entity) is own:
                chance = impact.probability if own else None
                plot = plot_of(chart, impact.acted_at_ns, chance)
                found.setdefault(plot.key, plot)
    for plot in extra:
        found.setdefault(plot.key, plot)
    return list(found.values())


def headline(timeline: Timeline) -> str:
    """The one sentence of this page: the surest verdict, else the worst finding, else the run."""
    impacts = [i for i in timeline.impacts if (i.probability or 0.0) >= time_axis.SUSPECTED]
    if impacts:
        return attribution_words(max(impacts, key=lambda i: i.probability or 0.0))
    worst = min(timeline.claims, key=rank, default=None)
    if worst is not None:
        return title_of(worst.finding)
    agents = ", ".join(dict.fromkeys(who(lane.agent) for lane in timeline.lanes))
    return f"{clean(agents, 120)}: nothing found in {counted(timeline.steps, 'step')}"


def rank(claim: Claim) -> tuple[int, int, int]:
    """Alarms before warnings, open before closed, early before late."""
    level = 0 if claim.finding.level.value == "alarm" else 1
    return (level, int(claim.closed_at_ns is not None), claim.finding.began_at_ns)


def heading(timeline: Timeline, pages: Sequence[tuple[str, int, Page]]) -> Safe:
    """The headline, when it was, and how much there is."""
    surest = max((i.probability or 0.0 for i in timeline.impacts), default=0.0)
    began, ended = timeline.began_ns, timeline.ended_ns
    when = f"{day(began)}  {clock(began)} – {clock(ended)} UTC  ({lasted(ended - began)})"
    alarms = sum(claim.finding.level.value == "alarm" for claim in timeline.claims)
    warnings = len(timeline.claims) - alarms
    sent = sum(page.state is State.OPENED for _, _, page in pages)
    runs = ", ".join(short(run) for run in timeline.runs[:4])
    facts = [
        (counted(len(timeline.runs), "run"), runs),
        (counted(len({lane.agent for lane in timeline.lanes}), "agent"), ""),
        (counted(timeline.steps, "step"), ""),
        (counted(alarms, "alarm"), "alarm" if alarms else ""),
        (counted(warnings, "warning"), ""),
        (f"{counted(sent, 'page')} sent", ""),
    ]
    sure = surest >= time_axis.SUSPECTED
    return join(
        tag("p", when, class_="when"),
        tag(
            "h1",
            headline(timeline),
            tag("span", percent(surest), class_="chance", aria_hidden="true") if sure else "",
        ),
        tag(
            "p",
            *(
                tag(
                    "span",
                    words,
                    title=more or None,
                    class_=f"chip {more}" if more == "alarm" else "chip",
                )
                for words, more in facts
            ),
            class_="chips",
        ),
    )


def stage_of(timeline: Timeline, shown: Sequence[Plot], axis: time_axis.Axis) -> Safe:
    """Findings, lanes and series under one scale."""
    hidden = len(shown) - PLOTS_MAX
    more = tag("p", f"{counted(hidden, 'further series')} not drawn", class_="nothing")
    left_out = timeline.steps - min(timeline.steps, time_axis.BARS_MAX)
    cut = tag("p", f"{left_out:,} later steps are not drawn", class_="nothing")
    lines, flags = plots.action_lines(timeline.impacts, axis)
    return join(
        time_axis.row("", time_axis.ticks(axis), "", "scale-row"),
        tag("div", "Judged actions", class_="flags", style=place(rows=flags)) if flags else "",
        tag("h2", "Findings", class_="band-name") if timeline.claims else "",
        time_axis.finding_rows(timeline, axis),
        tag("h2", "Agents", class_="band-name"),
        time_axis.lane_rows(timeline, axis),
        cut if left_out else "",
        tag("h2", "Infrastructure", class_="band-name") if shown else "",
        plots.plot_rows(shown[:PLOTS_MAX], axis),
        more if hidden > 0 else "",
        lines,
    )
