"""The filters that every list understands: --since --until --agent --rule --level --entity."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from aftershock.model import Claim, Level
from aftershock.policy.policy import parse_seconds
from aftershock_collector.commands import UsageError
from aftershock_collector.store.reader import Reader

CLAIMS_AT_ONCE = 1_000  # rows read from the store before they are filtered
FOREVER_NS = 2**62
TIMES = "7d, 2h or 30min ago, or a time such as 2026-11-29T10:30 (UTC)"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list is narrowed to. Times in ns; None: not narrowed by it."""

    since_ns: int = 0
    until_ns: int = FOREVER_NS
    agent: str | None = None
    rule: str | None = None
    level: Level | None = None
    entity: str | None = None
    limit: int = 50

    @property
    def by_finding(self) -> bool:
        """True where only things with a matching finding are wanted."""
        return any((self.rule, self.level, self.entity))

    @property
    def narrows(self) -> bool:
        """True where anything but the number of rows is limited."""
        timed = self.since_ns > 0 or self.until_ns < FOREVER_NS
        return timed or self.agent is not None or self.by_finding

    def matches(self, claim: Claim) -> bool:
        """True for a finding that fits every filter."""
        return (
            claim.opened_at_ns <= self.until_ns
            and (claim.closed_at_ns or FOREVER_NS) >= self.since_ns
            and self.agent in {None, claim.finding.agent}
            and self.matches_finding(claim)
        )

    def matches_finding(self, claim: Claim) -> bool:
        """True for a finding that fits the filters about findings alone."""
        finding = claim.finding
        return (
            self.rule in {None, finding.kind}
            and self.level in {None, finding.level}
            and (self.entity is None or self.entity in entity_of(claim))
        )


def add_filters(parser: argparse.ArgumentParser, limit: int) -> None:
    """The options, the same for every list."""
    parser.add_argument("--since", metavar="WHEN", help=f"only from then on: {TIMES}")
    parser.add_argument("--until", metavar="WHEN", help="only up to then")
    parser.add_argument("--agent", metavar="NAME", help="only where this agent took part")
    parser.add_argument("--rule", metavar="RULE", help="only findings of this rule")
    parser.add_argument("--level", choices=[level.value for level in Level], help="only this level")
    parser.add_argument(
        "--entity", metavar="NAME", help="only findings about it, such as service/checkout"
    )
    parser.add_argument(
        "--limit", type=int, default=limit, metavar="N", help=f"at most N rows (default {limit})"
    )


def selection_of(arguments: argparse.Namespace, now_ns: int) -> Selection:
    """The filters that were given. Raises UsageError."""
    if arguments.limit < 1:
        raise UsageError(f"--limit {arguments.limit} should be 1 or more")
    return Selection(
        since_ns=0 if arguments.since is None else moment_ns("--since", arguments.since, now_ns),
        until_ns=(
            FOREVER_NS if arguments.until is None else moment_ns("--until", arguments.until, now_ns)
        ),
        agent=arguments.agent,
        rule=None if arguments.rule is None else arguments.rule.replace("-", "_"),
        level=None if arguments.level is None else Level(arguments.level),
        entity=arguments.entity,
        limit=arguments.limit,
    )


def moment_ns(option: str, text: str, now_ns: int) -> int:
    """A moment in ns: a length of time ago, or a date with or without a time. Raises UsageError."""
    try:
        return now_ns - int(parse_seconds(text) * 1e9)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a time: give {TIMES}") from error
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1e9)


def entity_of(claim: Claim) -> str:
    """What a finding is about: the damaged thing, else its subject."""
    impact = claim.finding.impact
    return claim.finding.subject if impact is None else impact.entity


def claims_selected(
    reader: Reader, selection: Selection, *, run_id: str | None = None, open_only: bool = False
) -> Iterator[Claim]:
    """Findings that fit, newest first; the caller takes as many as it shows."""
    after = 0
    while True:
        rows = reader.claims(run_id, open_only=open_only, after=after, limit=CLAIMS_AT_ONCE)
        yield from filter(selection.matches, rows)
        after += len(rows)
        if len(rows) < CLAIMS_AT_ONCE:
            return
