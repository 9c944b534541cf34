"""Claim → Page: the one message that a person on call gets about a finding.

A page says, in this order: what the agent did, what it did not know, what broke, how sure we are,
how to stop it, where to look. Never raw content: only names, counts, classes and probabilities.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from aftershock.model import Level
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.store.interface import State
from aftershock_collector.wording import (
    NO_AGENT,
    attribution_words,
    candidates,
    change_words,
    clean,
    clock,
    counted,
    day,
    exact_link,
    instant,
    lasted,
    odds,
    percent,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftershock.model import Claim, Finding

PAGE_VERSION = 1  # of the webhook's JSON; grows when a key changes its meaning
LINES_MAX = 25  # what fits on a phone without scrolling twice
ITEMS_MAX = 4  # of any list on a page; the timeline has the rest
TITLE_CHARS_MAX = 150  # Slack's header block takes no more
CONTEXT_KINDS = {"missing_fact", "failed_fact", "stale_fact", "dropped_fact"}


@dataclass(frozen=True, slots=True)
class Page:
    """What every receiver's payload is made from; it survives a restart as JSON."""

    finding_id: str
    kind: str
    state: State
    title: str
    lines: tuple[str, ...]
    severity: str  # critical | warning, the words that Alertmanager and PagerDuty share
    run_id: str
    trace_id: str
    agent: str
    began_at_ns: int
    closed_at_ns: int | None = None
    probability: float | None = None
    service: str | None = None
    link: str | None = None
    entity: str | None = None  # what degraded, where that is what it is about

    @property
    def key(self) -> str:
        """One key per finding, the same for ever: what receivers fold updates under."""
        return "aftershock-" + blake2b(self.finding_id.encode(), digest_size=16).hexdigest()

    @property
    def text(self) -> str:
        """The body as one text."""
        return "\n".join(self.lines)


def pages_someone(claim: Claim) -> bool:
    """Only alarms page; warnings are for dashboards."""
    return claim.finding.level is Level.ALARM


def compose(
    claim: Claim,
    state: State,
    *,
    related: Sequence[Finding] = (),
    service: str | None = None,
    process: str | None = None,
    link: str | None = None,
) -> Page:
    """The page about one claim.

    Args:
        claim: what is claimed, with its life so far.
        state: whether this opens, updates or closes the page.
        related: other findings about the same run: what the agent did not know, what broke.
        service: `service.name` of the process that the agent lives in, where it is known.
        process: that process itself, as `Step.process` names it.
        link: address of the run's timeline page, where one is served.
    """
    finding = claim.finding
    impact = finding.impact
    others = [f for f in related if f.run_id == finding.run_id and f.id != finding.id]
    lines = [
        *what_it_did(finding),
        *what_it_did_not_know(finding, others),
        *what_broke(finding, others),
        *how_sure(finding),
        *how_to_stop(claim, service, process),
        *how_to_decide(claim),
        *where_to_look(finding, link),
    ]
    assert len(lines) <= LINES_MAX, "every list on a page is bounded"
    return Page(
        finding_id=finding.id,
        kind=finding.kind,
        state=state,
        title=title_of(finding),
        lines=tuple(lines),
        severity="critical" if finding.level is Level.ALARM else "warning",
        run_id=finding.run_id,
        trace_id=finding.trace_id,
        agent=who(finding.agent),
        began_at_ns=finding.began_at_ns,
        closed_at_ns=claim.closed_at_ns,
        probability=None if impact is None else impact.probability,
        service=service,
        link=link,
        entity=None if impact is None else impact.entity,
    )


def title_of(finding: Finding) -> str:
    """One sentence that can stand alone on a lock screen."""
    if finding.impact is not None:
        return clean(attribution_words(finding.impact), TITLE_CHARS_MAX)
    summary = clean(finding.summary, TITLE_CHARS_MAX)
    agent = who(finding.agent)
    named = summary if agent in summary else f"{agent}: {summary}"
    return clean(named, TITLE_CHARS_MAX)


def listed(label: str, items: Sequence[str]) -> list[str]:
    """A labelled line, or a labelled list where there is more than one thing to say."""
    if len(items) <= 1:
        return [f"{label}: {clean(item)}" for item in items]
    more = len(items) - ITEMS_MAX
    shown = [f"  - {clean(item)}" for item in items[:ITEMS_MAX]]
    return [f"{label}:", *shown, *([f"  - and {more} more"] if more > 0 else [])]


def what_it_did(finding: Finding) -> list[str]:
    """The deed, with its time."""
    impact = finding.impact
    if impact is None:
        since = f"{clean(finding.summary)} (since {clock(finding.began_at_ns)} UTC)"
        return listed("What the agent did", [since, *finding.facts])
    deed = f"{who(impact.agent)} called {clean(impact.tool, 80)} on {clean(impact.entity, 80)}"
    when = f"{day(impact.acted_at_ns)} {clock(impact.acted_at_ns)} UTC"
    return [f"What the agent did: {deed} at {when}"]


def what_it_did_not_know(finding: Finding, others: Sequence[Finding]) -> list[str]:
    """Trouble that it had not read, and facts that it never got."""
    if finding.kind in CONTEXT_KINDS:
        return []  # the deed's own lines say it
    gaps = list(finding.impact.context_gap) if finding.impact is not None else []
    gaps += [other.summary for other in others if other.kind in CONTEXT_KINDS]
    if not gaps and finding.impact is not None:
        return ["What it did not know: nothing that we could see"]
    return listed("What it did not know", gaps)


def what_broke(finding: Finding, others: Sequence[Finding]) -> list[str]:
    """The degradation and its lead time; for other findings, what has been linked so far."""
    impact = finding.impact
    if impact is None:
        linked = [attribution_words(other.impact) for other in others if other.impact is not None]
        return listed("What broke", linked or ["nothing has been linked to this run so far"])
    if impact.change is None:
        return [f"What broke: {clean(impact.entity, 80)}"]
    words = change_words(impact.change)
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    if impact.recovered_at_ns is not None:
        words += f"; recovered at {clock(impact.recovered_at_ns)} UTC"
    return [f"What broke: {words}"]


def how_sure(finding: Finding) -> list[str]:
    """Probability with its rivals and its odds, or that it was seen and not inferred."""
    impact = finding.impact
    if impact is None:
        evidence = counted(len(finding.evidence), "step")
        return [f"How sure: seen, not inferred; the evidence is {evidence}"]
    if link := exact_link(impact):
        return [f"How sure: {link}"]
    rated = candidates(impact)
    shown = [c for c in rated if c[2] or c[0] == NO_AGENT]
    shown += [c for c in rated if c not in shown][: ITEMS_MAX - len(shown)]
    shares = " · ".join(f"{name} {percent(p)}" for name, p, _ in sorted(shown, key=lambda c: -c[1]))
    lines = [f"How sure: {shares or 'not enough data'}"]
    if impact.comparable:
        windows = counted(impact.comparable, "earlier window")
        lines.append(f"  How unusual: {odds(impact.parts.own)}, compared with {windows}")
    return lines + listed("What would make it surer", impact.missing)


def how_to_stop(claim: Claim, service: str | None, process: str | None) -> list[str]:
    """What to type, where that is known: the truth is that a person has to do it."""
    if claim.closed_at_ns is not None:
        why = closing_words(claim) or "closed"
        return [f"Closed at {clock(claim.closed_at_ns)} UTC: {why}"]
    finding = claim.finding
    named = f"agent {who(finding.agent)}" + (f", service {clean(service, 80)}" if service else "")
    return [
        f"How to stop it: {stopping(process)} ({named})",
        f"  run {clean(finding.run_id, 80)}"
        + (f" · trace {clean(finding.trace_id, 32)}" if finding.trace_id else ""),
    ]


def stopping(process: str | None) -> str:
    """The command that ends a process, or what to look for."""
    match (process or "").split("/"):
        case ["pid", host, pid] if pid.isdecimal():
            return f"kill {pid} on host {clean(host, 80)}"
        case ["pod", namespace, pod]:
            names = shlex.join(["-n", clean(namespace, 80), "delete", "pod", clean(pod, 80)])
            return f"kubectl {names}"
        case _:
            return "end the process that it runs in"


def where_to_look(finding: Finding, link: str | None) -> list[str]:
    """The timeline, in the terminal and as a page."""
    command = f"aftershock timeline {shlex.quote(clean(finding.run_id, 80))}"
    return [f"Timeline: {command}", *([f"  {link}"] if link else [])]


def how_to_decide(claim: Claim) -> list[str]:
    """Right, wrong or unrelated: what a person says of a verdict teaches the next ones."""
    if claim.finding.impact is None or claim.closed_at_ns is not None:
        return []
    finding = shlex.quote(clean(claim.finding.id, 200))
    causes = "agent|infrastructure|coincidence"
    return [f"Was it the agent? aftershock feedback {finding} {causes} --by YOU --because WHY"]


def as_json(page: Page) -> dict[str, Any]:
    """The generic webhook's body, and what the outbox keeps."""
    return {
        "version": PAGE_VERSION,
        "source": "aftershock",
        "state": page.state.value,
        "key": page.key,
        "finding": page.finding_id,
        "kind": page.kind,
        "severity": page.severity,
        "title": page.title,
        "body": list(page.lines),
        "agent": page.agent,
        "service": page.service,
        "entity": page.entity,
        "run": page.run_id,
        "trace": page.trace_id or None,
        "probability": page.probability,
        "began_at": instant(page.began_at_ns),
        "began_at_ns": page.began_at_ns,
        "closed_at": None if page.closed_at_ns is None else instant(page.closed_at_ns),
        "closed_at_ns": page.closed_at_ns,
        "link": page.link,
    }


def from_json(body: Mapping[str, Any]) -> Page:
    """A page that the outbox kept.

    Raises:
        KeyError, ValueError: it was written by another version.
    """
    if body["version"] != PAGE_VERSION:
        raise ValueError(f"a page of version {body['version']}, this is {PAGE_VERSION}")
    return Page(
        finding_id=body["finding"],
        kind=body["kind"],
        state=State(body["state"]),
        title=body["title"],
        lines=tuple(body["body"]),
        severity=body["severity"],
        run_id=body["run"],
        trace_id=body["trace"] or "",
        agent=body["agent"],
        began_at_ns=body["began_at_ns"],
        closed_at_ns=body["closed_at_ns"],
        probability=body["probability"],
        service=body["service"],
        link=body["link"],
        entity=body.get("entity"),  # pages that waited since before there was one have none
    )
