"""`aftershock timeline RUN…`: one run or several on one axis, as text, JSON or HTML."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import (
    LATEST,
    console,
    opened,
    policy,
    print_json,
    print_nothing_recorded,
    run_named,
)
from aftershock_collector.views.html import timeline_document
from aftershock_collector.views.load_timeline import View, view
from aftershock_collector.views.terminal import timeline_text
from aftershock_collector.views.timeline_json import as_json


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "run", nargs="*", default=[LATEST], metavar="RUN",
        help="the beginning of a run's id, or `latest`; several are merged on one axis",
    )  # fmt: skip
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a self-contained HTML document"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Show runs."""
    with opened() as reader:
        if reader is None or not reader.runs(limit=1):
            if arguments.run == [LATEST]:
                return print_nothing_recorded("timeline", as_json=arguments.json)
            raise CommandError("nothing is recorded yet; `aftershock up` starts the collector")
        run_ids = list(dict.fromkeys(run_named(reader, name) for name in arguments.run))
        try:
            seen = view(reader, run_ids, policy(), time.time_ns())
        except ValueError as error:
            named = ", ".join(run_ids)
            raise CommandError(f"run {named} holds nothing that an agent did ({error})") from error
    if arguments.html is not None:
        write_document(arguments.html, seen)
    if arguments.json:
        print_json("timeline", as_json(seen.timeline))
    elif arguments.html is None:
        timeline_text.show(seen.timeline, console())
    return 0


def write_document(place: Path, seen: View) -> None:
    """Write the HTML document, and print where."""
    try:
        place.write_text(
            timeline_document.render(seen.timeline, pages=seen.pages), encoding="utf-8"
        )
    except OSError as error:
        raise CommandError(f"{place} cannot be written: {error.strerror or error}") from error
    sys.stderr.write(f"{place.resolve().as_uri()}\n")
