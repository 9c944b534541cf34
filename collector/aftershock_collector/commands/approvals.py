"""`aftershock approvals`: what agents wait for, and a person's answer to one of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rich.text import Text

from aftershock.policy.policy import parse_seconds
from aftershock_collector.commands import CommandError, UsageError
from aftershock_collector.commands.responding import add_author, author_of, required, writing
from aftershock_collector.commands.store_access import columns, console, print_json
from aftershock_collector.store.bypasses import Bypass
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.views.html.approval_document import bypass_words
from aftershock_collector.wording import clean, clock

ACTIONS = ("list", "approve", "deny", "show", "bypass", "end-bypass")
BYPASS_S = 1_800.0
BYPASS_MAX_S = 8 * 3_600.0  # a working day: what lasts longer belongs in the policy
ARGUMENTS_CHARS_MAX = 4_000
Found = TypeVar("Found")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default: list")
    parser.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="of one request")
    parser.add_argument(
        "--ended", action="store_true", help="list those that need no answer any more as well"
    )
    parser.add_argument(
        "--similar", action="store_true", help="answer every request of the same group as well"
    )
    parser.add_argument("--agent", metavar="NAME", help="of a bypass: name or glob; default: all")
    parser.add_argument("--tool", metavar="NAME", help="of a bypass: name or glob; default: all")
    parser.add_argument(
        "--for",
        dest="lasts",
        metavar="TIME",
        help="how long a bypass lasts; default: 30m, most: 8h",
    )
    add_author(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List, show or answer."""
    now_ns = time.time_ns()
    if arguments.action == "list":
        return listed(arguments, now_ns)
    if arguments.action == "bypass":
        return bypassed(arguments, now_ns)
    if arguments.number is None:
        raise UsageError(f"{arguments.action} needs the NUMBER of a request")
    if arguments.action == "show":
        return shown(arguments, now_ns)
    if arguments.action == "end-bypass":
        return ended(arguments, now_ns)
    return answered(arguments, now_ns)


def listed(arguments: argparse.Namespace, now_ns: int) -> int:
    """The requests that wait, newest first."""
    found = reading(lambda tickets: tickets.newest(open_only=not arguments.ended, now_ns=now_ns))
    found = [ticket.seen_at(now_ns) for ticket in found]
    if arguments.json:
        print_json("approvals", [approval_json(ticket) for ticket in found])
        return 0
    bypasses = reading(lambda tickets: tickets.bypasses(now_ns))
    for one in bypasses:
        sys.stdout.write(f"{bypass_words(one)}\n")
    if not found:
        sys.stdout.write("No agent waits for an approval.\n")
        return 0
    head = ("#", "STATE", "ASKED", "TOOL", "TIER", "TARGETS", "AGENT")
    rows = [
        (
            str(one.number),
            str(one.state),
            clock(one.asked_at_ns),
            clean(one.tool, 40),
            one.tier,
            clean(", ".join(one.targets), 60) or "–",
            clean(one.agent or "–", 40),
        )
        for one in found
    ]
    screen = console()
    for line in columns([head, *rows]):
        screen.print(Text(line))
    return 0


def shown(arguments: argparse.Namespace, now_ns: int) -> int:
    """One request with everything that is known of it."""
    found = reading(lambda tickets: tickets.tickets([arguments.number]))
    if not found:
        raise CommandError(f"there is no request {arguments.number}")
    ticket = found[0].seen_at(now_ns)
    if arguments.json:
        print_json("approval", approval_json(ticket))
    else:
        sys.stdout.write("\n".join(lines_of(ticket)) + "\n")
    return 0


def answered(arguments: argparse.Namespace, now_ns: int) -> int:
    """Approve or deny one request. A running collector pushes the answer to the agent."""
    by, approve = author_of(arguments), arguments.action == "approve"
    numbers = [arguments.number]
    if arguments.similar:
        first = [arguments.number]
        numbers += reading(
            lambda tickets: [
                one.number
                for ticket in tickets.tickets(first)
                for one in tickets.similar(ticket, now_ns)
            ]
        )
    for number in numbers:
        ticket = answered_one(number, by, arguments.because or "", now_ns, approve=approve)
        if arguments.json:
            print_json("approval", approval_json(ticket))
            continue
        left_s = max(0.0, (ticket.expires_at_ns - now_ns) / 1e9)
        until = f" for one call within {left_s / 60:.0f} min" if approve else ""
        sys.stdout.write(f"{ticket.state} {ticket.number} ({clean(ticket.tool)}) by {by}{until}\n")
    return 0


def answered_one(number: int, by: str, because: str, now_ns: int, *, approve: bool) -> Ticket:
    """Keep the answer to one request. Raises CommandError."""
    kept, ticket = writing(
        lambda store: SqliteTickets(store).answer(
            number, approve=approve, by=by, because=because, now_ns=now_ns
        )
    )
    if ticket is None:
        raise CommandError(f"there is no request {number}")
    if not kept:
        raise CommandError(f"request {number} is {ticket.state}: nothing to answer")
    return ticket


def bypassed(arguments: argparse.Namespace, now_ns: int) -> int:
    """Approve everything that some agents ask, for a limited time; each call says so."""
    by, because = author_of(arguments), arguments.because
    if not because:
        raise UsageError("a bypass needs a reason: --because TEXT")
    try:
        lasts_s = BYPASS_S if arguments.lasts is None else parse_seconds(arguments.lasts)
    except ValueError as error:
        raise UsageError(f"--for {arguments.lasts}: {error}") from error
    if not 0 < lasts_s <= BYPASS_MAX_S:
        raise UsageError("--for: at most 8h; what lasts longer belongs in aftershock.yaml")
    wanted = Bypass(
        by, because, now_ns, now_ns + int(lasts_s * 1e9),
        arguments.agent or "*", arguments.tool or "*",
    )  # fmt: skip
    kept = writing(lambda store: SqliteTickets(store).bypass(wanted))
    if arguments.json:
        print_json("bypass", bypass_json(kept))
    else:
        sys.stdout.write(f"{bypass_words(kept)}\n")
    return 0


def ended(arguments: argparse.Namespace, now_ns: int) -> int:
    """End a bypass."""
    number = arguments.number
    if not writing(lambda store: SqliteTickets(store).end_bypass(number, now_ns)):
        raise CommandError(f"no bypass {number} is in force")
    sys.stdout.write(f"bypass {number} has ended\n")
    return 0


def reading(query: Callable[[SqliteTickets], list[Found]]) -> list[Found]:
    """What a query of the tickets finds."""
    with required():
        return writing(lambda store: query(SqliteTickets(store)))


def lines_of(ticket: Ticket) -> list[str]:
    """One request for a person."""
    lines = [
        f"{ticket.state} {ticket.number}: {clean(ticket.tool)} ({ticket.tier})",
        f"  agent    {clean(ticket.agent or '–')}, run {clean(ticket.run)}",
        f"  targets  {clean(', '.join(ticket.targets)) or '–'}",
    ]
    for name, value in (ticket.arguments or {}).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"  {clean(name, 60)} = {clean(text, ARGUMENTS_CHARS_MAX)}")
    lines += [f"  - {clean(reason)}" for reason in ticket.reasons]
    if ticket.explanation:
        lines.append(f"  says     {clean(ticket.explanation)}")
    lines += [f"  assumes  {clean(text)}" for text in ticket.examined]
    lines += [f"  known    {clean(fact)}" for fact in ticket.known]
    lines += [f"  dry run  {clean(line)}" for line in ticket.dry_run.splitlines()]
    lines.append(f"  asked {clock(ticket.asked_at_ns)}, valid until {clock(ticket.expires_at_ns)}")
    if ticket.by is not None:
        because = f": {clean(ticket.because)}" if ticket.because else ""
        lines.append(f"  answered by {clean(ticket.by)}{because}")
    if ticket.state is TicketState.SPENT and ticket.spent_at_ns is not None:
        lines.append(f"  used {clock(ticket.spent_at_ns)}")
    return lines


def approval_json(ticket: Ticket) -> dict[str, Any]:
    """One request as JSON."""
    return {
        "number": ticket.number,
        "state": str(ticket.state),
        "tool": ticket.tool,
        "tier": ticket.tier,
        "targets": list(ticket.targets),
        "agent": ticket.agent,
        "run": ticket.run,
        "arguments": ticket.arguments,
        "reasons": list(ticket.reasons),
        "known": list(ticket.known),
        "explanation": ticket.explanation,
        "examined": list(ticket.examined),
        "dry_run": ticket.dry_run,
        "asked_at_ns": ticket.asked_at_ns,
        "expires_at_ns": ticket.expires_at_ns,
        "by": ticket.by,
        "because": ticket.because,
        "answered_at_ns": ticket.answered_at_ns,
        "spent_at_ns": ticket.spent_at_ns,
    }


def bypass_json(bypass: Bypass) -> dict[str, Any]:
    """One bypass as JSON."""
    return {
        "number": bypass.number,
        "agent": bypass.agent,
        "tool": bypass.tool,
        "by": bypass.by,
        "because": bypass.because,
        "given_at_ns": bypass.given_at_ns,
        "until_at_ns": bypass.until_ns,
    }
