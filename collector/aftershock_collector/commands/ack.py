"""`aftershock ack INCIDENT`: somebody has seen an incident and works on it."""

from __future__ import annotations

import argparse
import sys
import time

from aftershock_collector.commands.incidents import incident_named
from aftershock_collector.commands.responding import add_author, author_of, required, writing
from aftershock_collector.commands.store_access import print_json
from aftershock_collector.store.incidents import Response, ResponseAction
from aftershock_collector.views.incident_json import response_json


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("incident", metavar="INCIDENT", help="its number, or `latest`")
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Acknowledge. A running collector notifies the receivers at its next tick."""
    with required() as reader:
        number = incident_named(reader, arguments.incident).number
    response = Response(
        incident=number,
        action=ResponseAction.ACKNOWLEDGE,
        by=author_of(arguments),
        because=arguments.because or "",
        given_at_ns=time.time_ns(),
    )
    writing(lambda store: store.respond(response))
    if arguments.json:
        print_json("response", response_json(response))
    else:
        sys.stdout.write(f"incident {number} is acknowledged by {response.by}\n")
    return 0
