"""`aftershock impact ACTION`: what one action did to what it touched, and how sure that is."""

from __future__ import annotations

import argparse
from typing import Any

from rich.text import Text

from aftershock.model import Impact
from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import (
    LATEST,
    NAMED_MAX,
    console,
    opened,
    print_json,
    print_nothing_recorded,
)
from aftershock_collector.impact.feedback import closing_words, prior_words
from aftershock_collector.impact.priors import Prior, prior_of
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.serialization import to_plain
from aftershock_collector.views.terminal import attribution_text
from aftershock_collector.views.timeline_json import impact_json
from aftershock_collector.wording import clean

NONE_YET = "no action with an effect was judged yet; `aftershock runs` lists what agents did"


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "action", nargs="?", default=LATEST, metavar="ACTION",
        help="the beginning of its span's id, its tool (its newest call), or `latest`",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Show the attributions of one action, one for each entity that it touched."""
    with opened() as reader:
        if reader is None:
            return print_nothing_recorded("impact", as_json=arguments.json)
        with reader.moment():
            judged = impacts_named(reader, arguments.action)
            prior = prior_of(reader.feedback())
            over = feedback_words(reader, judged[0])
    if arguments.json:
        print_json("impact", as_json(judged, prior))
        return 0
    screen = console()
    for number, impact in enumerate(judged):
        if number:
            screen.print()
        for words, style in attribution_text.lines(impact):
            screen.print(Text(words, style=style))
    screen.print()
    screen.print(Text(prior_words(prior), style="dim"))
    for words in over:
        screen.print(Text(f"a person decided: {words}", style="bold"))
    return 0


def impacts_named(reader: Reader, name: str) -> list[Impact]:
    """The attributions of the action that a prefix, a tool or `latest` means."""
    found = reader.impacts_named("" if name == LATEST else name)
    if not found:
        known = dict.fromkeys(clean(impact.tool, 40) for impact in reader.impacts_named(""))
        listed = ", ".join(list(known)[:NAMED_MAX])
        problem = f"no action is called {name!r}; judged were: {listed}" if known else NONE_YET
        raise CommandError(problem)
    spans = {(impact.trace_id, impact.span_id) for impact in found}
    tools = {impact.tool for impact in found}
    if len(spans) > 1 and len(tools) > 1 and name != LATEST and name not in tools:
        shown = [f"{i.span_id} ({clean(i.tool, 40)})" for i in found[:NAMED_MAX]]
        raise CommandError(f"{name!r} means several actions ({', '.join(shown)}): give more of it")
    newest = next((i for i in found if i.tool == name), found[0])
    return [i for i in found if (i.trace_id, i.span_id) == (newest.trace_id, newest.span_id)]


def feedback_words(reader: Reader, impact: Impact) -> list[str]:
    """People's feedback on this action's findings, one line each."""
    claims = reader.claims(impact.run_id)
    return [
        closing_words(claim)
        for claim in claims
        if claim.feedback is not None
        and claim.finding.impact is not None
        and claim.finding.impact.span_id == impact.span_id
    ]


def as_json(judged: list[Impact], prior: Prior) -> dict[str, Any]:
    """The attributions with their charts, and the prior that they started from."""
    return {
        "attributions": [
            impact_json(impact) | {"charts": [to_plain(chart) for chart in impact.charts]}
            for impact in judged
        ],
        "prior": to_plain(prior),
    }
