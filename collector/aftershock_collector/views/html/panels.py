"""What stands below the time axis: verdicts with their rivals, findings, pages sent, the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.views.html.markup import Safe, join, place, tag
from aftershock_collector.views.html.time_axis import SUSPECTED, look_of
from aftershock_collector.wording import (
    NO_AGENT,
    attribution_words,
    candidates,
    chance,
    change_words,
    clean,
    clock,
    counted,
    digits,
    exact_link,
    judgement,
    lasted,
    odds,
    percent,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.model import Claim, Impact
    from aftershock_collector.notify.page import Page
    from aftershock_collector.views.timeline import Entry, Timeline

NATS_MAX = 15.0  # evidence is cut there: one in three million
POSSIBLE = 0.2  # below, a verdict is one line
LINES_MAX = 2_000  # of the table


# --- Did an agent do it? --------------------------------------------------------------------


def verdicts(timeline: Timeline) -> Safe:
    """The judged actions, likeliest first; what nothing speaks for is one line each."""
    ranked = sorted(timeline.impacts, key=lambda i: -(i.probability or 0.0))
    told = [i for i in ranked if (i.probability or 0.0) >= POSSIBLE or i is ranked[0]]
    quiet = [tag("li", attribution_words(impact)) for impact in ranked if impact not in told]
    if not ranked:
        words = "No action was judged: there were no series of its targets, or nothing was written."
        return tag("p", words, class_="nothing")
    rest = tag("ul", *quiet, class_="quiet") if quiet else ""
    return join(*(attribution_card(impact) for impact in told), rest)


def attribution_card(impact: Impact) -> Safe:
    """One verdict: the sentence, its rivals, why, what was not read, what is missing."""
    sure = (impact.probability or 0.0) >= SUSPECTED
    link = exact_link(impact)
    what = [] if impact.change is None else [tag("p", broke(impact), class_="broke")]
    bars = [rated(name, p, own, sure=sure) for name, p, own in candidates(impact)]
    competed = tag("ol", *bars, class_="rivals", aria_label="what competed, by probability")
    return tag(
        "article",
        tag(
            "header", tag("b", chance(impact) or "?", class_="chance"), tag("h3", judgement(impact))
        ),
        *what,
        competed if link is None else tag("p", link, class_="broke"),
        reasons(impact),
        told_list("Had not read", impact.context_gap, "gap"),
        told_list("Would make it surer", impact.missing, "lack"),
        class_="verdict sure" if sure else "verdict",
    )


def broke(impact: Impact) -> str:
    """The degradation, with its lead time and its end."""
    words = change_words(impact.change) if impact.change else ""
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    return words + (
        f"; recovered at {clock(impact.recovered_at_ns)} UTC" if impact.recovered_at_ns else ""
    )


def rated(name: str, probability: float, own: bool, *, sure: bool) -> Safe:
    """One explanation with its share."""
    kind = "own" if own else "none" if name == NO_AGENT else "other"
    return tag(
        "li",
        tag("span", name, class_="name"),
        tag("span", class_="share", style=place(w=probability)),
        tag("span", percent(probability), class_="number"),
        class_=f"{kind} sure" if own and sure else kind,
    )


def reasons(impact: Impact) -> Safe:
    """The parts of the number, in nats of surprise, and in plain words."""
    parts = impact.parts
    entity = clean(impact.entity, 60)
    compared = f"{odds(parts.own)}, {counted(impact.comparable, 'window')} compared"
    lines = (
        ("own", parts.own, f"how unusual {entity} became", compared if impact.comparable else ""),
        ("before", parts.before, "how unusual it already was", "counts against the action"),
        ("callee", parts.callee, "what a service that it calls explains", "counts against it"),
        (
            "rival",
            parts.alternative,
            "worst movement that no action explains",
            "speaks for no action",
        ),
    )
    rows = [
        tag(
            "li",
            tag("span", words, tag("small", more), class_="name"),
            tag("span", class_="share", style=place(w=min(max(nats, 0.0) / NATS_MAX, 1.0))),
            tag("span", f"{digits(round(nats, 1))} nats", class_="number"),
            class_=f"part {name}",
        )
        for name, nats, words, more in lines
    ]
    return tag("ol", *rows, class_="parts", aria_label="why, in nats of surprise")


def told_list(label: str, items: Sequence[str], kind: str) -> Safe:
    """A short list with its name; nothing where there is nothing to say."""
    if not items:
        return Safe()
    return tag(
        "div",
        tag("h4", label),
        tag("ul", *(tag("li", clean(item)) for item in items)),
        class_=f"note {kind}",
    )


# --- Findings and pages ---------------------------------------------------------------------


def finding_cards(timeline: Timeline) -> Safe:
    """Every finding with its facts and its life."""
    if not timeline.claims:
        return tag("p", "No finding: nothing here asks for your attention.", class_="nothing")
    return join(*(finding_card(claim, timeline.marks) for claim in timeline.claims))


def finding_card(claim: Claim, marks: dict[str, str]) -> Safe:
    """One finding."""
    finding = claim.finding
    sentence = attribution_words(finding.impact) if finding.impact else finding.summary
    life = f"told {clock(claim.opened_at_ns)} UTC"
    if claim.closed_at_ns is not None:
        life += f", closed {clock(claim.closed_at_ns)} UTC: {closing_words(claim)}"
    else:
        life += ", still open"
    named = f"{finding.level.value} · {finding.kind.replace('_', ' ')} · {who(finding.agent)}"
    return tag(
        "article",
        tag("em", marks[finding.id], class_="badge"),
        tag(
            "div",
            tag("p", clean(sentence), class_="sentence"),
            tag("p", f"{named} · {life}", class_="life"),
            *(tag("p", clean(fact), class_="fact") for fact in finding.facts),
        ),
        class_=f"finding {look_of(claim)}",
    )


def page_cards(pages: Sequence[tuple[str, int, Page]]) -> Safe:
    """The pages as they were sent: receiver, time, text."""
    if not pages:
        return tag("p", "Nobody was paged.", class_="nothing")
    return join(
        *(
            tag(
                "article",
                tag(
                    "header",
                    tag("strong", page.title),
                    tag("small", f"{clean(receiver, 40)} · {clock(at)} UTC · {page.state.value}"),
                ),
                tag("pre", page.text),
                class_=f"page {page.severity}",
            )
            for receiver, at, page in pages
        )
    )


# --- The same in words ----------------------------------------------------------------------


def table(timeline: Timeline) -> Safe:
    """Every entry as a row: what the picture says, for readers and for search."""
    head = ("time (UTC)", "agent", "what", "outcome", "lasted", "evidence for")
    left = len(timeline.entries) - LINES_MAX
    more = tag("p", f"{left:,} later lines are not shown.") if left > 0 else ""
    return join(
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", name, scope="col") for name in head))),
            tag("tbody", *(table_row(entry) for entry in timeline.entries[:LINES_MAX])),
        ),
        more,
    )


def table_row(entry: Entry) -> Safe:
    """One entry."""
    agent = who(entry.agent) if entry.source != "change" else ""
    many = f" ×{entry.times}" if entry.times > 1 else ""
    what = f"{entry.level} {entry.kind}: {entry.what}" if entry.source == "finding" else entry.what
    long = "" if entry.until_ns is None else lasted(entry.until_ns - entry.at_ns)
    cells = (
        clock(entry.at_ns, tenths=True),
        agent,
        what + many,
        entry.outcome,
        long if entry.source == "step" and entry.until_ns != entry.at_ns else "",
        entry.mark or " ".join(entry.marks),
    )
    return tag("tr", *(tag("td", cell) for cell in cells), class_=entry.source)
