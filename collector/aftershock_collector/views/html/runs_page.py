"""The list of runs as a page: what ran lately, and which of it needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template
from urllib.parse import quote

from aftershock_collector.store.reader import RunSummary
from aftershock_collector.views.html.markup import Safe, join, tag
from aftershock_collector.views.html.timeline_page import asset
from aftershock_collector.wording import clean, clock, counted, day, lasted, short, who

COLUMNS = ("run", "agent", "service", "began", "lasted", "steps", "findings")
NOTHING = "Nothing is recorded yet. Start an agent with: aftershock run python your_agent.py"


def render(runs: Sequence[RunSummary]) -> str:
    """A whole HTML document."""
    alarms = sum(run.alarms > 0 for run in runs)
    return Template(asset("runs.html")).substitute(
        style=asset("timeline.css"),
        heading=join(headline(len(runs), alarms)),
        runs=table(runs) if runs else tag("p", NOTHING),
    )


def headline(runs: int, alarms: int) -> str:
    """The page in one line."""
    if not runs:
        return "No runs yet"
    told = f"{counted(alarms, 'run')} with alarms" if alarms else "no alarms"
    return f"{counted(runs, 'run')}, {told}"


def table(runs: Sequence[RunSummary]) -> Safe:
    """One row a run, newest first."""
    head = tag("tr", *(tag("th", name, scope="col") for name in COLUMNS))
    return tag("table", tag("thead", head), tag("tbody", *(row(run) for run in runs)))


def row(run: RunSummary) -> Safe:
    """One run."""
    ended = run.ended_at_ns or run.last_ns
    running = "" if run.ended_at_ns is not None else " …"
    link = tag("a", clean(short(run.run_id)), href=f"/runs/{quote(run.run_id, safe='')}")
    steps = sum(count for kind, count in run.steps.items() if kind != "agent")
    return tag(
        "tr",
        tag("td", link),
        tag("td", clean(who(run.agent))),
        tag("td", clean(run.service or "–")),
        tag("td", f"{day(run.began_at_ns)} {clock(run.began_at_ns)}"),
        tag("td", lasted(ended - run.began_at_ns) + running),
        tag("td", f"{steps:,}"),
        tag("td", findings(run)),
    )


def findings(run: RunSummary) -> Safe:
    """What was found, alarms first."""
    found = [tag("span", counted(run.alarms, "alarm"), class_="chip alarm")] if run.alarms else []
    if run.warnings:
        found.append(tag("span", counted(run.warnings, "warning"), class_="chip"))
    return join(*found) if found else Safe("–")
