"""`aftershock suspects ALERT`: the agent actions that may be behind an alert, ranked."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rich.text import Text

from aftershock.grade import SUSPECTED_FROM, percent
from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import (
    LATEST,
    NAMED_MAX,
    console,
    opened,
    print_json,
    print_nothing_recorded,
)
from aftershock_collector.impact.suspects import LINKED, Suspects
from aftershock_collector.notify.suspects_page import line, sentence
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.timeline_json import suspects_json
from aftershock_collector.wording import NO_AGENT, clean, clock, counted, zoned_time

NO_ALERTS = "no alert has arrived; point an Alertmanager at /api/v1/alerts/alertmanager"


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "alert", nargs="?", default=LATEST, metavar="ALERT",
        help="the beginning of the alert's name (its newest firing) or of its id, or `latest`",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Show who may be behind an alert."""
    with opened() as reader:
        if reader is None:
            return print_nothing_recorded("suspects", as_json=arguments.json)
        ranking = ranking_named(reader, arguments.alert)
    if arguments.json:
        print_json("suspects", suspects_json(ranking))
        return 0
    screen = console()
    for words, style in lines(ranking):
        screen.print(Text(words, style=style))
    return 0


def ranking_named(reader: Reader, name: str) -> Suspects:
    """The alert that a name, a prefix or `latest` means; of several firings the newest."""
    found = reader.suspects("" if name == LATEST else name, limit=NAMED_MAX + 1)
    if not found:
        known = {ranking.alert.name for ranking in reader.suspects(limit=100)}
        listed = ", ".join(sorted(known)[:NAMED_MAX])
        null_shown = f"no alert is called {name!r}; known: {listed}" if known else NO_ALERTS
        raise CommandError(null_shown)
    alike = len({ranking.alert.name for ranking in found}) == 1
    if name == LATEST or alike:
        return found[0]
    shown = ", ".join(ranking.alert.id for ranking in found[:NAMED_MAX])
    raise CommandError(f"{name!r} is the beginning of several alerts ({shown}): give more of it")


def lines(ranking: Suspects) -> Iterator[tuple[str, str]]:
    """The ranking as text, with its style."""
    alert = ranking.alert
    yield sentence(ranking), "bold red" if ranking.top else "bold"
    over = "" if alert.ended_at_ns is None else f", resolved {clock(alert.ended_at_ns)}"
    yield f"fired {zoned_time(alert.began_at_ns)}{over}  {alert.id}", "dim"
    if alert.detail:
        yield clean(alert.detail), "dim"
    yield "", ""
    null_shown = False
    for suspect in ranking.ranked:
        if not null_shown and ranking.no_agent > suspect.probability:
            null_shown = True
            yield f"{percent(ranking.no_agent):>7}  {NO_AGENT}", ""
        red = suspect.probability >= SUSPECTED_FROM
        yield line(ranking, suspect), "red" if red else ""
    if not null_shown and not any(suspect.relation == LINKED for suspect in ranking.ranked):
        yield f"{percent(ranking.no_agent):>7}  {NO_AGENT}", ""
    if ranking.more:
        yield f"        and {counted(ranking.more, 'less likely action')}", "dim"
    if not ranking.ranked:
        yield "No agent acted on it, or on what it depends on, in the 10 minutes before.", ""
    else:
        yield f"next: aftershock impact {ranking.ranked[0].span_id}", "dim"
