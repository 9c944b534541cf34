"""`aftershock import`: recorded traces and sessions into the store, judged with their own time."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.store_access import policy, print_json
from aftershock_collector.commands.transcripts import import_transcripts
from aftershock_collector.config.model import home
from aftershock_collector.otlp.wire import Unreadable
from aftershock_collector.service.replay import Imported, Importer
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.wording import counted, short


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "file", nargs="*", type=Path, metavar="FILE",
        help="OTLP (protobuf, JSON, JSON lines), OpenInference span JSON, neutral JSON lines; "
        ".gz is opened",
    )  # fmt: skip
    parser.add_argument(
        "--transcripts", action="store_true",
        help="session files of Claude Code, Codex, Gemini CLI, Qwen Code, Copilot CLI and "
        "OpenCode; without FILE: where they keep them",
    )  # fmt: skip
    parser.add_argument(
        "--since", metavar="AGE", help="with --transcripts: sessions of the last 7d, 12h; or all"
    )
    parser.add_argument(
        "--report-only", action="store_true", help="with --transcripts: store nothing"
    )
    parser.add_argument(
        "--content", action="store_true",
        help="with --transcripts: keep arguments and answers, without secrets; "
        "default: fingerprints",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Import files, or sessions of coding agents; what is wrong with the store in one line."""
    if not arguments.transcripts:
        if not arguments.file:
            raise UsageError("name a file, or give --transcripts")
        if arguments.since or arguments.report_only or arguments.content:
            raise UsageError("--since, --report-only and --content go with --transcripts")
    place = home() / "aftershock.db"
    try:
        return import_transcripts(arguments) if arguments.transcripts else import_files(arguments)
    except BrokenPipeError:
        raise  # the reader of what is printed went away
    except StoreUnavailable as error:
        hint = "; a running collector writes to it: try again" if error.reason == "locked" else ""
        raise CommandError(f"{place} cannot be written ({error.reason}): {error}{hint}") from error
    except (StoreRefused, OSError) as error:
        raise CommandError(f"{place} cannot be used: {error}") from error


def import_files(arguments: argparse.Namespace) -> int:
    """Import files; one that cannot be read is said and stops none of the others."""
    place = home() / "aftershock.db"
    done: list[Imported] = []
    failed = 0
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(SqliteStore.open(place)) as store:
        importer = Importer(store, policy(), time.time_ns())
        for path in arguments.file:
            try:
                done.append(importer.read(path))
            except (Unreadable, OSError) as error:
                failed += 1
                sys.stderr.write(f"aftershock import: {reason(path, error)}\n")
                continue
            if not arguments.json:
                sys.stdout.write(f"{line(done[-1])}\n")
    if arguments.json:
        print_json("import", [as_json(imported) for imported in done])
    elif done:
        sys.stdout.write(total(done))
    return 1 if failed else 0


def reason(path: Path, error: Exception) -> str:
    """Why a file was not read; readers' own words name it already."""
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}"
    return str(error)


def line(imported: Imported) -> str:
    """What became of one file: every item is stored, known already, or dropped with a reason."""
    words = [counted(imported.spans, "span")]
    words += [counted(imported.events, "event")] if imported.events else []
    words += [f"{imported.known:,} known already"] if imported.known else []
    words += [f"{count:,} dropped ({why})" for why, count in sorted(imported.dropped.items())]
    words += [counted(imported.steps, "step"), counted(len(imported.runs), "run")]
    words += [counted(len(imported.findings), "finding")] if imported.findings else []
    return f"{imported.path}: {', '.join(words)}"


def total(done: list[Imported]) -> str:
    """The sum, and what to look at next."""
    findings = Counter(claim.finding.kind for one in done for claim in one.findings)
    runs = sorted({run for one in done for run in one.runs})
    spans = sum(one.spans for one in done)
    lost = sum((one.dropped for one in done), Counter[str]()).total()
    stored = f"{counted(len(done), 'file')}: {counted(spans, 'span')} stored, {lost:,} dropped"
    words = [f"{stored}, {counted(len(runs), 'run')}, {counted(findings.total(), 'finding')}"]
    words += [f"  {count:>6,}  {kind}" for kind, count in findings.most_common()]
    if runs:
        words.append(f"next: aftershock findings, or aftershock timeline {short(runs[0])}")
    return "\n".join(words) + "\n"


def as_json(imported: Imported) -> dict[str, Any]:
    """One file, for programs."""
    return {
        "file": str(imported.path),
        "spans": imported.spans,
        "events": imported.events,
        "known": imported.known,
        "steps": imported.steps,
        "dropped": dict(imported.dropped),
        "runs": sorted(imported.runs),
        "findings": len(imported.findings),
    }
