"""Fills the generated blocks of the documentation, the same bytes each time; or checks them.

    python -m docs [--check]

A page is written by hand. What it repeats of the code stands between two comments, and is written
from the code:

    <!-- generated: limits repeats_alarm -->
    ...
    <!-- end of generated -->

The first word names a block, the other words are its arguments.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs import commands, exporters, frameworks, http_api, rules, settings, wire

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs"
BLOCK = re.compile(
    r"(<!-- generated: (?P<name>[a-z-]+)(?P<arguments>(?: [\w.-]+)*) -->\n)"
    r".*?(<!-- end of generated -->)",
    re.DOTALL,
)
# Each block's text from its arguments.
BLOCKS: Mapping[str, Callable[..., str]] = {
    "alerts": rules.all_alerts,
    "attributes": wire.attributes,
    "conventions": wire.conventions,
    "command-pages": commands.page,
    "commands": commands.overview,
    "environment": settings.environment,
    "events": wire.events,
    "example": rules.example,
    "facts-of": rules.facts,
    "frameworks": frameworks.table,
    "http-answers": http_api.answers,
    "http-operations": http_api.operations,
    "known-metrics": exporters.known_metrics,
    "instrumented": frameworks.instrumented,
    "limits": settings.limits,
    "limits-of": rules.limits_of,
    "metrics": wire.metrics,
    "opentelemetry": settings.opentelemetry,
    "policy": settings.policy,
    "rules": rules.overview,
}

# Files that are written as a whole.
FILES: Mapping[Path, Callable[[], str]] = {FOLDER / "reference" / "openapi.json": http_api.openapi}


def pages() -> list[Path]:
    """Every page that may have generated blocks."""
    return [ROOT / "README.md", *sorted(FOLDER.rglob("*.md"))]


def filled(text: str) -> str:
    """A page with its generated blocks as the code has them now.

    Raises:
        KeyError: a block that nothing writes.
    """

    def written(found: re.Match[str]) -> str:
        body = BLOCKS[found["name"]](*found["arguments"].split())
        return f"{found[1]}\n{body.strip()}\n\n{found[4]}"

    return BLOCK.sub(written, text)


def differences() -> list[str]:
    """Names of pages whose generated blocks are outdated, and of such files."""
    outdated = [page for page in pages() if filled(text := page.read_text("utf-8")) != text]
    outdated += [file for file, made in FILES.items() if file.read_text("utf-8") != made()]
    return [str(each.relative_to(ROOT)) for each in outdated]


def main() -> int:
    """Write, or check. Returns 1 where a check found a difference."""
    parser = argparse.ArgumentParser(prog="python -m docs")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    if parser.parse_args().check:
        outdated = differences()
        if outdated:
            sys.stderr.write(f"not as `python -m docs` writes them: {', '.join(outdated)}\n")
        return int(bool(outdated))
    for page in pages():
        page.write_text(filled(page.read_text("utf-8")), "utf-8")
    for file, made in FILES.items():
        file.write_text(made(), "utf-8")
    return 0
