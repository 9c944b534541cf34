"""What the commands that read the store share: opening it, and finding the run that was meant."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from aftershock.policy.policy import EMPTY, Policy
from aftershock_collector.commands import CommandError
from aftershock_collector.config import load
from aftershock_collector.config.load import ConfigurationError
from aftershock_collector.config.model import home
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.envelope import enveloped
from aftershock_collector.wording import counted

LATEST = "latest"
LISTS = {"runs", "findings", "incidents"}  # kinds of output that hold any number of things
NAMED_MAX = 5  # of the runs that a prefix could mean
NOTHING_YET = """\
Nothing is recorded yet in {place}.
  aftershock demo                              watch an incident happen
  aftershock up                                run the collector, then in another terminal:
  aftershock run python your_agent.py          record an agent
  aftershock import FILE…                      read recorded traces
"""


def store_path() -> Path:
    """Where the store is."""
    return home() / "aftershock.db"


@contextmanager
def opened() -> Generator[Reader | None]:
    """The store, or None where nothing was recorded yet; what is wrong with it in one line."""
    place = store_path()
    if not place.exists():
        yield None
        return
    try:
        with Reader.open(place) as reader:
            yield reader
    except StoreUnavailable as error:
        raise CommandError(f"{place} cannot be read ({error.reason}): {error}") from error


def print_nothing_recorded(kind: str, *, as_json: bool) -> int:
    """An empty store is not an error; say what to do next."""
    if as_json:
        print_json(kind, [] if kind in LISTS else None)
    else:
        sys.stdout.write(NOTHING_YET.format(place=home()))
    return 0


def print_no_match(noun: str, recorded: int) -> int:
    """What to say where filters leave nothing of what is recorded."""
    sys.stdout.write(f"No {noun} matches; {counted(recorded, noun)} recorded in {home()}.\n")
    return 0


def run_named(reader: Reader, name: str) -> str:
    """The run that a prefix or `latest` means."""
    found = reader.runs(limit=NAMED_MAX + 1, prefix="" if name == LATEST else name)
    ids = [run.run_id for run in found]
    if not ids:
        raise CommandError(f"no run begins with {name!r}; `aftershock runs` lists them")
    if name == LATEST or name in ids or len(ids) == 1:
        return name if name in ids else ids[0]
    shown = ", ".join(ids[:NAMED_MAX]) + (", …" if len(ids) > NAMED_MAX else "")
    raise CommandError(f"{name!r} is the beginning of several runs ({shown}): give more of it")


def policy() -> Policy:
    """What aftershock.yaml says of tools; a file that is wrong is said, and does without."""
    try:
        return Policy.from_mapping(load.load(None, os.environ).document)
    except ConfigurationError as error:
        first = error.problems[0]
        sys.stderr.write(f"aftershock: {first}; shown without policy, see `aftershock check`\n")
        return EMPTY


def print_json(kind: str, data: Any) -> None:
    """One document on standard output: `kind` names what `data` is."""
    json.dump(enveloped(kind, data), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


class Screen(Console):
    """A console that leaves a broken pipe to the command: `| head` is not an error."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1."""
        raise BrokenPipeError


def console() -> Console:
    """Where people read: colours in a terminal, plain text elsewhere."""
    return Screen(highlight=False, soft_wrap=True)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned text; the last column is as long as it is."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell if number == len(widths) - 1 else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
