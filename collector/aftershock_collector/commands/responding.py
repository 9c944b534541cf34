"""What commands share that write what a person decided: who it is, and waiting for the store."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from typing import TypeVar

from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.store_access import opened, store_path
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore

LOCKED_TRIES = 20  # of a quarter of a second each: a collector's commits take milliseconds
T = TypeVar("T")


def add_author(parser: argparse.ArgumentParser) -> None:
    """Who decides, and why."""
    parser.add_argument("--by", metavar="NAME", help="who you are; default: your login name")
    parser.add_argument("--because", metavar="TEXT", help="why, for whoever asks later")


def author_of(arguments: argparse.Namespace) -> str:
    """The name that was given, else the login name. Raises UsageError."""
    if arguments.by is not None:
        name: str = arguments.by.strip()
    else:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = ""
    if not name:
        raise UsageError("say who you are: --by NAME")
    return name


@contextmanager
def required() -> Generator[Reader]:
    """The store; nothing to respond to where nothing was recorded. Raises CommandError."""
    with opened() as reader:
        if reader is None:
            raise CommandError("nothing is recorded yet; `aftershock up` starts the collector")
        yield reader


def writing(change: Callable[[SqliteStore], T]) -> T:
    """Make one change to the store, beside a collector that writes to it. Raises CommandError."""
    place = store_path()
    for left in reversed(range(LOCKED_TRIES)):
        try:
            with closing(SqliteStore.open(place)) as store:
                return change(store)
        except StoreUnavailable as error:
            if error.reason != "locked" or not left:
                problem = f"{place} cannot be written ({error.reason}): {error}"
                raise CommandError(problem) from error
        except StoreRefused as error:
            raise CommandError(f"{place} cannot be used: {error}") from error
    raise AssertionError("the last try returns or raises")
