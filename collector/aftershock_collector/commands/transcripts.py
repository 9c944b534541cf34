"""`aftershock import --transcripts [PATH…]`: what coding agents did on this machine."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from aftershock.policy.policy import PolicyError, parse_seconds
from aftershock_collector.commands import UsageError
from aftershock_collector.commands.store_access import policy, print_json
from aftershock_collector.config.model import home
from aftershock_collector.review.session_report import CallRow, Loop, SessionReport
from aftershock_collector.service.transcripts import TranscriptImporter, since_of
from aftershock_collector.sources.transcripts.files import SessionFiles, places, sessions_in
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.wording import clean, clock, counted, day, lasted, short

ROWS_SHOWN = 10  # of each kind
PLACES_SHOWN = 8  # folders and entities
AGE_DEFAULT = "30d"
NOTHING_HERE = """\
No sessions of coding agents were found on this machine. Looked for those of Claude Code, Codex,
Gemini CLI, Qwen Code, Copilot CLI and OpenCode, in the places where they keep them.
Name files or folders: aftershock import --transcripts PATH…
"""


def import_transcripts(arguments: argparse.Namespace) -> int:
    """Read sessions, print the report; one that cannot be read is said and stops none other."""
    given: list[Path] = arguments.file or places(os.environ)
    if not given:
        sys.stdout.write(NOTHING_HERE)
        return 0
    age_s = age_of(arguments.since or ("all" if arguments.file else AGE_DEFAULT))
    failed: list[str] = []
    with ExitStack() as standing:
        store = None
        if not arguments.report_only:
            place = home() / "aftershock.db"
            place.parent.mkdir(parents=True, exist_ok=True)
            store = standing.enter_context(closing(SqliteStore.open(place)))
        importer = TranscriptImporter(store, policy(), time.time_ns(), content=arguments.content)
        unknown = 0
        for files in each_session(given, since_of(age_s), failed):
            try:
                unknown += not importer.read(files)
            except OSError as error:
                failed.append(f"{files.path}: {error.strerror or error}")
    for text in failed:
        sys.stderr.write(f"aftershock import: {text}\n")
    if arguments.json:
        print_json("transcripts", as_json(importer.report, unknown))
    else:
        sys.stdout.write(text_of(importer.report, unknown, stored=not arguments.report_only))
    return 1 if failed else 0


def each_session(
    given: Sequence[Path], newer_than_s: float | None, failed: list[str]
) -> Iterator[SessionFiles]:
    """Sessions of every path; a path that cannot be read is listed and stops none other."""
    for path in given:
        try:
            yield from sessions_in([path], newer_than_s)
        except OSError as error:
            failed.append(f"{path}: {error.strerror or error}")


def age_of(text: str) -> float | None:
    """`30d` in seconds; None for `all`."""
    if text == "all":
        return None
    try:
        return parse_seconds(text)
    except (PolicyError, ValueError) as error:
        raise UsageError(f"--since {text}: give a time such as 7d or 12h, or all") from error


# --- For people ------------------------------------------------------------------------------


def text_of(report: SessionReport, unknown: int, *, stored: bool) -> str:
    """The report as text."""
    if not report.sessions:
        return "\n".join(["No session could be read.", *unread_lines(report, unknown)]) + "\n"
    lines = [head(report), ""]
    lines += [f"  {name:<24}{value}" for name, value in figures(report)]
    lines += section("Loops", [loop_line(loop) for loop in report.loops], report.counts["loops"])
    green = [call_line(row) for row in report.green]
    lines += section("Failed, and called a success", green, report.counts["green"])
    risky = [call_line(row) for row in report.risky]
    lines += section("Risky commands", risky, report.counts["risky"])
    lines += section("Files written, by folder", places_of(report.files), len(report.files))
    lines += section("Targets", places_of(report.targets), len(report.targets))
    lines += unread_lines(report, unknown)
    if stored:
        lines += ["", "next: aftershock findings, aftershock runs, aftershock policy init"]
    return "\n".join(lines) + "\n"


def head(report: SessionReport) -> str:
    """How much was read."""
    agents = ", ".join(f"{count} {agent}" for agent, count in report.sessions.most_common())
    days = sorted({day(report.first_ns or 0), day(report.last_ns or 0)})
    return f"{counted(report.sessions.total(), 'session')} ({agents}), {' to '.join(days)}"


def figures(report: SessionReport) -> Iterator[tuple[str, str]]:
    """The figures at the top."""
    counts = report.counts
    yield "calls of tools", f"{report.calls:,}, of which {report.failed:,} failed"
    yield "tokens", f"{report.tokens:,} in {counted(report.inferences, 'inference')}"
    yield "money", money(report)
    repeated = f" (and {counted(counts['repetitions'], 'short repetition')})"
    yield "loops", f"{counts['loops']:,}" + (repeated if counts["repetitions"] else "")
    lost = f"{lasted(report.lost_ns)} and ${report.lost_usd:,.2f}"
    yield "lost in loops", lost if counts["loops"] else "nothing"
    yield "called a success", f"{counts['green']:,} calls that failed"
    tiers = ", ".join(f"{count} {tier}" for tier, count in report.tiers.most_common())
    yield "risky commands", f"{counts['risky']:,}" + (f" ({tiers})" if tiers else "")
    yield "files written", f"{report.files_written:,}"


def money(report: SessionReport) -> str:
    """What it cost, and of how much that is not known."""
    known = f"${report.cost_usd:,.2f} by the agents' own account, else by list price"
    if not report.unpriced:
        return known
    models = ", ".join(clean(name, 40) or "a model" for name, _ in report.unpriced.most_common(3))
    missing = counted(report.unpriced.total(), "inference")
    return f"{known}; no price is known for {missing} of {models} (set `models`)"


def section(title: str, rows: Sequence[str], count: int) -> list[str]:
    """Rows under a title, a bounded number of them."""
    if not rows:
        return []
    shown = list(rows[:ROWS_SHOWN])
    more = [f"  … and {count - len(shown):,} more"] if count > len(shown) else []
    return ["", title, *shown, *more]


def loop_line(loop: Loop) -> str:
    """One loop."""
    finding, saving = loop.claim.finding, loop.saving
    spent = ""
    if saving is not None and saving.duration_ns > 0:
        price = f", ${saving.spent.cost_usd:,.2f}" if saving.spent.cost_usd else ""
        spent = f" ({lasted(saving.duration_ns)}{price} after it was certain)"
    place = where(finding.began_at_ns, finding.agent, finding.run_id)
    return f"  {place}  {clean(finding.summary, 160)}{spent}"


def call_line(row: CallRow) -> str:
    """One call."""
    error = f" ({clean(row.error, 30)})" if row.error and row.outcome == "failed" else ""
    target = clean(f" → {', '.join(row.targets[:3])}", 80) if row.targets else ""
    what = clean(row.command, 100) or row.tool
    place = where(row.at_ns, row.agent, row.run_id)
    return f"  {place}  {row.outcome:<8}{row.tier:<13}{what}{target and ' '}{target}{error}"


def where(at_ns: int, agent: str | None, run_id: str) -> str:
    """When it was, and in whose session."""
    return f"{day(at_ns)} {clock(at_ns)}  {clean(agent or '', 24)} {short(run_id)}"


def places_of(counts: Any) -> list[str]:
    """What was touched most."""
    return [
        f"  {count:>5,}  {clean(name, 100)}" for name, count in counts.most_common(PLACES_SHOWN)
    ]


def unread_lines(report: SessionReport, unknown: int) -> list[str]:
    """What could not be read, with the reasons."""
    lines = [
        f"  {count:,} × {reason}" for reason, count in sorted(report.rejected.items()) if count
    ]
    if unknown:
        lines.append(f"  {counted(unknown, 'file')} of no known format")
    if report.not_judged:
        lines.append(f"  {counted(report.not_judged, 'session')} too long for its loss")
    return ["", "Not read", *lines] if lines else []


# --- For programs ----------------------------------------------------------------------------


def as_json(report: SessionReport, unknown: int) -> dict[str, Any]:
    """The report for programs."""
    return {
        "sessions": dict(report.sessions),
        "first_ns": report.first_ns,
        "last_ns": report.last_ns,
        "calls": report.calls,
        "failed": report.failed,
        "inferences": report.inferences,
        "tokens": report.tokens,
        "cost_usd": report.cost_usd,
        "unpriced": dict(report.unpriced),
        "lost_s": report.lost_ns / 1e9,
        "lost_usd": report.lost_usd,
        "counts": {
            kind: report.counts[kind] for kind in ("loops", "repetitions", "green", "risky")
        },
        "loops": [
            {
                "finding": loop.claim.finding.id,
                "rule": loop.claim.finding.kind,
                "run": loop.claim.finding.run_id,
                "agent": loop.claim.finding.agent,
                "summary": loop.claim.finding.summary,
                "lost_s": None if loop.saving is None else loop.saving.duration_ns / 1e9,
                "lost_usd": None if loop.saving is None else loop.saving.spent.cost_usd,
            }
            for loop in report.loops
        ],
        "green": [row_json(row) for row in report.green],
        "risky": [row_json(row) for row in report.risky],
        "files_written": report.files_written,
        "folders": dict(report.files.most_common(100)),
        "targets": dict(report.targets.most_common(100)),
        "not_read": {
            **report.rejected,
            **({"file of no known format": unknown} if unknown else {}),
        },
    }


def row_json(row: CallRow) -> dict[str, Any]:
    """One call for programs."""
    return {
        "run": row.run_id,
        "agent": row.agent,
        "at_ns": row.at_ns,
        "tool": row.tool,
        "command": row.command,
        "tier": row.tier.value,
        "outcome": row.outcome,
        "targets": list(row.targets),
        "error": row.error or None,
    }
