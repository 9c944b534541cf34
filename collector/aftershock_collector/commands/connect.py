"""`aftershock connect AGENT`: what a coding agent needs to send its telemetry here, and sets it."""

from __future__ import annotations

import argparse
import http.client
import json
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import opened
from aftershock_collector.config.coding_agents import AGENTS, Needs, needs_of
from aftershock_collector.config.foreign_settings import (
    NotOurs,
    changes,
    with_block,
    with_ours,
    without_block,
    without_ours,
)
from aftershock_collector.config.model import home
from aftershock_collector.wording import clean, instant

ENDPOINT = "http://127.0.0.1:4318"
ANSWER_S = 3.0
POLL_S = 0.5
BACKUP = ".before-aftershock"
REACHED = 500  # below it somebody answered, if only that a token is wanted


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("agent", choices=sorted(AGENTS), metavar="AGENT", help=", ".join(AGENTS))
    parser.add_argument("--endpoint", default=ENDPOINT, metavar="URL", help=f"default: {ENDPOINT}")
    parser.add_argument(
        "--gate", action="store_true", help="the hook as well, which asks before each tool call"
    )
    changed = parser.add_mutually_exclusive_group()
    changed.add_argument("--write", action="store_true", help="set it; other settings stay")
    changed.add_argument("--undo", action="store_true", help="take back what --write set")
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help="wait until a session of the agent arrives"
    )


def main(arguments: argparse.Namespace) -> int:
    """Print or change; then say whether anything arrives."""
    needs = needs_of(
        arguments.agent, arguments.endpoint, gate_command() if arguments.gate else None
    )
    lines = list(printed(needs))
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.write or arguments.undo:
        done = list(undo(needs_to_undo(arguments)) if arguments.undo else write(needs))
        sys.stdout.write("\n".join(["", *(done or ["Nothing had to be changed."])]) + "\n")
    if arguments.undo:
        return 0
    return arrives(needs, arguments.endpoint, arguments.wait)


def needs_to_undo(arguments: argparse.Namespace) -> Needs:
    """Everything that could have been set, the hook included."""
    return needs_of(arguments.agent, arguments.endpoint, gate_command())


def gate_command() -> str:
    """The command of the hook, which the agent starts from any folder."""
    found = shutil.which("aftershock")
    own = [found, "gate"] if found else [sys.executable, "-m", "aftershock.guard.hook"]
    return shlex.join(own)


# --- What is printed -------------------------------------------------------------------------


def printed(needs: Needs) -> Iterator[str]:
    """What the agent needs, for a person who sets it."""
    for path, document in needs.documents.items():
        yield f"In {path}:"
        yield json.dumps(document, indent=2)
    for path, text in needs.texts.items():
        yield f"In {path}:"
        yield text.rstrip()
    for path, text in needs.files.items():
        yield f"As {path}:"
        yield text.rstrip()
    if needs.variables:
        yield "In the environment that it starts from:"
        yield from (f"export {name}={value}" for name, value in needs.variables.items())
    yield from needs.remarks


def variables_file(needs: Needs) -> Path:
    """The file that a shell reads the variables from."""
    return home() / "connect" / f"{needs.agent}.sh"


# --- What is changed -------------------------------------------------------------------------


def write(needs: Needs) -> Iterator[str]:
    """Set it; each file that was there before is copied once, beside it."""
    for path, ours in needs.documents.items():
        place = Path(path).expanduser()
        theirs = document_of(place)
        merged = with_ours(theirs, ours)
        if merged != theirs:
            yield from saved(place, json.dumps(merged, indent=2) + "\n")
            yield from (f"  {line}" for line in changes(theirs, merged))
    for path, block in needs.texts.items():
        place = Path(path).expanduser()
        text = place.read_text() if place.exists() else ""
        try:
            after = with_block(text, block)
        except NotOurs as error:
            raise CommandError(f"{place}: {error}") from error
        if after != text:
            yield from saved(place, after)
    for path, text in needs.files.items():
        place = Path(path).expanduser()
        if not place.exists() or place.read_text() != text:
            yield from saved(place, text)
    if needs.variables:
        place = variables_file(needs)
        text = "".join(f"export {name}={value}\n" for name, value in needs.variables.items())
        if not place.exists() or place.read_text() != text:
            yield from saved(place, text)
        yield f"Variables are read by a shell: add `. {place}` to your shell's profile."


def undo(needs: Needs) -> Iterator[str]:
    """Take it back; what somebody changed since then stays."""
    for path, ours in needs.documents.items():
        place = Path(path).expanduser()
        if place.exists():
            now, backup = document_of(place), Path(f"{place}{BACKUP}")
            after = without_ours(now, ours, document_of(backup))
            if after != now:
                place.write_text(json.dumps(after, indent=2) + "\n")
                yield f"Changed {place}"
                yield from (f"  {line}" for line in changes(now, after))
            backup.unlink(missing_ok=True)  # the next --write makes one of what is there then
    for path in needs.texts:
        place = Path(path).expanduser()
        text = place.read_text() if place.exists() else ""
        if without_block(text) != text:
            place.write_text(without_block(text))
            Path(f"{place}{BACKUP}").unlink(missing_ok=True)
            yield f"Changed {place}"
    for place in (*(Path(path).expanduser() for path in needs.files), variables_file(needs)):
        if place.exists():
            place.unlink()
            yield f"Removed {place}"


def saved(place: Path, text: str) -> Iterator[str]:
    """Write a file whole, with a copy of what it was before the first time."""
    backup = Path(f"{place}{BACKUP}")
    place.parent.mkdir(parents=True, exist_ok=True)
    copied = place.exists() and not backup.exists()
    if copied:
        shutil.copy2(place, backup)
    beside = place.with_name(f"{place.name}.new")
    beside.write_text(text)
    if place.exists():
        shutil.copymode(place, beside)
    beside.replace(place)
    yield f"Changed {place}" + (f" (before: {backup})" if copied else "")


def document_of(place: Path) -> dict[str, Any]:
    """A JSON document; an empty one where there is no file.

    Raises:
        CommandError: it is no JSON object, so that merging would lose what stands in it.
    """
    if not place.exists():
        return {}
    try:
        document: Any = json.loads(place.read_text() or "{}")
    except ValueError as error:
        raise CommandError(
            f"{place} is no plain JSON ({error}): set it by hand, as printed above"
        ) from error
    if not isinstance(document, dict):
        raise CommandError(f"{place} is no JSON object: set it by hand, as printed above")
    return cast("dict[str, Any]", document)


# --- Whether it arrives ----------------------------------------------------------------------


def arrives(needs: Needs, endpoint: str, wait_s: float | None) -> int:
    """Say whether a collector answers, and whether a session of the agent has come in."""
    problem = unreachable(endpoint)
    if problem:
        sys.stdout.write(f"\nNo collector answers at {endpoint} ({problem}): aftershock up\n")
        return 1
    sys.stdout.write(f"\nA collector answers at {endpoint}.\n")
    began_ns = time.time_ns()
    deadline = time.monotonic() + (wait_s or 0.0)
    while True:
        newest_ns = newest_of(needs.service)
        if newest_ns is not None and (wait_s is None or newest_ns >= began_ns):
            sys.stdout.write(f"The newest session of {needs.agent} was at {instant(newest_ns)}.\n")
            return 0
        if time.monotonic() >= deadline:
            break
        time.sleep(POLL_S)
    sys.stdout.write(
        f"No session of {needs.agent} has come in yet: start one, then "
        f"aftershock connect {needs.agent} --wait 60\n"
    )
    return 0 if wait_s is None else 1


def newest_of(service: str) -> int | None:
    """When the newest session of an agent was at work; None: there is none."""
    with opened() as reader:
        runs = [] if reader is None else reader.runs(limit=200)
    found = [run.last_ns for run in runs if service in {run.service, run.agent}]
    return max(found, default=None)


def unreachable(endpoint: str) -> str:
    """Why no OTLP is received there; "": it is. An empty request asks."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandError(f"--endpoint {clean(endpoint, 80)}: give http://HOST:PORT")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=ANSWER_S)
    try:
        path = f"{parts.path.rstrip('/')}/v1/logs"
        connection.request("POST", path, "{}", {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except OSError as error:
        return error.strerror or str(error)
    finally:
        connection.close()
    return "" if status < REACHED and status != 404 else f"status {status}"
