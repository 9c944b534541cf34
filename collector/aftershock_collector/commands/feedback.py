"""`aftershock feedback FINDING ASSESSMENT`: a person says what was behind a finding; it closes."""

from __future__ import annotations

import argparse
import sys
import time

from aftershock.model import Assessment, Claim
from aftershock_collector.commands import UsageError
from aftershock_collector.commands.responding import required, writing
from aftershock_collector.commands.store_access import (
    print_json,
    store_path,
)
from aftershock_collector.commands.why import claim_named
from aftershock_collector.impact.feedback import closing_words, decided, feedback_on, prior_words
from aftershock_collector.impact.priors import Prior, prior_of
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.serialization import to_plain
from aftershock_collector.views.timeline_json import finding_json
from aftershock_collector.wording import attribution_words, clean

ASSESSMENTS = [assessment.value for assessment in Assessment]


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "finding", nargs="?", metavar="FINDING",
        help="its number in `aftershock findings`, the beginning of its id, or `latest`",
    )  # fmt: skip
    parser.add_argument("assessment", nargs="?", choices=ASSESSMENTS, help="what was behind it")
    parser.add_argument("--by", metavar="NAME", help="who says so")
    parser.add_argument("--because", metavar="TEXT", help="why, for whoever asks later")
    parser.add_argument(
        "--priors", action="store_true", help="show how feedback has moved later attributions"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: argparse.Namespace) -> int:
    """Close a finding and keep the feedback, or show the priors."""
    with required() as reader:
        if arguments.priors:
            return show(prior_of(reader.feedback()), arguments.json)
        claim = claim_of(reader, arguments)
    over = keep(claim, arguments)
    with Reader.open(store_path()) as again:
        prior = prior_of(again.feedback())
    if arguments.json:
        print_json("feedback", {"finding": finding_json(over), "prior": to_plain(prior)})
        return 0
    impact = over.finding.impact
    sys.stdout.write(f"{clean(attribution_words(impact) if impact else over.finding.summary)}\n")
    sys.stdout.write(f"closed: {closing_words(over)}\n")
    return show(prior, as_json=False)


def claim_of(reader: Reader, arguments: argparse.Namespace) -> Claim:
    """The finding that is assessed, once everything that feedback needs was given."""
    wanted = {
        "FINDING": arguments.finding,
        "|".join(ASSESSMENTS): arguments.assessment,
        "--by NAME": (arguments.by or "").strip(),
        "--because TEXT": (arguments.because or "").strip(),
    }
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        raise UsageError(f"feedback needs {' and '.join(missing)}")
    return claim_named(reader, arguments.finding)


def keep(claim: Claim, arguments: argparse.Namespace) -> Claim:
    """Write the feedback beside the finding; a running collector reports it to its receivers."""
    now_ns = time.time_ns()
    assessment = Assessment(arguments.assessment)
    feedback = feedback_on(claim, assessment, arguments.by, arguments.because, now_ns)
    over = decided(claim, feedback)
    writing(lambda store: store.feedback(over, now_ns))
    return over


def show(prior: Prior, as_json: bool) -> int:
    """How people's feedback has moved the prior."""
    if as_json:
        print_json("priors", to_plain(prior))
    else:
        sys.stdout.write(f"{prior_words(prior)}\n")
    return 0
