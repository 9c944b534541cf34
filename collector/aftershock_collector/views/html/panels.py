"""What stands below the time axis: attributions, findings, pages sent, and the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.grade import POSSIBLE_FROM, SUSPECTED_FROM, percent
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.views.html.templates import position
from aftershock_collector.views.html.time_axis import tone_of
from aftershock_collector.views.reasons import Reason, reasons
from aftershock_collector.wording import (
    NO_AGENT,
    attribution_words,
    candidates,
    chance,
    change_words,
    clean,
    clock,
    exact_link,
    judgement,
    lasted,
    who,
    zoned_clock,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Claim, Impact
    from aftershock_collector.notify.page import Page
    from aftershock_collector.views.timeline import Entry, Timeline

LINES_MAX = 2_000  # of the table


# --- Did an agent do it? --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Explanation:
    """One of the explanations that competed, as a bar."""

    kind: str
    name: str
    percent: str
    style: str


@dataclass(frozen=True, slots=True)
class AttributionCard:
    """One attribution: its sentence, its alternatives, why, what was not read, what is missing."""

    sure: bool
    chance: str
    judgement: str
    change: str
    link: str | None  # an exact link: it makes the alternatives pointless
    explanations: tuple[Explanation, ...]
    reasons: tuple[Reason, ...]
    not_read: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attributions:
    """The judged actions, likeliest first; those without evidence are one sentence each."""

    cards: tuple[AttributionCard, ...]
    quiet: tuple[str, ...]


def attributions(timeline: Timeline) -> Attributions:
    """Every judged action of a timeline."""
    ranked = sorted(timeline.impacts, key=lambda i: -(i.probability or 0.0))
    shown = [i for i in ranked if (i.probability or 0.0) >= POSSIBLE_FROM or i is ranked[0]]
    quiet = (attribution_words(impact) for impact in ranked if impact not in shown)
    return Attributions(tuple(map(attribution_card, shown)), tuple(quiet))


def attribution_card(impact: Impact) -> AttributionCard:
    """One judged action."""
    sure = (impact.probability or 0.0) >= SUSPECTED_FROM
    return AttributionCard(
        sure=sure,
        chance=chance(impact) or "?",
        judgement=judgement(impact),
        change=degradation(impact),
        link=exact_link(impact),
        explanations=tuple(
            explanation(name, share, own=own, sure=sure) for name, share, own in candidates(impact)
        ),
        reasons=tuple(reasons(impact)),
        not_read=tuple(map(clean, impact.context_gap)),
        missing=tuple(map(clean, impact.missing)),
    )


def degradation(impact: Impact) -> str:
    """The degradation, with its lead time and its end; empty where nothing degraded."""
    if impact.change is None:
        return ""
    words = change_words(impact.change)
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    return words + (
        f"; recovered at {zoned_clock(impact.recovered_at_ns)}" if impact.recovered_at_ns else ""
    )


def explanation(name: str, probability: float, *, own: bool, sure: bool) -> Explanation:
    """One explanation with its share."""
    kind = "own" if own else "none" if name == NO_AGENT else "other"
    return Explanation(
        kind=f"{kind} sure" if own and sure else kind,
        name=name,
        percent=percent(probability),
        style=position(w=probability),
    )


# --- Findings and pages ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindingCard:
    """One finding with its facts and its life."""

    mark: str
    tone: str
    sentence: str
    life: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page as it was sent: receiver, time, text."""

    title: str
    sent: str
    text: str
    severity: str


def finding_card(claim: Claim, marks: dict[str, str]) -> FindingCard:
    """One finding."""
    finding = claim.finding
    sentence = attribution_words(finding.impact) if finding.impact else finding.summary
    life = f"reported {zoned_clock(claim.opened_at_ns)}"
    if claim.closed_at_ns is not None:
        life += f", closed {zoned_clock(claim.closed_at_ns)}: {closing_words(claim)}"
    else:
        life += ", still open"
    named = f"{finding.level.value} · {finding.kind.replace('_', ' ')} · {who(finding.agent)}"
    return FindingCard(
        mark=marks[finding.id],
        tone=tone_of(claim),
        sentence=clean(sentence),
        life=f"{named} · {life}",
        facts=tuple(map(clean, finding.facts)),
    )


def page_cards(pages: Sequence[tuple[str, int, Page]]) -> list[PageCard]:
    """The pages in the order in which they were delivered; what several receivers got, once."""
    same: dict[tuple[str, str, str], list[tuple[str, int, Page]]] = {}
    for receiver, at, page in pages:
        key = (page.state.value, page.title, page.text)
        same.setdefault(key, []).append((clean(receiver, 40), at, page))
    return [
        PageCard(
            title=title,
            sent=f"{', '.join(dict.fromkeys(name for name, *_ in sent))} · "
            f"{zoned_clock(sent[0][1])} · {state}",
            text=text,
            severity=sent[0][2].severity,
        )
        for (state, title, text), sent in same.items()
    ]


# --- The same in words ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableRow:
    """One entry of the timeline: what the picture shows, for readers and for search."""

    source: str
    cells: tuple[str, ...]


def table_row(entry: Entry) -> TableRow:
    """One entry."""
    agent = who(entry.agent) if entry.source != "change" else ""
    many = f" ×{entry.times}" if entry.times > 1 else ""
    what = f"{entry.level} {entry.kind}: {entry.what}" if entry.source == "finding" else entry.what
    long = "" if entry.until_ns is None else lasted(entry.until_ns - entry.at_ns)
    if entry.lasts_ns is not None:
        long = f"{lasted(entry.lasts_ns)} …"
    cells = (
        clock(entry.at_ns, tenths=True),
        agent,
        what + many,
        entry.outcome,
        long if entry.source == "step" and entry.until_ns != entry.at_ns else "",
        entry.mark or " ".join(entry.marks),
    )
    return TableRow(entry.source, cells)
