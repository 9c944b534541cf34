"""`aftershock forget`: remove a run, or everything about a subject, for a privacy request."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import UTC, datetime

from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.responding import add_author, author_of
from aftershock_collector.commands.store_access import opened, print_json, store_path
from aftershock_collector.store.forgetting import (
    SUBJECT_CHARS_MIN,
    Forgotten,
    forget,
    record,
    runs_about,
    siblings_of,
)
from aftershock_collector.store.home_lock import held
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.wording import clean, counted

PREFIX_CHARS_MIN = 6  # of a run's id: what lists show of it


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "name", metavar="RUN|SUBJECT", help="a run's id or its beginning, or a text"
    )
    parser.add_argument("--yes", action="store_true", help="remove it; without, only say what")
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Say what would be removed, or remove it. The collector must not run meanwhile."""
    by = author_of(arguments)
    place = store_path()
    if not place.exists():
        raise CommandError("nothing is recorded yet")
    run_id = _run_named(arguments.name)
    subject = None if run_id is not None else _subject(arguments.name)
    try:
        with held(place.parent), closing(SqliteStore.open(place)) as store:
            if run_id is not None:
                runs = siblings_of(store, run_id)
            else:
                runs = runs_about(store, subject or "")
            gone = forget(store, runs, subject, really=arguments.yes)
    except StoreRefused as error:
        raise CommandError(f"stop the collector first, it would write it back: {error}") from error
    except StoreUnavailable as error:
        raise CommandError(f"{place} cannot be written: {error}") from error
    if arguments.yes:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        record(place.parent, gone, by, arguments.because or "", at)
    if arguments.json:
        print_json("forgotten", {"removed": arguments.yes, **_json(gone)})
    else:
        sys.stdout.write(_text(gone, removed=arguments.yes))
    return 0


def _run_named(name: str) -> str | None:
    """The run that a name means; None where it means none. Raises CommandError for several."""
    with opened() as reader:
        if reader is None or reader.run_row(name) is not None:
            return name if reader is not None else None
        if len(name) < PREFIX_CHARS_MIN:
            return None
        ids = [run.run_id for run in reader.runs(prefix=name, limit=2)]
    if len(ids) > 1:
        raise CommandError(f"{clean(name, 60)!r} is the beginning of several runs: give more of it")
    return ids[0] if ids else None


def _subject(name: str) -> str:
    text: str = name.strip()
    if len(text) < SUBJECT_CHARS_MIN:
        raise UsageError(
            f"no run has this id, and a subject has {SUBJECT_CHARS_MIN} letters or more"
        )
    return text


def _json(gone: Forgotten) -> dict[str, object]:
    return {"runs": list(gone.runs), "rows": dict(gone.rows), "sent": dict(gone.sent)}


def _text(gone: Forgotten, *, removed: bool) -> str:
    if not gone.rows:
        return "Nothing is stored of it.\n"
    verb = "Removed" if removed else "Would remove (add --yes)"
    rows = ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in gone.rows.items())
    lines = [f"{verb}: {counted(len(gone.runs), 'run')}; {rows}."]
    if gone.sent:
        sent = ", ".join(f"{name} {count}" for name, count in gone.sent.items())
        lines.append(f"Messages that were sent before stay where they are: {clean(sent, 200)}.")
    if removed:
        lines.append("Backups, and what was forwarded to other stores, hold it still.")
    return "\n".join(lines) + "\n"
