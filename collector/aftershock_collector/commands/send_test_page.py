"""`aftershock send-test-page`: a page through every receiver, and what came back."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.config import load
from aftershock_collector.config.load import ConfigurationError
from aftershock_collector.notify import test_page
from aftershock_collector.notify.receiver import Content
from aftershock_collector.notify.receivers import receivers_of, unpaged


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--receiver", action="append", metavar="NAME", help="only this one; may be repeated"
    )


def main(arguments: argparse.Namespace) -> int:
    """Send. Returns 1 where a receiver did not confirm, or none is configured."""
    try:
        config = load.load(None, os.environ)
    except ConfigurationError as error:
        raise CommandError(f"{error.problems[0]}; see `aftershock check`") from error
    on_call = config.on_call
    if problem := unpaged(on_call):
        raise CommandError(problem)
    found = [one for one in receivers_of(on_call) if one.content is Content.PAGES]
    names = [one.name for one in found]
    for name in arguments.receiver or ():
        if name not in names:
            raise UsageError(f"no receiver is called {name!r}; there are: {', '.join(names)}")
    if arguments.receiver:
        found = [one for one in found if one.name in arguments.receiver]
    link = on_call.link or f"http://{config.http}"
    page = test_page.compose(platform.node(), link, time.time_ns())
    failed = False
    for name, problem in test_page.send(page, found):
        failed = failed or problem is not None
        words = problem or "confirmed; look whether it arrived"
        mark = "✓" if problem is None else "✗"
        sys.stdout.write(f"{mark} {name:<{max(map(len, names))}}  {words}\n")
        sys.stdout.flush()
    return int(failed)
