"""A timeline as one self-contained HTML document: needs no network, runs only our script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.grade import SUSPECTED_FROM
from aftershock.model import Level
from aftershock_collector.notify.page_text import title_of
from aftershock_collector.store.interface import State
from aftershock_collector.views.chart import Plot, plot_of
from aftershock_collector.views.html import panels, plots, templates, time_axis
from aftershock_collector.wording import (
    attribution_words,
    clean,
    clock,
    counted,
    day,
    lasted,
    offset_ms,
    short,
    who,
    zone_name,
    zoned_clock,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Claim, Impact
    from aftershock_collector.notify.page import Page
    from aftershock_collector.views.timeline import Timeline

PLOTS_MAX = 24  # people scroll through it; the first are those that were judged


@dataclass(frozen=True, slots=True)
class Chip:
    """One short fact under the headline."""

    text: str
    more: str = ""
    alarm: bool = False


def render(
    timeline: Timeline,
    *,
    extra: Sequence[Plot] = (),
    pages: Sequence[tuple[str, int, Page]] = (),
    served: bool = False,
) -> str:
    """The document.

    Args:
        timeline: what agents did, and what is claimed about it.
        extra: series without an attribution, such as those of a service that no agent touched.
        pages: (receiver, when it was delivered in ns, page) of every page that was sent.
        served: True for the web interface, which has links; a file has none.

    Returns:
        A whole HTML document in one text.
    """
    series = plots_of(timeline.impacts, extra)
    drawn = series[:PLOTS_MAX]
    axis = time_axis.axis_of(timeline, drawn)
    lines, flag_rows = plots.action_lines(timeline.impacts, axis)
    findings = time_axis.finding_rows(timeline, axis)
    lanes = time_axis.lane_rows(timeline, axis)
    return templates.render(
        "timeline.html",
        served=served,
        zone=zone_name(timeline.began_ns),
        headline=headline(timeline),
        when=when(timeline),
        goals=[clean(goal) for goal in timeline.goals.values()],
        chips=chips(timeline, pages),
        ticks=time_axis.ticks(axis),
        flag_rows=flag_rows,
        action_lines=lines,
        findings=findings,
        lanes=lanes,
        steps_left_out=left_out(
            sum(len(lane.steps) for lane in timeline.lanes), time_axis.BARS_MAX
        ),
        plots=[plots.plot_row(plot, number, axis) for number, plot in enumerate(drawn)],
        plots_left_out=counted(len(series) - len(drawn), "further series")
        if len(series) > len(drawn)
        else "",
        attributions=panels.attributions(timeline),
        finding_cards=[panels.finding_card(claim, timeline.marks) for claim in timeline.claims],
        page_cards=panels.page_cards(pages),
        entries=counted(len(timeline.entries), "line"),
        table=[panels.table_row(entry) for entry in timeline.entries[: panels.LINES_MAX]],
        lines_left_out=left_out(len(timeline.entries), panels.LINES_MAX),
        data={
            "began": axis.began_ns // 1_000_000,
            "offset": offset_ms(axis.began_ns),
            "ended": axis.ended_ns // 1_000_000,
            "details": axis.details,
            "plots": plots.plot_data(drawn, axis),
        },
    )


def left_out(count: int, most: int) -> str:
    """How many are not shown; empty where all are."""
    return f"{count - most:,}" if count > most else ""


def plots_of(impacts: Sequence[Impact], extra: Sequence[Plot]) -> list[Plot]:
    """Every series once, those of the likeliest attribution first, drawn against it."""
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
    """One sentence: the surest attribution, else the worst finding, else the run."""
    impacts = [i for i in timeline.impacts if (i.probability or 0.0) >= SUSPECTED_FROM]
    if impacts:
        return attribution_words(max(impacts, key=lambda i: i.probability or 0.0))
    worst = min(timeline.claims, key=rank, default=None)
    if worst is not None:
        return title_of(worst.finding)
    agents = ", ".join(dict.fromkeys(who(lane.agent) for lane in timeline.lanes))
    return f"{clean(agents, 120)}: nothing found in {counted(timeline.steps, 'step')}"


def rank(claim: Claim) -> tuple[int, int, int]:
    """Alarms before warnings, open before closed, early before late."""
    level = 0 if claim.finding.level is Level.ALARM else 1
    return (level, int(claim.closed_at_ns is not None), claim.finding.began_at_ns)


def when(timeline: Timeline) -> str:
    """The day, the time and the length of what is shown."""
    began, ended = timeline.began_ns, timeline.ended_ns
    return f"{day(began)}  {clock(began)} – {zoned_clock(ended)}  ({lasted(ended - began)})"


def chips(timeline: Timeline, pages: Sequence[tuple[str, int, Page]]) -> list[Chip]:
    """How much there is of what."""
    alarms = sum(claim.finding.level is Level.ALARM for claim in timeline.claims)
    warnings = len(timeline.claims) - alarms
    sent = len({page.key for _, _, page in pages if page.state is State.OPENED})
    return [
        Chip(counted(len(timeline.runs), "run"), ", ".join(map(short, timeline.runs[:4]))),
        Chip(counted(len({lane.agent for lane in timeline.lanes}), "agent")),
        Chip(counted(timeline.steps, "step")),
        Chip(counted(alarms, "alarm"), alarm=alarms > 0),
        Chip(counted(warnings, "warning")),
        Chip(f"{counted(sent, 'page')} sent"),
        *sender_chips(timeline),
    ]


def sender_chips(timeline: Timeline) -> list[Chip]:
    """Who sent this, where that is more than one sender, and where the steps of others are."""
    found: list[Chip] = []
    if len(timeline.senders) > 1:
        names = ", ".join(clean(name, 60) for name in timeline.senders)
        found.append(Chip(f"sent by {counted(len(timeline.senders), 'sender')}", names, alarm=True))
    if timeline.apart:
        others = ", ".join(f"{clean(name, 60)} in {run_id}" for run_id, name in timeline.apart)
        words = f"{counted(len(timeline.apart), 'other sender')} named this run"
        found.append(Chip(words, f"kept apart: {others}", alarm=True))
    return found
