"""`aftershock findings`: what was found, newest first."""

from __future__ import annotations

import argparse

from rich.text import Text

from aftershock.model import Claim, Level
from aftershock_collector.commands.reading import (
    columns,
    console,
    opened,
    print_json,
    run_named,
    say_nothing_yet,
)
from aftershock_collector.render.terminal import SUSPECTED
from aftershock_collector.story import clean, clock, day, short, verdict
from aftershock_collector.timeline_json import finding_json

LIMIT = 50


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--run", help="only of this run (the beginning of its id, or `latest`)")
    parser.add_argument("--open", action="store_true", help="only what is still open")
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"how many (default {LIMIT})")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List findings."""
    with opened() as reader:
        if reader is None or not reader.runs(limit=1):
            return say_nothing_yet(arguments.json)
        run_id = run_named(reader, arguments.run) if arguments.run else None
        found = reader.claims(run_id, open_only=arguments.open, limit=arguments.limit)
    if arguments.json:
        print_json([finding_json(claim) for claim in found])
        return 0
    screen = console()
    if not found:
        screen.print("Nothing found: no agent here loops, acts blindly or broke anything we saw.")
        return 0
    head = ("TOLD (UTC)", "LEVEL", "RULE", "RUN", "STATE", "WHAT")
    lines = columns([head, *(cells(claim) for claim in found)])
    screen.print(Text(lines[0], style="dim"))
    for claim, line in zip(found, lines[1:], strict=True):
        screen.print(Text(line, style=colour(claim)))
    return 0


def cells(claim: Claim) -> tuple[str, ...]:
    """One finding as a row."""
    finding = claim.finding
    return (
        f"{day(claim.opened_at_ns)} {clock(claim.opened_at_ns)}",
        finding.level.value,
        clean(finding.kind, 40),
        short(finding.run_id),
        "open" if claim.closing is None else claim.closing.value,
        clean(verdict(finding.impact) if finding.impact else finding.summary),
    )


def colour(claim: Claim) -> str:
    """Red for alarms that are open; nothing below P .5 is red."""
    impact = claim.finding.impact
    if claim.closed_at_ns is not None or (impact and (impact.probability or 0.0) < SUSPECTED):
        return "dim"
    return "bold red" if claim.finding.level is Level.ALARM else "yellow"
