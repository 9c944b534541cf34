"""What a person on call asks about an incident, answered in the order in which they ask it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.model import Level
from aftershock.rules import RULES, Family, kinds_of
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.views.reasons import reasons
from aftershock_collector.wording import (
    attribution_words,
    candidates,
    change_words,
    clean,
    clock,
    day,
    lasted,
    percent,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aftershock.model import Claim, Finding, Step
    from aftershock_collector.store.incidents import Incident

ITEMS_MAX = 4  # of any list; the timeline has the rest
CONTEXT = kinds_of(rule for rule in RULES if rule.family is Family.CONTEXT)


@dataclass(frozen=True, slots=True)
class Section:
    """One answer."""

    label: str
    lines: tuple[str, ...]


def leading(claims: Iterable[Claim]) -> Claim:
    """The finding that an incident is about: open before closed, impact before others."""

    def rank(claim: Claim) -> tuple[bool, bool, bool, int]:
        finding = claim.finding
        alarm = finding.level is Level.ALARM
        return claim.closing is None, finding.impact is not None, alarm, -claim.opened_at_ns

    return max(claims, key=rank)


def sections_of(
    incident: Incident,
    lead: Claim,
    findings: Sequence[Finding],
    steps: Sequence[Step],
    *,
    goal: str | None,
    alerts: Sequence[str],
) -> tuple[Section, ...]:
    """The answers that are known."""
    others = [one for one in findings if one.id != lead.finding.id]
    found = (
        Section("What the agent did", action(lead.finding)),
        Section("What it was to reach", (clean(goal),) if goal else ()),
        Section("What it did not know", unknown(lead.finding, others)),
        Section("What broke", damage(lead.finding, others)),
        Section("Alerts", tuple(alerts[:ITEMS_MAX])),
        Section("How sure this is", certainty(lead.finding)),
        Section("Still going on?", progress(lead)),
        Section("How to stop it", stop(incident, steps)),
    )
    return tuple(section for section in found if section.lines)


def action(finding: Finding) -> tuple[str, ...]:
    """The act, with its time."""
    impact = finding.impact
    if impact is None:
        since = f"{clean(finding.summary)}, since {clock(finding.began_at_ns)} UTC"
        return (since, *map(clean, finding.facts[:ITEMS_MAX]))
    when = f"{day(impact.acted_at_ns)} {clock(impact.acted_at_ns)} UTC"
    tool, entity = clean(impact.tool, 80), clean(impact.entity, 80)
    return (f"{who(impact.agent)} called {tool} on {entity} at {when}",)


def unknown(finding: Finding, others: Sequence[Finding]) -> tuple[str, ...]:
    """Trouble that it had not read, and facts that it never got."""
    gaps = list(finding.impact.context_gap) if finding.impact is not None else []
    gaps += [other.summary for other in others if other.kind in CONTEXT]
    return tuple(dict.fromkeys(map(clean, gaps[:ITEMS_MAX])))


def damage(finding: Finding, others: Sequence[Finding]) -> tuple[str, ...]:
    """The degradation and its lead time; for other findings, what was linked to the runs."""
    impact = finding.impact
    if impact is None:
        linked = [attribution_words(one.impact) for one in others if one.impact is not None]
        return tuple(map(clean, linked[:ITEMS_MAX]))
    if impact.change is None:
        return (clean(impact.entity, 80),)
    words = change_words(impact.change)
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    return (words,)


def certainty(finding: Finding) -> tuple[str, ...]:
    """The sentence, the other explanations, and why."""
    impact = finding.impact
    if impact is None:
        return ("It was observed, not inferred.",)
    rated = [
        f"{percent(share)} {name}" for name, share, own in candidates(impact) if not own and share
    ]
    why = [reason.sentence for reason in reasons(impact) if reason.notable]
    others = [f"Other explanations: {', '.join(rated[:ITEMS_MAX])}"] if rated else []
    return (attribution_words(impact), *others, *why)


def progress(lead: Claim) -> tuple[str, ...]:
    """Whether the damage, or the state, still lasts."""
    impact = lead.finding.impact
    if impact is not None and impact.recovered_at_ns is not None:
        return (f"No: recovered at {clock(impact.recovered_at_ns)} UTC",)
    if lead.closed_at_ns is not None:
        return (f"Closed at {clock(lead.closed_at_ns)} UTC: {closing_words(lead)}",)
    if impact is not None:
        return (f"Yes, as of {clock(impact.judged_at_ns)} UTC",)
    return (f"Open, last seen at {clock(lead.finding.as_of_ns)} UTC",)


def stop(incident: Incident, steps: Sequence[Step]) -> tuple[str, ...]:
    """What to type while it is open, where that is known."""
    if incident.closed_at_ns is not None:
        return ()
    processes = {step.process for step in steps if step.process}
    service = next((step.service for step in steps if step.service), None)
    named = f" (service {clean(service, 80)})" if service else ""
    if len(processes) != 1:
        return (f"End the process that the agent runs in{named}",)
    match next(iter(processes)).split("/"):
        case ["pid", host, pid] if pid.isdecimal():
            return (f"kill {pid} on host {clean(host, 80)}{named}",)
        case ["pod", namespace, pod]:
            place = shlex.join(["-n", clean(namespace, 80), "delete", "pod", clean(pod, 80)])
            return (f"kubectl {place}",)
        case _:
            return (f"End the process that the agent runs in{named}",)
