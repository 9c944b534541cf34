"""Incidents, and what people did about them: acknowledgements, snoozes, mutes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How urgent an incident is; it rises with evidence and never falls while it is open."""

    CRITICAL = "critical"  # an agent acted, and a person must look at what it did
    ERROR = "error"  # an agent is in a bad state: it loops, stalls, or is over its budget


class ResponseAction(StrEnum):
    """What a person on call can do about an incident, beside giving feedback."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"


@dataclass(frozen=True, slots=True)
class Response:
    """One acknowledgement or snooze: who, when, why."""

    incident: int
    action: ResponseAction
    by: str
    because: str
    given_at_ns: int
    until_ns: int | None = None  # of a snooze


@dataclass(frozen=True, slots=True)
class Mute:
    """Findings that shall page no one: those that match every field that is given."""

    by: str
    because: str
    given_at_ns: int
    until_ns: int | None = None  # None: until somebody ends it
    agent: str | None = None
    rule: str | None = None
    tool: str | None = None
    number: int = 0  # given by the store
    ended_by: str | None = None
    ended_at_ns: int | None = None

    def holds(self, at_ns: int) -> bool:
        """True while the mute is in force."""
        if self.ended_at_ns is not None and self.ended_at_ns <= at_ns:
            return False
        return self.given_at_ns <= at_ns and (self.until_ns is None or at_ns < self.until_ns)


@dataclass(frozen=True, slots=True)
class AlertLink:
    """One of the infrastructure's own alerts that fired while the incident was open."""

    id: str
    name: str
    entity: str
    began_at_ns: int
    url: str | None = None  # where a person reads about it


@dataclass(frozen=True, slots=True)
class Incident:
    """Findings that belong together, paged as one. Open while `closed_at_ns is None`."""

    number: int  # short, given once, never used again
    key: str  # the same for ever: receivers fold updates under it
    title: str
    severity: Severity
    opened_at_ns: int
    updated_at_ns: int
    findings: tuple[str, ...]  # ids, oldest first
    runs: tuple[str, ...]
    agents: tuple[str, ...]
    kinds: tuple[str, ...]  # rules, the one that the title is about first
    entities: tuple[str, ...] = ()  # what degraded
    traces: tuple[str, ...] = ()
    alerts: tuple[AlertLink, ...] = ()
    open_findings: int = 0
    more_findings: int = 0  # of the incident, beyond those listed in `findings`
    probability: float | None = None  # of the attribution that the title is about
    closed_at_ns: int | None = None
    closing: str | None = None  # why it is closed
    acknowledged: Response | None = None
    snoozed: Response | None = None
    muted: str | None = None  # why no one was paged
    revision: int = 0  # of the page; grows with every change that receivers get

    def snoozed_at(self, at_ns: int) -> bool:
        """True while a snooze is in force."""
        until_ns = None if self.snoozed is None else self.snoozed.until_ns
        return until_ns is not None and at_ns < until_ns
