"""`aftershock canary`: the steps of rollouts that were let pass, and letting one go on."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from aftershock.gate.canary import Canary
from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.responding import add_author, author_of, required, writing
from aftershock_collector.commands.store_access import print_json
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.views.html.approval_document import canary_words

ACTIONS = ("list", "release")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default: list")
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="of one step")
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List the steps of the last day, or release one."""
    now_ns = time.time_ns()
    return (
        released(arguments, now_ns) if arguments.action == "release" else listed(arguments, now_ns)
    )


def listed(arguments: argparse.Namespace, now_ns: int) -> int:
    """The steps of the last day, newest first."""
    with required():
        found = writing(lambda store: SqliteCanaries(store).newest(now_ns))
    if arguments.json:
        print_json("canaries", [canary_json(one, now_ns) for one in found])
        return 0
    if not found:
        sys.stdout.write("No step of a rollout was let pass on this day.\n")
    for one in found:
        sys.stdout.write(f"{canary_words(one, now_ns)}\n")
    return 0


def released(arguments: argparse.Namespace, now_ns: int) -> int:
    """Let a rollout go on after a step that was stopped, or that nothing measured."""
    number, by, because = arguments.number, author_of(arguments), arguments.because
    if number is None:
        raise UsageError("release needs the NUMBER of a step")
    if not because:
        raise UsageError("a release needs a reason: --because TEXT")
    with required():
        done, text = writing(
            lambda store: SqliteCanaries(store).release(number, by, because, now_ns)
        )
    if not done:
        raise CommandError(text)
    sys.stdout.write(f"canary {number} is released by {by}: {text} may go on\n")
    return 0


def canary_json(canary: Canary, now_ns: int) -> dict[str, Any]:
    """One step as JSON."""
    seen, call = canary.seen_at(now_ns), canary.call
    return {
        "number": seen.number,
        "state": str(seen.state),
        "tool": call.tool,
        "targets": list(call.targets),
        "environment": call.environment,
        "change": call.change,
        "amount": call.amount,
        "before": seen.before,
        "agent": seen.agent,
        "run": seen.run,
        "begun_at_ns": seen.begun_at_ns,
        "until_at_ns": seen.until_ns,
        "damage": seen.damage,
        "by": seen.by,
        "because": seen.because,
    }
