"""`aftershock runs`: what agents did, newest first."""

from __future__ import annotations

import argparse
import time
from typing import Any

from rich.text import Text

from aftershock_collector.commands.selection import add_filters, selection_of
from aftershock_collector.commands.store_access import (
    columns,
    console,
    opened,
    print_json,
    print_no_match,
    print_nothing_recorded,
)
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.views.run_words import agents_words, duration_words
from aftershock_collector.views.selection import runs_selected
from aftershock_collector.wording import clean, clock, counted, day, zone_name

LIMIT = 30  # a screen; --limit asks for more
SHORT_MIN = 8  # characters of an id; more where listed runs would look the same


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    add_filters(parser, LIMIT)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List runs."""
    selection = selection_of(arguments, time.time_ns())
    with opened() as reader:
        found = runs_selected(reader, selection) if reader else []
        recorded = 0 if reader is None else reader.counts()["runs"]
    if arguments.json:
        print_json("runs", [as_json(run) for run in found])
        return 0
    if not found:
        if selection.narrows and recorded:
            return print_no_match("run", recorded)
        return print_nothing_recorded("runs", as_json=False)
    now_ns = time.time_ns()
    head = ("RUN", "AGENT", f"BEGAN ({zone_name(now_ns)})", "LASTED", "STEPS", "FINDINGS")
    length = short_length([run.run_id for run in found])
    lines = columns([head, *(cells(run, length, now_ns) for run in found)])
    screen = console()
    screen.print(Text(lines[0], style="dim"))
    for run, line in zip(found, lines[1:], strict=True):
        screen.print(Text(line, style="red" if run.alarms else "yellow" if run.warnings else ""))
    return 0


def cells(run: RunSummary, length: int, now_ns: int) -> tuple[str, ...]:
    """One run as a row."""
    found = [counted(run.alarms, "alarm")] if run.alarms else []
    found += [counted(run.warnings, "warning")] if run.warnings else []
    return (
        clean(run.run_id, 200)[:length],
        clean(agents_words(run.agents), 40),
        f"{day(run.began_at_ns)} {clock(run.began_at_ns)}",
        duration_words(run, now_ns),
        f"{run.done:,}" + (f" ({run.failed} failed)" if run.failed else ""),
        ", ".join(found) or "–",
    )


def short_length(ids: list[str]) -> int:
    """How many first characters of these ids are different for each of them."""
    longest = max(map(len, ids))
    for length in range(SHORT_MIN, longest):
        if len({run_id[:length] for run_id in ids}) == len(ids):
            return length
    return longest


def as_json(run: RunSummary) -> dict[str, Any]:
    """One run, for programs."""
    return {
        "run": run.run_id,
        "agent": run.agent,
        "agents": list(run.agents),
        "service": run.service,
        "began_at_ns": run.began_at_ns,
        "last_ns": run.last_ns,
        "ended_at_ns": run.ended_at_ns,
        "steps": run.done,
        "spans": dict(run.steps),
        "failed": run.failed,
        "open": run.open,
        "warnings": run.warnings,
        "alarms": run.alarms,
    }
