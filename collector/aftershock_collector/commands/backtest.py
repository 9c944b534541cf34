"""`aftershock backtest --policy FILE`: what another policy would have found in past runs."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from aftershock.model import Level, Step
from aftershock.policy.policy import (
    Policy,
    PolicyError,
    apply_overrides,
    parse_seconds,
    read_limits,
)
from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import (
    columns,
    console,
    opened,
    print_json,
    print_nothing_recorded,
)
from aftershock_collector.config import load
from aftershock_collector.config.load import ConfigurationError
from aftershock_collector.otlp.wire import Unreadable
from aftershock_collector.review.backtest import Backtest, Example, Move, rejudge
from aftershock_collector.review.rereading import Rereader
from aftershock_collector.service.replay import decode_recorded
from aftershock_collector.sources.recorded_files import read_file
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.wording import clean, counted, day

RUNS_MAX = 100_000  # whose ids are held; a busy fleet's month


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "file", nargs="*", type=Path, metavar="FILE",
        help="recorded traces, as `aftershock import` takes them; default: what is stored",
    )  # fmt: skip
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the aftershock.yaml to try; default: today's"
    )
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=NUMBER",
        help="a limit to try on top of it, such as repeats_alarm=4; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--since", metavar="7d", help="only stored runs that were at work in this time"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Judge past runs under two policies and compare."""
    if arguments.policy is None and not arguments.limit:
        raise CommandError("nothing to try: give --policy FILE, or --limit NAME=NUMBER")
    if arguments.file and arguments.since:
        raise CommandError("--since is about stored runs: give it, or files, not both")
    today = loaded(None)
    other = with_limits(loaded(arguments.policy), arguments.limit)
    readers = (
        Rereader(today, other, is_other=False),
        Rereader(other, today, is_other=True),
    )
    now_ns = time.time_ns()
    backtest = Backtest()
    if arguments.file:
        with recorded(arguments.file, now_ns) as reader:
            replay(reader, reader.live_since(0, RUNS_MAX), readers, backtest, None)
    else:
        since_ns = 0 if arguments.since is None else now_ns - seconds(arguments.since)
        with opened() as reader:
            if reader is None or not reader.runs(limit=1):
                return print_nothing_recorded("backtest", as_json=arguments.json)
            replay(reader, reader.live_since(since_ns, RUNS_MAX), readers, backtest, now_ns)
    names = (named(None), named(arguments.policy, arguments.limit))
    unfilled = readers[1].unfilled
    if arguments.json:
        print_json("backtest", as_json(backtest, names, unfilled))
    else:
        show(backtest, names, unfilled, console())
    return 0


# --- What is asked for -----------------------------------------------------------------------


def loaded(path: Path | None) -> Policy:
    """The policy of a file, or today's; a comparison with half a policy would mislead."""
    try:
        document = load.load(path, os.environ).document
        return Policy.from_mapping(document)
    except ConfigurationError as error:
        more = len(error.problems) - 1
        rest = f" ({counted(more, 'further problem')}; see `aftershock check`)" if more else ""
        raise CommandError(f"{error.problems[0]}{rest}") from error


def with_limits(policy: Policy, given: Sequence[str]) -> Policy:
    """A policy with some limits replaced."""
    numbers: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            numbers[name] = float(number)
        except ValueError as error:
            raise CommandError(f"--limit {text!r} is not NAME=NUMBER") from error
    try:
        limits = apply_overrides(policy.limits, read_limits(numbers, ("--limit",)))
    except PolicyError as error:
        raise CommandError(f"{error}") from error
    return replace(policy, limits=limits)


def seconds(text: str) -> int:
    """A length of time, in nanoseconds."""
    try:
        return int(parse_seconds(text) * 1e9)
    except ValueError as error:
        raise CommandError(f"--since: {error}") from error


def named(path: Path | None, limits: Sequence[str] = ()) -> str:
    """What to call a policy."""
    place = path or load.find(os.environ)
    name = clean(str(place), 80) if place is not None else "the defaults"
    return f"{name} with {', '.join(limits)}" if limits else name


# --- Past runs -------------------------------------------------------------------------------


@contextmanager
def recorded(files: Sequence[Path], now_ns: int) -> Generator[Reader]:
    """Files as a store of their own, for as long as it is read: a run may be all over a file."""
    with tempfile.TemporaryDirectory(prefix="aftershock-backtest-") as folder:
        place = Path(folder) / "aftershock.db"
        try:
            with closing(SqliteStore.open(place)) as store:
                for path in files:
                    for batch in read_file(path):
                        items = decode_recorded(batch, Policy(), now_ns)
                        store.append(items.spans, items.events, items.changes, now_ns)
        except Unreadable as error:
            raise CommandError(str(error)) from error
        except StoreUnavailable as error:
            raise CommandError(f"{folder} cannot hold the files ({error.reason})") from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror or error}") from error
        with Reader.open(place) as reader:
            yield reader


def replay(
    reader: Reader,
    run_ids: Sequence[str],
    readers: tuple[Rereader, Rereader],
    backtest: Backtest,
    until_ns: int | None,
) -> None:
    """Judge runs twice, one at a time."""
    if len(run_ids) >= RUNS_MAX:
        sys.stderr.write(f"aftershock backtest: only the newest {RUNS_MAX:,} runs are judged\n")
    for run_id in run_ids:
        spans, events = list(reader.spans(run_id)), list(reader.events(run_id))
        impacts = reader.impacts(run_id)
        both: list[list[Step]] = []
        for one in readers:
            steps = [step for span in spans if (step := one.span(span)) is not None]
            steps += [step for event in events if (step := one.event(event)) is not None]
            both.append(steps)
        if both[0]:
            claims = [
                rejudge(steps, one.policy, impacts, until_ns)
                for steps, one in zip(both, readers, strict=True)
            ]
            backtest.add(both[0], *claims)


# --- What is said ----------------------------------------------------------------------------


def show(backtest: Backtest, names: tuple[str, str], unfilled: int, screen: Console) -> None:
    """The comparison for people."""
    screen.print(Text(f"today: {names[0]}\nnew:   {names[1]}", style="bold"))
    screen.print(Text(f"{scope(backtest)}\n", style="dim"))
    head = ("RULE", "LEVEL", "TODAY", "NEW", "GAINED", "LOST")
    cells = [
        (kind, level.value, *(f"{count[kind, level]:,}" for count in counters(backtest)))
        for kind, level in backtest.keys
    ]
    lines = columns([head, *cells])
    screen.print(Text(lines[0], style="dim"))
    for (_, level), line in zip(backtest.keys, lines[1:], strict=True):
        screen.print(Text(line, style="red" if level is Level.ALARM else "yellow"))
    if not cells:
        screen.print("Neither policy finds anything in these runs.")
    screen.print(Text(f"\n{paging(backtest)}", style="bold"))
    for text in example_lines(backtest):
        screen.print(Text(text))
    if not backtest.examples:
        screen.print("The two find the same.")
    if unfilled:
        calls = counted(unfilled, "call")
        screen.print(
            f"{calls} carried no arguments: a {{placeholder}} of the new policy was taken as any."
        )


def counters(backtest: Backtest) -> tuple[Any, ...]:
    """The columns of numbers."""
    return backtest.today, backtest.other, backtest.gained, backtest.lost


def scope(backtest: Backtest) -> str:
    """What was judged."""
    if backtest.first_ns is None or backtest.last_ns is None:
        return "no runs"
    days = sorted({day(backtest.first_ns), day(backtest.last_ns)})
    return (
        f"{counted(backtest.runs, 'run')}, {counted(backtest.steps, 'step')}, {' to '.join(days)}"
    )


def paging(backtest: Backtest) -> str:
    """Whom it would have woken."""
    days = max(1, len(backtest.days))
    pages = [sum(one.values()) for one in (backtest.pages_today, backtest.pages_other)]
    worst = [max(one.values(), default=0) for one in (backtest.pages_today, backtest.pages_other)]
    return (
        f"pages a day: {pages[0] / days:.1f} → {pages[1] / days:.1f}"
        f" (in all {pages[0]:,} → {pages[1]:,} on {counted(days, 'day')} with runs;"
        f" the worst day {worst[0]:,} → {worst[1]:,})"
    )


def example_lines(backtest: Backtest) -> Iterator[str]:
    """What was gained and lost, with a few of each from different runs."""
    for move in sorted(backtest.examples, key=order):
        kind, today, other = move
        count = backtest.moved[move]
        if today is None:
            yield f"\n+ gained: {count:,} {kind} ({other})"
        elif other is None:
            yield f"\n- lost: {count:,} {kind} ({today})"
        else:
            yield f"\n~ {today} → {other}: {count:,} {kind}"
        for one in backtest.examples[move]:
            yield f"    run {clean(one.finding.run_id, 80)}: {clean(one.finding.summary)}"


def order(move: Move) -> tuple[bool, bool, str]:
    """Pages that are new come first, then pages that are gone."""
    kind, today, other = move
    return (other is not Level.ALARM, today is not Level.ALARM, kind)


def as_json(backtest: Backtest, names: tuple[str, str], unfilled: int) -> dict[str, Any]:
    """The comparison for programs."""
    days = max(1, len(backtest.days))
    return {
        "today": names[0],
        "new": names[1],
        "runs": backtest.runs,
        "steps": backtest.steps,
        "first_ns": backtest.first_ns,
        "last_ns": backtest.last_ns,
        "rules": [
            {"rule": kind, "level": level.value}
            | {
                name: count[kind, level]
                for name, count in zip(
                    ("today", "new", "gained", "lost"), counters(backtest), strict=True
                )
            }
            for kind, level in backtest.keys
        ],
        "days": len(backtest.days),
        "pages": {
            name: {
                "total": sum(pages.values()),
                "a_day": sum(pages.values()) / days,
                "worst_day": max(pages.values(), default=0),
            }
            for name, pages in (
                ("today", backtest.pages_today),
                ("new", backtest.pages_other),
            )
        },
        "differences": [
            {
                "rule": kind,
                "today": None if today is None else today.value,
                "new": None if other is None else other.value,
                "count": count,
            }
            for (kind, today, other), count in backtest.moved.items()
        ],
        "examples": [example_json(one) for alike in backtest.examples.values() for one in alike],
        "unfilled_calls": unfilled,
    }


def example_json(one: Example) -> dict[str, Any]:
    """One finding that differs."""
    finding = one.finding
    return {
        "finding": finding.id,
        "rule": finding.kind,
        "run": finding.run_id,
        "agent": finding.agent,
        "summary": finding.summary,
        "today": None if one.today is None else one.today.value,
        "new": None if one.other is None else one.other.value,
    }
