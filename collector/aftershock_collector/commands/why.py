"""`aftershock why FINDING`: the evidence of one finding, as a person would want it."""

from __future__ import annotations

import argparse

from aftershock.model import Claim
from aftershock_collector.commands import CommandError
from aftershock_collector.commands.store_access import (
    LATEST,
    NAMED_MAX,
    console,
    opened,
    policy,
    print_json,
    print_nothing_recorded,
)
from aftershock_collector.review.comparison import content_of
from aftershock_collector.review.explanation import explain
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.explanation_json import as_json
from aftershock_collector.views.terminal import why_text

NUMBER_DIGITS_MAX = 4  # longer ones are the beginning of a run's id


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "finding", nargs="?", default=LATEST, metavar="FINDING",
        help="its number in `aftershock findings`, the beginning of its id, or `latest`",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Explain one finding."""
    with opened() as reader:
        if reader is None or not reader.runs(limit=1):
            if arguments.finding == LATEST:
                return print_nothing_recorded("finding", as_json=arguments.json)
            raise CommandError("nothing is recorded yet; `aftershock up` starts the collector")
        known_policy = policy()
        with reader.moment():
            claim = claim_named(reader, arguments.finding)
            run_id = claim.finding.run_id
            steps = reader.steps(run_id, known_policy)
            evidence = set(claim.finding.evidence)
            spans = [span for span in reader.spans(run_id) if span.span_id in evidence]
    contents = {span.span_id: content_of(span) for span in spans}
    explanation = explain(claim, steps, contents, known_policy)
    if arguments.json:
        print_json("finding", as_json(explanation))
    else:
        why_text.show(explanation, console())
    return 0


def claim_named(reader: Reader, name: str) -> Claim:
    """The finding that a number, a prefix or `latest` means; of several lives the newest."""
    if name == LATEST or (name.isdecimal() and len(name) <= NUMBER_DIGITS_MAX):
        found = reader.claims(limit=1)[:1] if name == LATEST else [reader.claim(int(name))]
        if not found or found[0] is None:
            held = reader.counts()["claims"]
            listed = f"; {held} are listed" if held else "; nothing was found so far"
            raise CommandError(f"there is no finding {name}{listed} by `aftershock findings`")
        return found[0]
    found = reader.claims(prefix=name, limit=1_000)
    newest = {claim.finding.id: claim for claim in reversed(found)}
    if name in newest:
        return newest[name]
    if not newest:
        raise CommandError(f"no finding begins with {name!r}; `aftershock findings` lists them")
    if len(newest) > 1:
        numbered = [
            f"{reader.number_of(claim)} ({claim.finding.kind})" for claim in newest.values()
        ]
        shown = ", ".join(numbered[-NAMED_MAX:][::-1]) + (", …" if len(newest) > NAMED_MAX else "")
        raise CommandError(f"{name!r} is the beginning of several findings: give a number, {shown}")
    return next(iter(newest.values()))
