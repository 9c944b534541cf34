"""`aftershock snooze INCIDENT --for 2h`: an incident pages no one again until then."""

from __future__ import annotations

import argparse
import sys
import time

from aftershock.policy.policy import parse_seconds
from aftershock_collector.commands import UsageError
from aftershock_collector.commands.incidents import incident_named
from aftershock_collector.commands.responding import add_author, author_of, required, writing
from aftershock_collector.commands.store_access import print_json
from aftershock_collector.store.incidents import Response, ResponseAction
from aftershock_collector.views.incident_json import response_json
from aftershock_collector.wording import zoned_time

DEFAULT = "1h"


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("incident", metavar="INCIDENT", help="its number, or `latest`")
    parser.add_argument(
        "--for", dest="length", default=DEFAULT, metavar="TIME", help=f"such as {DEFAULT} (default)"
    )
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Snooze."""
    now_ns = time.time_ns()
    until_ns = now_ns + length_ns("--for", arguments.length)
    with required() as reader:
        number = incident_named(reader, arguments.incident).number
    response = Response(
        incident=number,
        action=ResponseAction.SNOOZE,
        by=author_of(arguments),
        because=arguments.because or "",
        given_at_ns=now_ns,
        until_ns=until_ns,
    )
    writing(lambda store: store.respond(response))
    if arguments.json:
        print_json("response", response_json(response))
    else:
        until = f"{zoned_time(until_ns)}"
        sys.stdout.write(f"incident {number} is snoozed until {until} by {response.by}\n")
    return 0


def length_ns(option: str, text: str) -> int:
    """A length of time in ns. Raises UsageError."""
    try:
        return int(parse_seconds(text) * 1e9)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
