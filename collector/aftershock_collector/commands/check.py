"""`aftershock check [FILE]`: is aftershock.yaml right, and if not, where and why."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aftershock_collector.config import load
from aftershock_collector.wording import counted


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="default: what AFTERSHOCK_POLICY names, else aftershock.yaml here",
    )  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Check the file and what the environment says over it."""
    place = arguments.file or load.find(os.environ)
    problems = load.check(arguments.file, os.environ)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        sys.stderr.write(f"{counted(len(problems), 'problem')}; nothing was changed\n")
        return 1
    if place is None:
        sys.stdout.write("No aftershock.yaml here: sensible defaults are used. Nothing is wrong.\n")
        return 0
    config = load.load(arguments.file, os.environ)
    sections = ("tools", "agents", "limits")
    counts = [counted(len(config.document.get(key, ())), key.removesuffix("s")) for key in sections]
    sys.stdout.write(f"{place} is right: {', '.join(counts)}\n")
    return 0
