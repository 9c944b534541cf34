"""`aftershock policy init`: a first, commented aftershock.yaml from what past runs did."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aftershock.attributes import ACTION_TIER
from aftershock.model import Step
from aftershock.policy.policy import EMPTY, parse_seconds
from aftershock.runs.expectations import learn_expectations
from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import opened, print_nothing_recorded
from aftershock_collector.config.model import FILE_NAME
from aftershock_collector.review.comparison import content_of
from aftershock_collector.review.explanation import settled
from aftershock_collector.review.habits import Habits
from aftershock_collector.review.policy_draft import draft
from aftershock_collector.store.reader import Reader
from aftershock_collector.wording import counted

RUNS_MAX = 100_000  # the newest ones are learnt from
STDOUT = Path("-")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    init = commands.add_parser(
        "init", help="write a first aftershock.yaml from past runs",
        description="Write a first, commented aftershock.yaml from what past runs did.",
    )  # fmt: skip
    init.add_argument(
        "--out", type=Path, default=Path(FILE_NAME), metavar="FILE",
        help=f"where to (default {FILE_NAME}; - prints it)",
    )  # fmt: skip
    init.add_argument("--since", metavar="30d", help="only from runs of this time")
    init.add_argument("--force", action="store_true", help="write over a file that is there")


def main(arguments: argparse.Namespace) -> int:
    """Draft a policy."""
    place: Path = arguments.out
    if place != STDOUT and place.exists() and not arguments.force:
        raise CommandError(f"{place} is there already: give another --out, or --force")
    since_ns = since(arguments.since)
    habits = Habits()
    with opened() as reader:
        if reader is None or not reader.runs(limit=1):
            return print_nothing_recorded("policy", as_json=False)
        learned = learn_expectations(habits.recorded(runs(reader, since_ns)))
    if not habits.runs:
        raise CommandError("no run of that time is stored; `aftershock runs` lists them")
    text = draft(habits, learned)
    if place == STDOUT:
        sys.stdout.write(text)
        return 0
    try:
        with place.open("w" if arguments.force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"{place} cannot be written: {error.strerror or error}") from error
    sys.stdout.write(
        f"{place}: {counted(len(habits.tools), 'tool')} from {counted(habits.runs, 'run')}; read "
        f"it, then: aftershock check {place}; aftershock backtest --policy {place}\n"
    )
    return 0


def since(text: str | None) -> int:
    """The moment from which runs are learnt from."""
    try:
        return 0 if text is None else time.time_ns() - int(parse_seconds(text) * 1e9)
    except ValueError as error:
        raise CommandError(f"--since: {error}") from error


def runs(
    reader: Reader, since_ns: int
) -> Iterator[tuple[Sequence[Step], dict[str, tuple[Any, bool]]]]:
    """Stored runs one at a time, oldest first, as they look without a policy."""
    for run_id in reversed(reader.live_since(since_ns, RUNS_MAX)):
        steps = settled(reader.steps(run_id, EMPTY))
        calls = {step.span_id for step in steps if step.action is not None}
        yield (
            steps,
            {
                span.span_id: (content_of(span).arguments, ACTION_TIER in span.attributes)
                for span in reader.spans(run_id)
                if span.span_id in calls
            },
        )
