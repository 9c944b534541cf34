"""A timeline as lines of text: aligned columns, the sentence last so that it may be long.

`rows` is what is said, `plain` prints it for files and pipes, `show` for a terminal.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from aftershock.grade import POSSIBLE_FROM, SUSPECTED_FROM, percent
from aftershock_collector.views.chart import braille, plot_of
from aftershock_collector.views.reasons import reasons
from aftershock_collector.wording import (
    NS,
    attribution_words,
    candidates,
    clean,
    clock,
    counted,
    day,
    exact_link,
    lasted,
    measured,
    short,
    who,
    zoned_clock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from aftershock.model import Chart, Impact
    from aftershock_collector.views.timeline import Entry, Timeline

AGENT_CHARS_MAX = 18
WHAT_CHARS_MIN = 30  # a sentence is wrapped no narrower than this
BAR_CHARS = 20
SPARK_CHARS = 40
CHARTS_MAX = 4  # in a terminal; the page shows all
COLOURS = ("cyan", "blue", "magenta", "green", "bright_cyan", "bright_blue")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what stands in each column, and how it looks where colours are understood."""

    at: str
    took: str
    agent: str
    marks: str
    what: str
    style: str = ""
    agent_style: str = ""


def rows(timeline: Timeline) -> list[Row]:
    """The timeline's entries as lines."""
    names = lane_names(timeline)
    colours = {key: COLOURS[n % len(COLOURS)] for n, key in enumerate(names)}
    return [row(entry, names, colours) for entry in timeline.entries]


def lane_names(timeline: Timeline) -> dict[tuple[str, str | None], str]:
    """What to call each agent of each run; the run is added only where two would be the same."""
    plain_names = [who(lane.agent) if lane.agent else "agent" for lane in timeline.lanes]
    return {
        (lane.run_id, lane.agent): clean(
            f"{name}@{short(lane.run_id)[:4]}" if plain_names.count(name) > 1 else name,
            AGENT_CHARS_MAX,
        )
        for lane, name in zip(timeline.lanes, plain_names, strict=True)
    }


def row(
    entry: Entry,
    names: dict[tuple[str, str | None], str],
    colours: dict[tuple[str, str | None], str],
) -> Row:
    """One entry as one line."""
    at = clock(entry.at_ns, tenths=True)
    key = (entry.run_id, entry.agent)
    if entry.source == "finding":
        over = f" (closed {clock(entry.until_ns)}: {entry.outcome})" if entry.until_ns else ""
        words = f"{entry.level} {entry.kind}: {entry.what}{over}"
        style = "bold red" if entry.level == "alarm" else "yellow"
        return Row(
            at, "", names.get(key, ""), entry.mark, f"▲ {words}", style, colours.get(key, "")
        )
    if entry.source == "change":
        more = f" · {entry.outcome}" if entry.outcome else ""
        return Row(at, "", "", "", f"~ {entry.what}{more}", "magenta")
    many = f" ×{entry.times}" if entry.times > 1 else ""
    outcome = f": {entry.outcome}" if entry.outcome else ""
    style = "yellow" if entry.outcome else "bold" if entry.effect else ""
    return Row(
        at,
        took(entry),
        names.get(key, ""),
        "".join(entry.marks),
        f"{'◆ ' if entry.effect else ''}{entry.what}{many}{outcome}",
        style,
        colours.get(key, ""),
    )


def took(entry: Entry) -> str:
    """How long it lasted, from the first to the last of what was folded."""
    if entry.lasts_ns is not None:
        return f"{lasted(entry.lasts_ns)} …"
    if entry.until_ns is None:
        return "…"
    duration = entry.until_ns - entry.at_ns
    return lasted(duration) if duration > 0 else ""


def heading(timeline: Timeline) -> list[str]:
    """One line per run: its id, who worked, when, how much."""
    found: list[str] = []
    for run_id in timeline.runs:
        lanes = [lane for lane in timeline.lanes if lane.run_id == run_id]
        steps = [step for lane in lanes for step in lane.steps]
        steps += [frame for frame in timeline.frames if frame.run_id == run_id]
        began, ended = min(s.began_at_ns for s in steps), max(s.last_ns for s in steps)
        agents = ", ".join(who(lane.agent) for lane in lanes)
        when = f"{day(began)} {clock(began)} to {zoned_clock(ended)}, {lasted(ended - began)}"
        done = counted(sum(lane.done for lane in lanes), "step")
        found.append(f"run {short(run_id)}  {agents}  {when}, {done}")
        if goal := timeline.goals.get(run_id):
            found.append(f"goal: {clean(goal)}")
    return found


def lines(timeline: Timeline, width: int | None = None) -> Iterator[Text]:
    """The whole text. `width` wraps sentences under their column; None leaves them long."""
    for line in heading(timeline):
        yield Text(line, style="bold")
    yield Text("")
    shown = rows(timeline)
    widths = [max((len(cell) for cell in column), default=0) for column in columns(shown)]
    for one in shown:
        yield from table_lines(one, widths, width)
    for impact in sorted(timeline.impacts, key=lambda i: -(i.probability or 0.0)):
        yield Text("")
        for number, (line, style) in enumerate(impact_lines(impact)):
            yield Text(line if number == 0 else f"  {line}", style=style)


def columns(shown: list[Row]) -> list[list[str]]:
    """The columns that are aligned."""
    return [
        [one.at for one in shown],
        [one.took for one in shown],
        [one.agent for one in shown],
        [one.marks for one in shown],
    ]


def table_lines(one: Row, widths: list[int], width: int | None) -> Iterator[Text]:
    """One row, wrapped under its own column where there is a width."""
    left = Text()
    left.append(one.at.ljust(widths[0]), style="dim")
    left.append("  " + one.took.rjust(widths[1]), style="dim")
    left.append("  " + one.agent.ljust(widths[2]), style=one.agent_style)
    left.append("  " + one.marks.ljust(widths[3]), style="bold yellow")
    left.append("  ")
    room = None if width is None else max(width - len(left), WHAT_CHARS_MIN)
    parts = [one.what] if room is None else textwrap.wrap(one.what, room) or [""]
    for number, part in enumerate(parts):
        line = left.copy() if number == 0 else Text(" " * len(left))
        line.append(part, style=one.style)
        line.rstrip()
        yield line


def impact_lines(impact: Impact) -> Iterator[tuple[str, str]]:
    """One attribution with its alternatives, and why it is as sure as it is."""
    sure = (impact.probability or 0.0) >= SUSPECTED_FROM
    yield attribution_words(impact), "bold red" if sure else "bold"
    if (impact.probability or 0.0) < POSSIBLE_FROM:
        return
    if link := exact_link(impact):
        yield link, "red"
    for name, probability, own in candidates(impact) if link is None else ():
        bar = ("█" * round(probability * BAR_CHARS)).ljust(BAR_CHARS, "·")
        yield f"{percent(probability):>6} {bar} {name}", "red" if own and sure else ""
    for reason in reasons(impact):
        if reason.notable:
            yield reason.sentence, "dim"
    if link is not None:
        yield from ((chart_line(chart, impact), "") for chart in impact.charts[:CHARTS_MAX])
        return
    for gap in impact.context_gap:
        yield f"had not read: {clean(gap)}", "yellow"
    for lack in impact.missing:
        yield f"less sure, because: {clean(lack)}", "dim"
    for chart in impact.charts[:CHARTS_MAX]:
        yield chart_line(chart, impact), ""


def chart_line(chart: Chart, impact: Impact) -> str:
    """One series before │ after the action, with its usual and its newest value."""
    plot = plot_of(chart, impact.acted_at_ns, impact.probability)
    before = [point for point in plot.points if point[0] < impact.acted_at_ns]
    after = [point for point in plot.points if point[0] >= impact.acted_at_ns]
    if not before or not after:
        return f"{clean(chart.entity, 60)} {clean(chart.metric, 60)}: no points around the action"
    began, ended = plot.points[0][0], plot.points[-1][0]
    head = min(max(1, round(SPARK_CHARS * (impact.acted_at_ns - began) / (ended - began + NS))), 39)
    usual = measured(chart.median, chart.metric)
    line = braille(plot.points, began, ended, SPARK_CHARS, usual)
    named = clean(f"{chart.entity} {chart.metric}", 44).ljust(44)
    moved = f"{plot.words(usual)} → {plot.words(after[-1][1])}"
    return f"{named} {line[:head]}│{line[head:]} {moved}"


def plain(timeline: Timeline) -> str:
    """The text without colours or wrapping, for files, pipes and tests."""
    return "\n".join(line.plain for line in lines(timeline)) + "\n"


def show(timeline: Timeline, console: Console) -> None:
    """Print to a terminal: coloured, and wrapped to its width."""
    width = console.width if console.is_terminal else None
    for line in lines(timeline, width):
        console.print(line, soft_wrap=True, highlight=False)
