"""Findings → incidents: which findings belong together, and how an incident goes on.

Findings of one run belong together, and so do those of its trace (sub-agents in other processes)
and those about one degradation. Pure: numbers and times are arguments.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from hashlib import blake2b

from aftershock.model import Change, Claim, Closing, Finding, Level, Report
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.notify.page_text import is_about_action, title_of
from aftershock_collector.notify.recurrence import Recurrence
from aftershock_collector.store.incidents import (
    AlertLink,
    Incident,
    Mute,
    Response,
    ResponseAction,
    Severity,
)
from aftershock_collector.store.interface import State
from aftershock_collector.wording import clean, instant, who

NS = 1_000_000_000
QUIET_S = 600.0  # a run that found nothing new for this long begins another incident
ONSET_S = 60.0  # two attributions of one degradation may place its onset this far apart
OPEN_MAX = 1_000  # incidents followed at once; a person has long stopped reading
FINDINGS_MAX = 200  # listed of one incident; the others are counted
ALERTS_MAX = 20
NAME_CHARS_MAX = 200
NUMBERS = re.compile(r"[\d.,]+")
# What a person on call wants to read first; a kind that is not named comes last.
RANKS = ("agent_impact", "unapproved_action", "audit_break", "missing_fact", "failed_fact")


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """What became of an incident."""

    incident: Incident
    state: State
    claims: Sequence[Claim]  # its findings
    worse: bool = False  # whoever got the opening must know: another kind leads, or it is back
    material: bool = True  # False: only counts and times differ


@dataclass(slots=True)
class _Followed:
    incident: Incident
    claims: OrderedDict[str, Claim] = field(default_factory=OrderedDict[str, Claim])
    paged: bool = True
    more: int = 0

    def changed(
        self, state: State, *, worse: bool = False, material: bool = True
    ) -> IncidentChange:
        """The incident as it is now."""
        claims = tuple(self.claims.values())
        return IncidentChange(self.incident, state, claims, worse, material)


def severity_of(finding: Finding) -> Severity:
    """Critical where something outside the agent may have changed."""
    return Severity.CRITICAL if is_about_action(finding) else Severity.ERROR


def tool_of(finding: Finding) -> str:
    """The tool that a finding is about, as far as it names one."""
    return finding.impact.tool if finding.impact is not None else finding.subject.partition("/")[0]


def muted_by(finding: Finding, mutes: Iterable[Mute], at_ns: int) -> Mute | None:
    """The mute that keeps a finding from paging."""
    for mute in mutes:
        if not mute.holds(at_ns):
            continue
        pairs = (
            (mute.agent, finding.agent),
            (mute.rule, finding.kind),
            (mute.tool, tool_of(finding)),
        )
        if all(wanted is None or fnmatchcase(found or "", wanted) for wanted, found in pairs):
            return mute
    return None


class IncidentBook:
    """The incidents that are open, with their findings. Belongs to one thread."""

    def __init__(self, newest: int = 0) -> None:
        self._newest = newest
        self._open: OrderedDict[int, _Followed] = OrderedDict()
        self._number_of: dict[str, int] = {}  # finding id → incident
        self._recurrence = Recurrence()
        self.dropped = 0  # incidents that were followed no longer because there were too many

    def resume(
        self,
        newest: int,
        known: Iterable[tuple[Incident, Sequence[Claim]]],
        recent: Iterable[Incident] = (),
    ) -> None:
        """Continue with what an earlier process had open; `recent` paged within the last day."""
        self._newest = max(self._newest, newest)
        for incident in sorted(recent, key=lambda one: one.number):
            self._recurrence.remember(incident)
        for incident, claims in sorted(known, key=lambda pair: pair[0].number):
            followed = _Followed(
                incident, paged=incident.muted is None, more=incident.more_findings
            )
            followed.claims.update((claim.finding.id, claim) for claim in claims)
            self._follow(followed)

    def apply(self, report: Report, mutes: Sequence[Mute] = ()) -> list[IncidentChange]:
        """Sort a report's findings into incidents; each incident that changed, once."""
        touched: dict[int, Incident | None] = {}  # number → as it was; None: it is new
        for claim in (*report.opened, *report.updated, *report.closed):
            number = self._number_of.get(claim.finding.id)
            if number is None or number not in self._open:
                opens = claim.closing is None or claim in report.opened
                if claim.finding.level is not Level.ALARM or not opens:
                    continue
                number = self._join(claim, report.now_ns)
            if number is None:
                number = self._begin(claim, report.now_ns)
                touched[number] = None
            followed = self._open[number]
            touched.setdefault(number, followed.incident)
            self._keep(followed, claim)
        found: list[IncidentChange] = []
        for number, before in touched.items():
            if number in self._open:
                found += self._changes(self._open[number], before, report.now_ns, mutes)
        return found

    def respond(self, response: Response, now_ns: int) -> IncidentChange | None:
        """An acknowledgement or a snooze; None where the incident is not open."""
        followed = self._open.get(response.incident)
        if followed is None:
            return None
        if response.action is ResponseAction.ACKNOWLEDGE:
            changed = replace(followed.incident, acknowledged=response)
            state = State.ACKNOWLEDGED
        else:
            changed = replace(followed.incident, snoozed=response)
            state = State.UPDATED
        followed.incident = replace(
            changed, updated_at_ns=now_ns, revision=followed.incident.revision + 1
        )
        return followed.changed(state)

    def wake(self, now_ns: int) -> list[IncidentChange]:
        """Incidents whose snooze is over while they are still open."""
        found: list[IncidentChange] = []
        for followed in self._open.values():
            snoozed = followed.incident.snoozed
            if snoozed is None or snoozed.until_ns is None or now_ns < snoozed.until_ns:
                continue
            followed.incident = replace(
                followed.incident,
                snoozed=None,
                updated_at_ns=now_ns,
                revision=followed.incident.revision + 1,
            )
            found.append(followed.changed(State.UPDATED, worse=True))
        return found

    def link(self, alert: Change, runs: Collection[str], now_ns: int) -> IncidentChange | None:
        """One of the infrastructure's alerts belongs to the incident of a run or of an entity."""
        for followed in reversed(self._open.values()):
            incident = followed.incident
            if (
                not any(run in incident.runs for run in runs)
                and clean(alert.entity, NAME_CHARS_MAX) not in incident.entities
            ):
                continue
            if any(known.id == alert.id for known in incident.alerts):
                return None
            linked = AlertLink(
                alert.id,
                clean(alert.name, 80),
                clean(alert.entity, NAME_CHARS_MAX),
                alert.began_at_ns,
                alert.url,
            )
            followed.incident = replace(
                incident,
                alerts=(*incident.alerts, linked)[-ALERTS_MAX:],
                updated_at_ns=now_ns,
                revision=incident.revision + 1,
            )
            return followed.changed(State.UPDATED)
        return None

    def closings(
        self, judged: Iterable[Claim], acknowledged: Iterable[int], now_ns: int, expiry_s: float
    ) -> list[Claim]:
        """Findings about actions that are over because a person has looked, or by their age.

        Args:
            judged: findings that a person gave feedback on; their incidents have been looked at.
            acknowledged: incidents that a person acknowledges now.
            now_ns: our clock.
            expiry_s: findings about actions that are older than this expire.
        """
        seen = {self._number_of.get(claim.finding.id) for claim in judged} | set(acknowledged)
        over = {claim.finding.id for claim in judged}
        found: list[Claim] = []
        for number, followed in self._open.items():
            reviewed = number in seen or followed.incident.acknowledged is not None
            for claim in followed.claims.values():
                if claim.closing is not None or claim.finding.id in over:
                    continue
                if not is_about_action(claim.finding):
                    continue
                impact = claim.finding.impact
                if reviewed and (impact is None or impact.recovered_at_ns is not None):
                    closing = Closing.ACKNOWLEDGED
                elif now_ns - claim.opened_at_ns > expiry_s * NS:
                    closing = Closing.EXPIRED
                else:
                    continue
                found.append(replace(claim, closed_at_ns=now_ns, closing=closing))
        return found

    def open_incidents(self) -> list[tuple[Incident, Sequence[Claim]]]:
        """Every open incident with its findings, oldest first."""
        return [(f.incident, tuple(f.claims.values())) for f in self._open.values()]

    def claims_of(self, number: int) -> Sequence[Claim]:
        """The findings of an open incident."""
        followed = self._open.get(number)
        return () if followed is None else tuple(followed.claims.values())

    # --- Inside ------------------------------------------------------------------------------

    def _join(self, claim: Claim, now_ns: int) -> int | None:
        """The open incident that a finding belongs to, newest first."""
        for number, followed in reversed(self._open.items()):
            if _belongs(claim, followed, now_ns):
                return number
        return None

    def _begin(self, claim: Claim, now_ns: int) -> int:
        self._newest += 1
        finding = claim.finding
        identity = f"{self._newest}\x00{finding.id}\x00{claim.opened_at_ns}".encode()
        incident = Incident(
            number=self._newest,
            key="aftershock-" + blake2b(identity, digest_size=16).hexdigest(),
            title="",
            severity=severity_of(finding),
            opened_at_ns=now_ns,
            updated_at_ns=now_ns,
            findings=(),
            runs=(),
            agents=(),
            kinds=(),
        )
        self._follow(_Followed(incident, paged=False))
        return self._newest

    def _follow(self, followed: _Followed) -> None:
        self._open[followed.incident.number] = followed
        self._number_of.update(dict.fromkeys(followed.claims, followed.incident.number))
        if len(self._open) > OPEN_MAX:
            self.dropped += 1
            self._forget(next(iter(self._open)))

    def _forget(self, number: int) -> None:
        followed = self._open.pop(number)
        for identity in followed.claims:
            if self._number_of.get(identity) == number:
                del self._number_of[identity]

    def _keep(self, followed: _Followed, claim: Claim) -> None:
        identity = claim.finding.id
        if identity not in followed.claims and len(followed.claims) >= FINDINGS_MAX:
            followed.more += 1  # P11: a run with a thousand equal findings is one page
            return
        followed.claims[identity] = claim
        self._number_of[identity] = followed.incident.number

    def _changes(
        self,
        followed: _Followed,
        before: Incident | None,
        now_ns: int,
        mutes: Sequence[Mute],
    ) -> list[IncidentChange]:
        incident = summed_up(followed.incident, followed.claims, followed.more, now_ns)
        mute = None
        if not followed.paged:
            found = [muted_by(c.finding, mutes, now_ns) for c in followed.claims.values()]
            mute = found[0] if found and all(found) else None
        muted = None if mute is None else _mute_words(mute)
        if not followed.paged and muted is None:
            muted = self._recurrence.scheduled(incident)
        opens = not followed.paged and muted is None
        followed.paged = followed.paged or opens
        if before is not None:
            incident = replace(incident, revision=before.revision + 1)
        incident = followed.incident = replace(incident, muted=muted)
        if opens or before is None:
            self._recurrence.remember(incident)
        changes = [followed.changed(State.OPENED)] if opens or before is None else []
        if incident.closed_at_ns is not None:
            self._forget(incident.number)
            return [*changes, followed.changed(State.CLOSED)]
        if changes or before is None:
            return changes
        worse = incident.kinds[:1] != before.kinds[:1] or incident.severity != before.severity
        material = worse or substance(incident) != substance(before)
        return [followed.changed(State.UPDATED, worse=worse, material=material)]


def substance(incident: Incident) -> tuple[object, ...]:
    """What an update must change to be worth sending at once: not only counts and times."""
    return (
        incident.kinds,
        incident.entities,
        incident.runs,
        incident.open_findings,
        NUMBERS.sub("#", incident.title),
    )


def summed_up(incident: Incident, claims: Mapping[str, Claim], more: int, now_ns: int) -> Incident:
    """The incident as its findings make it; its severity never falls."""
    lead = leading(claims.values())
    findings = [claim.finding for claim in claims.values()]
    still = [claim for claim in claims.values() if claim.closing is None]
    severities = {incident.severity, *map(severity_of, findings)}
    closed_ns = None if still or more else max(c.closed_at_ns or now_ns for c in claims.values())
    kinds = dict.fromkeys([lead.finding.kind, *(f.kind for f in findings)])
    impacts = [f.impact for f in findings if f.impact is not None]
    return replace(
        incident,
        title=title_of(lead.finding),
        severity=Severity.CRITICAL if Severity.CRITICAL in severities else Severity.ERROR,
        updated_at_ns=now_ns,
        findings=tuple(claims),
        runs=tuple(dict.fromkeys(f.run_id for f in findings)),
        agents=tuple(dict.fromkeys(clean(who(f.agent), NAME_CHARS_MAX) for f in findings)),
        kinds=tuple(kinds),
        entities=tuple(dict.fromkeys(clean(impact.entity, NAME_CHARS_MAX) for impact in impacts)),
        traces=tuple(dict.fromkeys(f.trace_id for f in findings if f.trace_id)),
        open_findings=len(still) + more,
        more_findings=more,
        probability=None if lead.finding.impact is None else lead.finding.impact.probability,
        closed_at_ns=closed_ns,
        closing=None if closed_ns is None else closing_words(lead),
    )


def leading(claims: Iterable[Claim]) -> Claim:
    """The finding that an incident's title is about: the worst of those open, else the worst."""

    def place(claim: Claim) -> tuple[bool, bool, int, float, int]:
        finding = claim.finding
        rank = RANKS.index(finding.kind) if finding.kind in RANKS else len(RANKS)
        probability = finding.impact.probability if finding.impact is not None else None
        alarm = finding.level is Level.ALARM
        return claim.closing is None, alarm, -rank, probability or 0.0, -claim.opened_at_ns

    return max(claims, key=place)


def _belongs(claim: Claim, followed: _Followed, now_ns: int) -> bool:
    finding = claim.finding
    if now_ns - followed.incident.updated_at_ns > QUIET_S * NS:
        return False
    impacts = [c.finding.impact for c in followed.claims.values() if c.finding.impact is not None]
    impact = finding.impact
    if impact is not None and impact.change is not None:
        began_ns = impact.change.began_at_ns
        for other in impacts:
            if other.entity != impact.entity or other.change is None:
                continue
            if other.recovered_at_ns is not None and began_ns > other.recovered_at_ns:
                return False  # it broke again: a second incident
            if abs(other.change.began_at_ns - began_ns) <= ONSET_S * NS:
                return True
    findings = [c.finding for c in followed.claims.values()]
    same_trace = bool(finding.trace_id) and any(f.trace_id == finding.trace_id for f in findings)
    return same_trace or any(f.run_id == finding.run_id for f in findings)


def _mute_words(mute: Mute) -> str:
    until = "" if mute.until_ns is None else f" until {instant(mute.until_ns)}"
    return f"muted by {clean(mute.by, 80)}{until}: {clean(mute.because, 200)}"
