"""`aftershock incidents [NUMBER]`: what pages were about, newest first, or one in whole."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.text import Text

from aftershock_collector.commands import CommandError
from aftershock_collector.commands.selection import add_filters, selection_of
from aftershock_collector.commands.store_access import (
    LATEST,
    columns,
    console,
    opened,
    print_json,
    print_no_match,
    print_nothing_recorded,
)
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.incident_json import incident_json
from aftershock_collector.views.incident_words import state_words
from aftershock_collector.views.selection import incidents_selected
from aftershock_collector.wording import (
    attribution_words,
    clean,
    clock,
    day,
    lasted,
    zone_name,
    zoned_clock,
    zoned_time,
)

LIMIT = 30  # a screen; --limit asks for more


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "number", nargs="?", metavar="NUMBER", help="one incident, or `latest`; default: the list"
    )
    parser.add_argument("--open", action="store_true", help="only incidents that are open")
    add_filters(parser, LIMIT)
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """List incidents, or show one."""
    now_ns = time.time_ns()
    selection = selection_of(arguments, now_ns)
    with opened() as reader:
        if reader is None:
            return print_nothing_recorded("incidents", as_json=arguments.json)
        if arguments.number is not None:
            return show(reader, incident_named(reader, arguments.number), arguments, now_ns)
        found = incidents_selected(reader, selection, open_only=arguments.open)
        recorded = reader.counts()["incidents"]
    if arguments.json:
        print_json("incidents", [incident_json(incident, now_ns) for incident in found])
        return 0
    if not found and recorded:
        return print_no_match("incident", recorded)
    if not found:
        console().print("No incident so far: nothing has paged anyone.")
        return 0
    head = ("#", f"OPENED ({zone_name(now_ns)})", "SEVERITY", "STATE", "AGENTS", "WHAT")
    lines = columns([head, *(cells(incident, now_ns) for incident in found)])
    screen = console()
    screen.print(Text(lines[0], style="dim"))
    for incident, line in zip(found, lines[1:], strict=True):
        screen.print(Text(line, style=colour(incident)))
    newest = found[0].number
    open_ones = [one.number for one in found if one.closed_at_ns is None]
    following = f"next: aftershock incidents {open_ones[0] if open_ones else newest}"
    if open_ones:
        following += f", aftershock ack {open_ones[0]} --by NAME"
    screen.print(Text(following, style="dim"))
    return 0


def cells(incident: Incident, now_ns: int) -> tuple[str, ...]:
    """One incident as a row."""
    opened_at = incident.opened_at_ns
    return (
        str(incident.number),
        f"{day(opened_at)} {clock(opened_at)}",
        incident.severity.value,
        clean(state_words(incident, now_ns), 60),
        clean(", ".join(incident.agents), 40),
        clean(incident.title),
    )


def colour(incident: Incident) -> str:
    """Red for what is open and critical."""
    if incident.closed_at_ns is not None or incident.muted is not None:
        return "dim"
    return "bold red" if incident.severity is Severity.CRITICAL else "yellow"


def show(reader: Reader, incident: Incident, arguments: argparse.Namespace, now_ns: int) -> int:
    """One incident with its findings and what people did about it."""
    claims = reader.claims_of(incident.number)
    responses = reader.responses(incident.number)
    if arguments.json:
        numbers = [reader.number_of(claim) for claim in claims]
        print_json("incident", incident_json(incident, now_ns, claims, numbers, responses))
        return 0
    screen = console()
    screen.print(Text(clean(incident.title), style=colour(incident)))
    since = lasted((incident.closed_at_ns or now_ns) - incident.opened_at_ns)
    opened_at = f"{zoned_time(incident.opened_at_ns)}"
    state = state_words(incident, now_ns)
    screen.print(
        Text(f"incident {incident.number}, {state}, opened {opened_at}, {since}", style="dim")
    )
    for claim in claims:
        finding = claim.finding
        text = attribution_words(finding.impact) if finding.impact else finding.summary
        over = closing_words(claim) or "open"
        number = reader.number_of(claim)
        screen.print(
            Text(
                f"  finding {number}  {finding.level.value} {finding.kind}: {clean(text)} ({over})"
            )
        )
    for alert in incident.alerts:
        name, entity = clean(alert.name, 80), clean(alert.entity, 80)
        screen.print(Text(f"  alert {name} on {entity} at {zoned_clock(alert.began_at_ns)}"))
    for response in responses:
        because = f": {clean(response.because)}" if response.because else ""
        at = zoned_clock(response.given_at_ns)
        screen.print(
            Text(f"  {response.action.value} by {clean(response.by, 80)} at {at}{because}")
        )
    run = clean(incident.runs[0], 80) if incident.runs else LATEST
    number = incident.number
    following = f"next: aftershock timeline {run}"
    if incident.closed_at_ns is None:
        following += f", aftershock ack {number}"
    screen.print(Text(following, style="dim"))
    return 0


def incident_named(reader: Reader, name: str) -> Incident:
    """The incident with a number, or the newest one. Raises CommandError."""
    if name == LATEST:
        newest: Sequence[Incident] = reader.incidents(limit=1)
        if newest:
            return newest[0]
        raise CommandError("there is no incident so far")
    found = (
        reader.incident(int(name.removeprefix("#"))) if name.removeprefix("#").isdecimal() else None
    )
    if found is None:
        raise CommandError(f"there is no incident {name!r}; `aftershock incidents` lists them")
    return found
