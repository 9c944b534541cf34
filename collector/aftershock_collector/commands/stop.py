"""`aftershock stop|pause|resume`: an order to agents, pushed to their processes at once."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from aftershock.gate.orders import Order, Verb
from aftershock.guard.connection import Connection, Refused, Unreachable
from aftershock.guard.protocol import ORDERS_PATH
from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.responding import add_author, author_of, writing
from aftershock_collector.commands.store_access import opened, print_json, run_named
from aftershock_collector.config.load import ConfigurationError, load
from aftershock_collector.store.tickets import SqliteTickets
from aftershock_collector.wording import clean

COLLECTOR_VARIABLE = "AFTERSHOCK_COLLECTOR"
TOKEN_VARIABLE = "AFTERSHOCK_TOKEN"  # noqa: S105 (its name)
MISSING_SHOWN_MAX = 20
ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (replaced)


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run, or the beginning of its id")
    parser.add_argument("--agent", metavar="NAME", help="every run of an agent, by name or glob")
    parser.add_argument("--all", action="store_true", help="every run of every agent")
    parser.add_argument(
        "--wait", type=float, default=2.0, metavar="SECONDS",
        help="how long to wait for every process to acknowledge; default: 2",
    )  # fmt: skip
    parser.add_argument("--url", metavar="URL", help="of the collector; default: as configured")
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Order a stop."""
    return give(arguments, Verb.STOP)


def give(arguments: argparse.Namespace, verb: Verb) -> int:
    """Give one order. 0: every connected process acknowledged it; 1: not every one did."""
    if sum(map(bool, (arguments.run, arguments.agent, arguments.all))) != 1:
        raise UsageError("name one of RUN, --agent NAME and --all")
    if not arguments.because:
        raise UsageError("say why: --because TEXT; the agents and the next person read it")
    order = Order(
        0, verb, author_of(arguments), arguments.because, time.time_ns(),
        None if arguments.run is None else run_meant(arguments.run), arguments.agent,
    )  # fmt: skip
    answer = pushed(order, arguments)
    if answer is None:
        kept = writing(lambda store: SqliteTickets(store).order(order))
        sys.stderr.write(
            f"order {kept.number} is stored, but no collector answered: it takes effect when "
            "one runs, and agents that are cut off from it go on\n"
        )
        return 1
    if arguments.json:
        print_json("order", answer)
    else:
        show(order, answer)
    return 1 if answer["missing"] else 0


def run_meant(name: str) -> str:
    """The run that is meant; a run that was never recorded here is taken by its whole id."""
    with opened() as reader:
        if reader is None or not reader.runs(limit=1, prefix=name):
            return name
        return run_named(reader, name)


def pushed(order: Order, arguments: argparse.Namespace) -> Mapping[str, Any] | None:
    """What the running collector answers. None: none runs. Raises CommandError if it refuses."""
    url = arguments.url or os.environ.get(COLLECTOR_VARIABLE) or collector_url()
    token = os.environ.get(TOKEN_VARIABLE)
    body = {
        "verb": str(order.verb),
        "run": order.run,
        "agent": order.agent,
        "all": arguments.all,
        "by": order.by,
        "because": order.because,
        "wait_s": arguments.wait,
    }
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return Connection(url, headers).post(ORDERS_PATH, body, arguments.wait + 10)
    except Unreachable:
        return None
    except Refused as error:
        advice = f"; put a token with the scope control into {TOKEN_VARIABLE}"
        needs_token = error.status in {401, 403}
        raise CommandError(f"{url} refuses: {error}{advice if needs_token else ''}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error


def collector_url() -> str:
    """Where this machine's collector listens."""
    try:
        config = load(None, os.environ)
    except ConfigurationError as error:
        raise CommandError(str(error.problems[0])) from error
    scheme = "https" if config.tls.certificate else "http"
    host = ANY_HOST.get(config.http.host, config.http.host)
    return (
        f"{scheme}://[{host}]:{config.http.port}"
        if ":" in host
        else (f"{scheme}://{host}:{config.http.port}")
    )


def show(order: Order, answer: Mapping[str, Any]) -> None:
    """What was ordered, who obeys, and who did not say so."""
    obeyed, missing = answer["acknowledged"], answer["missing"]
    connected = len(obeyed) + len(missing)
    noun = "process" if connected == 1 else "processes"
    sys.stdout.write(
        f"{order.verb} {order.scope}: acknowledged by {len(obeyed)} of {connected} "
        f"connected {noun} in {answer['seconds'] * 1000:.0f} ms\n"
    )
    for process in missing[:MISSING_SHOWN_MAX]:
        name = clean(str(process["service"]), 60) or "a process"
        sys.stdout.write(
            f"NOT ACKNOWLEDGED by {name}: kill {process['pid']} on host "
            f"{clean(str(process['host']), 60)}\n"
        )
    if not obeyed and not missing:
        sys.stdout.write("No process is connected: only agents whose policy has a gate are.\n")
