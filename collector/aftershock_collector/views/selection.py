"""What every list can be narrowed by: time, agent, rule, level, entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from aftershock.model import Claim, Level
from aftershock.policy.policy import parse_seconds
from aftershock_collector.store.incidents import Incident
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.wording import zoned

CLAIMS_AT_ONCE = 1_000  # rows read from the store before they are filtered
FOREVER_NS = 2**62
RUNS_MAX = 10_000  # looked through where only some have a matching finding
TIMES = "7d, 2h or 30min ago, or a time such as 2026-11-29T10:30"


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


def selection_of(given: Mapping[str, str | None], limit: int, now_ns: int) -> Selection:
    """The filters by name, as a command or an address has them.

    Raises:
        ValueError: one of them is not what it should be; the message names it.
    """
    level = given.get("level") or None
    levels = [one.value for one in Level]
    if level not in {None, *levels}:
        raise ValueError(f"level {level!r} should be {' or '.join(levels)}")
    since, until = given.get("since"), given.get("until")
    rule = given.get("rule")
    return Selection(
        since_ns=moment_ns("since", since, now_ns) if since else 0,
        until_ns=moment_ns("until", until, now_ns) if until else FOREVER_NS,
        agent=given.get("agent") or None,
        rule=rule.replace("-", "_").replace(" ", "_") if rule else None,
        level=None if level is None else Level(level),
        entity=given.get("entity") or None,
        limit=limit,
    )


def moment_ns(name: str, text: str, now_ns: int) -> int:
    """A moment in ns: a length of time ago, or a date with or without a time. Raises ValueError."""
    try:
        return now_ns - int(parse_seconds(text) * 1e9)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{name} {text!r} is not a time: give {TIMES}") from error
    return int(zoned(at).timestamp() * 1e9)


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


def runs_selected(reader: Reader, selection: Selection) -> list[RunSummary]:
    """Runs that fit, newest first; by rule, level and entity through their findings."""
    ids = None
    if selection.by_finding:
        ids = {claim.finding.run_id for claim in claims_selected(reader, selection)}
    runs = reader.runs(
        limit=selection.limit if ids is None else RUNS_MAX,
        since_ns=selection.since_ns,
        until_ns=selection.until_ns,
        agent=selection.agent,
    )
    return [run for run in runs if ids is None or run.run_id in ids][: selection.limit]


def incidents_selected(
    reader: Reader, selection: Selection, *, open_only: bool = False
) -> list[Incident]:
    """Incidents that fit, newest first."""
    found = reader.incidents(
        open_only=open_only, since_ns=selection.since_ns, until_ns=selection.until_ns
    )
    return list(islice((one for one in found if _fits(reader, one, selection)), selection.limit))


def _fits(reader: Reader, incident: Incident, selection: Selection) -> bool:
    """True where an agent took part, and one of its findings fits the other filters."""
    if selection.agent is not None and selection.agent not in incident.agents:
        return False
    if not selection.by_finding:
        return True
    return any(map(selection.matches_finding, reader.claims_of(incident.number)))
