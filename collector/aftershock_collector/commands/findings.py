"""`aftershock findings`: what was found, newest first."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

from rich.text import Text

from aftershock.grade import SUSPECTED_FROM
from aftershock.model import Claim, Level
from aftershock_collector.commands.selection import add_filters, selection_of
from aftershock_collector.commands.store_access import (
    columns,
    console,
    opened,
    policy,
    print_json,
    print_no_match,
    print_nothing_recorded,
    run_named,
)
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.review.spending import Saving, histories_of, saving_of
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.explanation_json import saving_json
from aftershock_collector.views.selection import claims_selected
from aftershock_collector.views.timeline_json import finding_json
from aftershock_collector.wording import attribution_words, clean, clock, day, short, zone_name

LIMIT = 50


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--run", metavar="RUN", help="only of this run: the beginning of its id, or `latest`"
    )
    parser.add_argument("--open", action="store_true", help="only what is still open")
    add_filters(parser, LIMIT)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List findings."""
    selection = selection_of(arguments, time.time_ns())
    with opened() as reader:
        if reader is None or not reader.runs(limit=1):
            return print_nothing_recorded("findings", as_json=arguments.json)
        run_id = run_named(reader, arguments.run) if arguments.run else None
        selected = claims_selected(reader, selection, run_id=run_id, open_only=arguments.open)
        found = list(islice(selected, selection.limit))
        numbers = [reader.number_of(claim) for claim in found]
        recorded = reader.counts()["claims"]
        if arguments.json:
            listed = as_json(reader, found)
            numbered = zip(numbers, listed, strict=True)
            print_json("findings", [{"number": n} | one for n, one in numbered])
            return 0
    screen = console()
    if not found and recorded:
        return print_no_match("finding", recorded)
    if not found:
        screen.print("Nothing was found so far.")
        return 0
    head = ("#", f"REPORTED ({zone_name(time.time_ns())})", "LEVEL", "RULE", "RUN", "STATE", "WHAT")
    rows = [(str(n), *cells(claim)) for n, claim in zip(numbers, found, strict=True)]
    lines = columns([head, *rows])
    screen.print(Text(lines[0], style="dim"))
    for claim, line in zip(found, lines[1:], strict=True):
        screen.print(Text(line, style=colour(claim)))
    screen.print(Text(f"next: aftershock why {numbers[0]}", style="dim"))
    return 0


def as_json(reader: Reader, found: Sequence[Claim]) -> list[dict[str, Any]]:
    """Findings, each with what its run spent while it stood; one run in memory at a time."""
    known_policy = policy()
    savings: dict[int, Saving | None] = {}
    for run_id in dict.fromkeys(claim.finding.run_id for claim in found):
        steps = reader.steps(run_id, known_policy)
        histories = histories_of(steps, known_policy)
        for place, claim in enumerate(found):
            if claim.finding.run_id == run_id:
                savings[place] = saving_of(claim, steps, histories, known_policy)
    return [
        finding_json(claim) | {"spent": saving_json(saving) if (saving := savings[place]) else None}
        for place, claim in enumerate(found)
    ]


def cells(claim: Claim) -> tuple[str, ...]:
    """One finding as a row."""
    finding = claim.finding
    return (
        f"{day(claim.opened_at_ns)} {clock(claim.opened_at_ns)}",
        finding.level.value,
        clean(finding.kind, 40),
        short(finding.run_id),
        clean(closing_words(claim), 60) or "open",
        clean(attribution_words(finding.impact) if finding.impact else finding.summary),
    )


def colour(claim: Claim) -> str:
    """Red for alarms that are open; nothing below P .5 is red."""
    impact = claim.finding.impact
    if claim.closed_at_ns is not None or (impact and (impact.probability or 0.0) < SUSPECTED_FROM):
        return "dim"
    return "bold red" if claim.finding.level is Level.ALARM else "yellow"
