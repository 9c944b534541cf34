"""`aftershock doctor`: whether pages would be sent, and if not, what stands in the way."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from rich.text import Text

from aftershock_collector.commands.store_access import console, print_json
from aftershock_collector.service.doctor import Health, examine

MARKS = {Health.OK: "✓", Health.WARNING: "!", Health.PROBLEM: "✗"}
STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.PROBLEM: "bold red"}


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Examine. Returns 1 where something keeps pages from being sent."""
    found = list(examine())
    if arguments.json:
        print_json("doctor", [asdict(one) for one in found])
    else:
        screen = console()
        width = max(len(one.name) for one in found)
        for one in found:
            mark = MARKS[one.health]
            screen.print(Text(f"{mark} {one.name:<{width}}  {one.found}", STYLES[one.health]))
            if one.advice:
                screen.print(Text(f"  {'':<{width}}  {one.advice}", "dim"))
    return 1 if any(one.health is Health.PROBLEM for one in found) else 0
