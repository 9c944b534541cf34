"""One attribution as text: its sentence, charts with bands, alternatives, why, what is missing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from aftershock.grade import SUSPECTED_FROM, percent
from aftershock_collector.views.chart import plot_of
from aftershock_collector.views.reasons import reasons
from aftershock_collector.views.terminal.canvas import canvas
from aftershock_collector.views.terminal.timeline_text import BAR_CHARS
from aftershock_collector.wording import (
    attribution_words,
    candidates,
    change_words,
    clean,
    exact_link,
    lasted,
    zoned_clock,
    zoned_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.model import Impact

WIDTH = 96  # of a sentence
CHARTS_MAX = 2  # of an attribution: a screen
Line = tuple[str, str]  # words, style


def lines(impact: Impact) -> Iterator[Line]:
    """Everything that is known of one attribution, in the order in which a person needs it."""
    sure = (impact.probability or 0.0) >= SUSPECTED_FROM
    yield attribution_words(impact), "bold red" if sure else "bold"
    called = f"{zoned_time(impact.acted_at_ns)}"
    yield f"called {called}, span {impact.span_id}, run {clean(impact.run_id, 80)}", "dim"
    if impact.change is not None:
        yield broke(impact), ""
    for chart in impact.charts[:CHARTS_MAX]:
        yield "", ""
        yield f"{clean(chart.entity, 60)} {clean(chart.metric, 60)}", "bold"
        plot = plot_of(chart, impact.acted_at_ns, impact.probability)
        for line in canvas(plot):
            yield line, ""
    yield from _competition(impact, sure=sure)
    yield from _reasons(impact)
    yield from _listed("what logs show", impact.logged, "yellow")
    yield from _listed("had not read", impact.context_gap, "yellow")
    yield from _listed("less sure, because", impact.missing, "dim")


def broke(impact: Impact) -> str:
    """The degradation with its lead time and its end."""
    assert impact.change is not None, "the caller knows that something changed"
    words = change_words(impact.change)
    if impact.lead_ns is not None:
        words += f", {lasted(impact.lead_ns)} after the call"
    if impact.recovered_at_ns is not None:
        words += f"; recovered at {zoned_clock(impact.recovered_at_ns)}"
    return words


def _competition(impact: Impact, *, sure: bool) -> Iterator[Line]:
    rated = candidates(impact)
    if not rated:
        return
    yield "", ""
    if link := exact_link(impact):
        yield link, "bold red"
        return
    yield "the explanations", "bold"
    for name, probability, own in rated:
        bar = ("█" * round(probability * BAR_CHARS)).ljust(BAR_CHARS, "·")
        yield f"{percent(probability):>6} {bar} {name}", "red" if own and sure else ""


def _reasons(impact: Impact) -> Iterator[Line]:
    """One sentence for each part, and how rare it is."""
    found = reasons(impact)
    if not found:
        return
    yield "", ""
    yield "why", "bold"
    for reason in found:
        rare = f" ({reason.odds})" if reason.notable else ""
        for part in textwrap.wrap(f"{reason.sentence}{rare}", WIDTH):
            yield f"  {part}", ""


def _listed(title: str, items: tuple[str, ...], style: str) -> Iterator[Line]:
    if not items:
        return
    yield "", ""
    yield title, "bold"
    for item in items:
        yield f"  {clean(item)}", style
