"""Writes generated/*.json, the same bytes each time; or says which of them are not what they say.

Usage: `python -m dashboards [--check]`
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dashboards import context, fleet, incident, loops, pipeline, run
from dashboards.dashboard import Dashboard

GENERATED = Path(__file__).parent / "generated"
DASHBOARDS: tuple[Dashboard, ...] = (
    fleet.DASHBOARD,
    run.DASHBOARD,
    incident.DASHBOARD,
    loops.DASHBOARD,
    context.DASHBOARD,
    pipeline.DASHBOARD,
)


def text_of(dashboard: Dashboard) -> str:
    """A dashboard as its file holds it."""
    return json.dumps(dashboard.json(), indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """What each file should hold."""
    return {GENERATED / f"{d.uid}.json": text_of(d) for d in DASHBOARDS}


def differences() -> list[str]:
    """Names of files that are missing, outdated, or nobody's."""
    wanted = files()
    wrong = [path.name for path in sorted(GENERATED.glob("*.json")) if path not in wanted]
    for path, text in wanted.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            wrong.append(path.name)
    return wrong


def write() -> None:
    """Make the folder hold exactly the dashboards."""
    GENERATED.mkdir(exist_ok=True)
    wanted = files()
    for path in GENERATED.glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, "utf-8")


def main() -> int:
    """Write, or check. Returns 1 where a check found a difference."""
    parser = argparse.ArgumentParser(prog="python -m dashboards")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    if not parser.parse_args().check:
        write()
        return 0
    wrong = differences()
    for name in wrong:
        sys.stderr.write(f"dashboards/generated/{name} is outdated; run: python -m dashboards\n")
    return 1 if wrong else 0
