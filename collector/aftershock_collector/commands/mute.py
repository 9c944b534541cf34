"""`aftershock mute`: findings of an agent, a rule or a tool page no one; or list and end mutes."""

from __future__ import annotations

import argparse
import sys
import time

from rich.text import Text

from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.responding import add_author, author_of, required, writing
from aftershock_collector.commands.snooze import length_ns
from aftershock_collector.commands.store_access import columns, console, print_json
from aftershock_collector.store.incidents import Mute
from aftershock_collector.views.incident_json import mute_json
from aftershock_collector.wording import clean, clock, day, zone_name


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--agent", metavar="NAME", help="only findings about this agent")
    parser.add_argument("--rule", metavar="RULE", help="only findings of this rule")
    parser.add_argument("--tool", metavar="NAME", help="only findings about this tool")
    parser.add_argument(
        "--for", dest="length", metavar="TIME", help="such as 2h; default: until it is ended"
    )
    parser.add_argument("--end", type=int, metavar="NUMBER", help="end a mute early")
    parser.add_argument("--list", action="store_true", help="list the mutes in force")
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Mute, list, or end."""
    now_ns = time.time_ns()
    if arguments.list:
        with required() as reader:
            return show(reader.mutes(now_ns), as_json=arguments.json)
    if arguments.end is not None:
        by = author_of(arguments)
        if not writing(lambda store: store.unmute(arguments.end, by, now_ns)):
            raise CommandError(f"there is no mute {arguments.end} in force; see --list")
        sys.stdout.write(f"mute {arguments.end} is ended by {by}\n")
        return 0
    if not any((arguments.agent, arguments.rule, arguments.tool)):
        raise UsageError("give --agent, --rule or --tool; --list shows the mutes in force")
    until_ns = None if arguments.length is None else now_ns + length_ns("--for", arguments.length)
    mute = Mute(
        by=author_of(arguments),
        because=arguments.because or "",
        given_at_ns=now_ns,
        until_ns=until_ns,
        agent=arguments.agent,
        rule=None if arguments.rule is None else arguments.rule.replace("-", "_"),
        tool=arguments.tool,
    )
    number = writing(lambda store: store.mute(mute))
    if arguments.json:
        print_json("mute", mute_json(mute) | {"number": number})
    else:
        sys.stdout.write(f"mute {number}: {what(mute)} {until(mute)}, by {mute.by}\n")
    return 0


def show(mutes: list[Mute], *, as_json: bool) -> int:
    """The mutes in force."""
    if as_json:
        print_json("mutes", [mute_json(mute) for mute in mutes])
        return 0
    if not mutes:
        sys.stdout.write("Nothing is muted.\n")
        return 0
    head = ("#", "WHAT", f"UNTIL ({zone_name(time.time_ns())})", "BY", "BECAUSE")
    rows = [
        (str(m.number), what(m), until(m), clean(m.by, 40), clean(m.because) or "–") for m in mutes
    ]
    screen = console()
    for line in columns([head, *rows]):
        screen.print(Text(line))
    return 0


def what(mute: Mute) -> str:
    """What is muted, as `agent=sre-bot rule=stalled_run`."""
    given = (("agent", mute.agent), ("rule", mute.rule), ("tool", mute.tool))
    return " ".join(
        f"{name}={clean(value, 60) or '(without a name)'}"
        for name, value in given
        if value is not None
    )


def until(mute: Mute) -> str:
    """When it ends by itself."""
    if mute.until_ns is None:
        return "until it is ended"
    return f"{day(mute.until_ns)} {clock(mute.until_ns)}"
