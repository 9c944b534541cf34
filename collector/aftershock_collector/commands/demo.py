"""`aftershock demo`: a real incident on this machine, in under two minutes."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from aftershock_collector.commands import CommandError
from aftershock_collector.demo.play import BASELINE_S, Options, play

SECONDS_MIN = 15.0  # less ordinary life than this gives nothing to compare with


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--coding-agent",
        action="store_true",
        help="another incident: the sub-agent of a coding agent deletes rows of a real PostgreSQL "
        "through a shell, and the parent denies it",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--guarded",
        action="store_true",
        help="the same day with a gate: the call that breaks it is held back, and a better one "
        "is approved",
    )
    which.add_argument(
        "--without-fault",
        action="store_true",
        help="the careful variant: nothing breaks and no one is paged",
    )
    parser.add_argument(
        "--seconds", type=float, default=BASELINE_S,
        help=f"of ordinary life before the agents act (default {BASELINE_S:.0f})",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("out"), help="where files go (default out)"
    )
    parser.add_argument(
        "--forward", metavar="URL",
        help="pass everything on to the OTLP/HTTP receiver of a full stack",
    )  # fmt: skip
    parser.add_argument(
        "--targets", type=Path, metavar="DIR",
        help="write the scrape targets for a Prometheus or an OpenTelemetry Collector there",
    )  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")


def main(arguments: argparse.Namespace) -> int:
    """Play it."""
    if arguments.seconds < SECONDS_MIN:
        raise CommandError(f"--seconds {arguments.seconds:g} is too short: give {SECONDS_MIN:.0f}")
    if arguments.coding_agent and arguments.without_fault:
        raise CommandError("--coding-agent has no careful variant: give --guarded, or neither")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{arguments.out} cannot be made: {error.strerror}") from error
    options = Options(
        out=arguments.out,
        fault=not arguments.without_fault,
        guarded=arguments.guarded,
        coding_agent=arguments.coding_agent,
        keep=arguments.keep,
        baseline_s=arguments.seconds,
        forward=arguments.forward,
        targets=arguments.targets,
    )
    return play(options, Console())
