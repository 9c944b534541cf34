"""The filters of every list as options: --since --until --agent --rule --level --entity."""

from __future__ import annotations

import argparse

from aftershock.model import Level
from aftershock_collector.commands import UsageError
from aftershock_collector.views import selection
from aftershock_collector.views.selection import TIMES, Selection

FILTERS = ("since", "until", "agent", "rule", "level", "entity")


def add_filters(parser: argparse.ArgumentParser, limit: int) -> None:
    """The options, the same for every list."""
    parser.add_argument("--since", metavar="WHEN", help=f"only from then on: {TIMES}")
    parser.add_argument("--until", metavar="WHEN", help="only up to then")
    parser.add_argument("--agent", metavar="NAME", help="only where this agent took part")
    parser.add_argument("--rule", metavar="RULE", help="only findings of this rule")
    parser.add_argument("--level", choices=[level.value for level in Level], help="only this level")
    parser.add_argument(
        "--entity", metavar="NAME", help="only findings about it, such as service/checkout"
    )
    parser.add_argument(
        "--limit", type=int, default=limit, metavar="N", help=f"at most N rows (default {limit})"
    )


def selection_of(arguments: argparse.Namespace, now_ns: int) -> Selection:
    """The filters that were given. Raises UsageError."""
    if arguments.limit < 1:
        raise UsageError(f"--limit {arguments.limit} should be 1 or more")
    given = {name: getattr(arguments, name) for name in FILTERS}
    try:
        return selection.selection_of(given, arguments.limit, now_ns)
    except ValueError as error:
        raise UsageError(f"--{error}") from error
