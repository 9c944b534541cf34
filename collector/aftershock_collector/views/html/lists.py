"""The lists as HTML documents: runs, findings and incidents, filtered by the query of the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from aftershock.model import Claim
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.views.html import templates
from aftershock_collector.views.html.time_axis import tone_of
from aftershock_collector.views.incident_words import state_words
from aftershock_collector.views.run_words import agents_words, duration_words
from aftershock_collector.views.selection import (
    Selection,
    claims_selected,
    incidents_selected,
    runs_selected,
    selection_of,
)
from aftershock_collector.wording import (
    attribution_words,
    clean,
    clock,
    counted,
    day,
    short,
    who,
    zone_name,
)

ROWS_MAX = 100  # of the newest; the filters reach the rest
FILTERS = ("agent", "rule", "level", "entity", "since", "until")
FILTER_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as the table shows it."""

    href: str
    agent: str
    place: str  # its id and the service
    began: str
    lasted: str
    steps: str
    alarms: str
    warnings: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding of the list."""

    href: str
    number: int
    tone: str
    sentence: str
    life: str


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident of a list."""

    href: str
    number: int
    tone: str
    title: str
    state: str
    when: str
    agents: str


def asked(query: Mapping[str, str], now_ns: int) -> tuple[Selection, dict[str, str | bool]]:
    """The selection that an address names, and what the form shows again."""
    kept: dict[str, str | bool] = {
        name: query.get(name, "")[:FILTER_CHARS_MAX].strip() for name in FILTERS
    }
    given = {name: str(kept[name]) for name in FILTERS}
    kept |= {"any": any(kept.values()), "problem": ""}
    try:
        return selection_of(given, ROWS_MAX, now_ns), kept
    except ValueError as error:
        return Selection(limit=ROWS_MAX), kept | {"problem": str(error)}


def runs_document(reader: Reader, query: Mapping[str, str], now_ns: int) -> str:
    """Open incidents, and the newest runs that fit."""
    selection, kept = asked(query, now_ns)
    runs = runs_selected(reader, selection)
    return templates.render(
        "runs.html",
        served=True,
        zone=zone_name(now_ns),
        headline=runs_headline(runs),
        kept=kept,
        runs=[run_row(run, now_ns) for run in runs],
        incidents=[incident_row(one, now_ns) for one in reader.incidents(open_only=True, limit=10)],
        recorded=counted(reader.counts()["runs"], "run") if kept["any"] else "",
    )


def runs_headline(runs: Sequence[RunSummary]) -> str:
    """The list in one line."""
    if not runs:
        return "No runs"
    alarms = sum(run.alarms > 0 for run in runs)
    found = f"{counted(alarms, 'run')} with alarms" if alarms else "no alarms"
    return f"{counted(len(runs), 'run')}, {found}"


def run_row(run: RunSummary, now_ns: int) -> RunRow:
    """One run."""
    return RunRow(
        href=f"/runs/{quote(run.run_id, safe='')}",
        agent=clean(agents_words(run.agents)) if run.agents else who(run.agent),
        place=f"run {short(run.run_id)}" + (f" of {clean(run.service, 80)}" if run.service else ""),
        began=f"{day(run.began_at_ns)} {clock(run.began_at_ns)}",
        lasted=duration_words(run, now_ns),
        steps=f"{run.done:,}",
        alarms=counted(run.alarms, "alarm") if run.alarms else "",
        warnings=counted(run.warnings, "warning") if run.warnings else "",
    )


def findings_document(reader: Reader, query: Mapping[str, str], now_ns: int) -> str:
    """The newest findings that fit."""
    selection, kept = asked(query, now_ns)
    found = list(islice(claims_selected(reader, selection), selection.limit))
    open_now = sum(claim.closed_at_ns is None for claim in found)
    recorded = reader.counts()["claims"]
    return templates.render(
        "findings.html",
        served=True,
        zone=zone_name(now_ns),
        headline=f"{counted(len(found), 'finding')}, {open_now} open",
        kept=kept,
        findings=[finding_row(claim, reader.number_of(claim)) for claim in found],
        recorded=counted(recorded, "finding") if recorded else "",
    )


def finding_row(claim: Claim, number: int) -> FindingRow:
    """One finding."""
    finding = claim.finding
    sentence = attribution_words(finding.impact) if finding.impact else finding.summary
    rule = finding.kind.replace("_", " ")
    reported = f"{day(claim.opened_at_ns)} {clock(claim.opened_at_ns)}"
    state = closing_words(claim) or "open"
    return FindingRow(
        href=f"/runs/{quote(finding.run_id, safe='')}",
        number=number,
        tone=tone_of(claim),
        sentence=clean(sentence),
        life=f"{finding.level.value} · {rule} · {who(finding.agent)} · {reported} · {state}",
    )


def incidents_document(reader: Reader, query: Mapping[str, str], now_ns: int) -> str:
    """The newest incidents that fit."""
    selection, kept = asked(query, now_ns)
    found = incidents_selected(reader, selection)
    open_now = sum(incident.closed_at_ns is None for incident in found)
    recorded = reader.counts()["incidents"]
    return templates.render(
        "incidents.html",
        served=True,
        zone=zone_name(now_ns),
        headline=f"{counted(len(found), 'incident')}, {open_now} open",
        kept=kept,
        incidents=[incident_row(incident, now_ns) for incident in found],
        recorded=counted(recorded, "incident") if recorded else "",
    )


def incident_row(incident: Incident, now_ns: int) -> IncidentRow:
    """One incident."""
    is_open = incident.closed_at_ns is None and incident.muted is None
    urgent = "alarm" if incident.severity is Severity.CRITICAL else "warn"
    return IncidentRow(
        href=f"/incidents/{incident.number}",
        number=incident.number,
        tone=urgent if is_open else "calm",
        title=clean(incident.title),
        state=clean(state_words(incident, now_ns)),
        when=f"{day(incident.opened_at_ns)} {clock(incident.opened_at_ns)}",
        agents=clean(", ".join(incident.agents), 120),
    )
