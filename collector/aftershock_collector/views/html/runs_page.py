"""The list of runs as a page: what ran lately, and which of it needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.views.html import templates
from aftershock_collector.wording import clean, clock, counted, day, lasted, short, who


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the table shows it."""

    href: str
    id: str
    agent: str
    service: str
    began: str
    lasted: str
    steps: str
    alarms: str
    warnings: str


def render(runs: Sequence[RunSummary], *, notice: str = "") -> str:
    """A whole HTML document; `notice` is a warning about the collector itself."""
    alarms = sum(run.alarms > 0 for run in runs)
    return templates.render(
        "runs.html",
        notice=notice,
        headline=headline(len(runs), alarms),
        runs=[row(run) for run in runs],
    )


def headline(runs: int, alarms: int) -> str:
    """The page in one line."""
    if not runs:
        return "No runs yet"
    found = f"{counted(alarms, 'run')} with alarms" if alarms else "no alarms"
    return f"{counted(runs, 'run')}, {found}"


def row(run: RunSummary) -> RunRow:
    """One run."""
    ended = run.ended_at_ns or run.last_ns
    running = "" if run.ended_at_ns is not None else " …"
    return RunRow(
        href=f"/runs/{quote(run.run_id, safe='')}",
        id=clean(short(run.run_id)),
        agent=who(run.agent),
        service=clean(run.service or "–"),
        began=f"{day(run.began_at_ns)} {clock(run.began_at_ns)}",
        lasted=lasted(ended - run.began_at_ns) + running,
        steps=f"{run.done:,}",
        alarms=counted(run.alarms, "alarm") if run.alarms else "",
        warnings=counted(run.warnings, "warning") if run.warnings else "",
    )
