"""`aftershock check [FILE]`: whether aftershock.yaml is right, and if not, where and why."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aftershock_collector.access.exposure import exposure_warning
from aftershock_collector.access.tokens import Tokens
from aftershock_collector.config import load
from aftershock_collector.notify.receivers import unpaged
from aftershock_collector.wording import counted

SECTIONS = ("tools", "agents", "limits")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="default: what AFTERSHOCK_POLICY names, else aftershock.yaml here",
    )  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Check the file and the environment variables that override it."""
    place = arguments.file or load.find(os.environ)
    problems = load.check(arguments.file, os.environ)
    if problems:
        for problem in (*load.warnings(arguments.file, os.environ), *problems):
            sys.stderr.write(f"{problem}\n")
        sys.stderr.write(f"{counted(len(problems), 'problem')}\n")
        return 1
    for doubt in load.doubtful(arguments.file, os.environ):
        sys.stderr.write(f"warning: {doubt}\n")
    config = load.load(arguments.file, os.environ)
    if warning := unpaged(config.on_call):
        sys.stderr.write(f"warning: {warning}\n")
    if warning := exposure_warning(config, Tokens(config.tokens)):
        sys.stderr.write(f"warning: {warning}\n")
    if place is None:
        sys.stdout.write("There is no aftershock.yaml here; the defaults are used.\n")
        return 0
    counts = [counted(len(config.document.get(key, ())), key.removesuffix("s")) for key in SECTIONS]
    sys.stdout.write(f"{place} is right: {', '.join(counts)}\n")
    return 0
