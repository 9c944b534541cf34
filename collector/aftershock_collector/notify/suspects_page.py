"""Suspects → Page: what a person on call reads about an alert that agents may be behind."""

from __future__ import annotations

import shlex
from hashlib import blake2b
from typing import TYPE_CHECKING

from aftershock.grade import Grade, percent
from aftershock_collector.impact.suspects import LINKED
from aftershock_collector.notify.page import Page, PageLink, Section
from aftershock_collector.store.interface import State
from aftershock_collector.wording import NO_AGENT, clean, instant, lasted, who, zoned_clock

if TYPE_CHECKING:
    from aftershock_collector.impact.suspects import Suspect, Suspects

KIND = "suspects"
TITLE_CHARS_MAX = 150  # as a finding's page
SHOWN_MAX = 5  # on a page; `aftershock suspects` has the rest


def named(suspect: Suspect) -> str:
    """Whose action it was."""
    return f"{who(suspect.agent)}'s {clean(suspect.tool, 80)}"


def share(suspect: Suspect) -> str:
    """How likely, in a number or in a word."""
    return Grade.CERTAIN.value if suspect.relation == LINKED else percent(suspect.probability)


def alert_words(suspects: Suspects) -> str:
    """The alert itself."""
    alert = suspects.alert
    return f"{clean(alert.name, 80)} on {clean(alert.entity, 80)}"


def shares(suspects: Suspects, most: int = SHOWN_MAX) -> str:
    """All explanations on one line, likeliest first."""
    shown = suspects.ranked[:most]
    rated = [(f"{named(suspect)} {share(suspect)}", suspect.probability) for suspect in shown]
    no_agent = (f"{NO_AGENT} {percent(suspects.no_agent)}", suspects.no_agent)
    certain = any(suspect.relation == LINKED for suspect in shown)
    rated = sorted(rated if certain else [*rated, no_agent], key=lambda pair: -pair[1])
    more = len(suspects.ranked) - most + suspects.more
    listed = " · ".join(words for words, _ in rated)
    return f"{listed} · and {more} more" if more > 0 else listed


def sentence(suspects: Suspects) -> str:
    """The alert with its likeliest explanation, never surer than the number."""
    top = suspects.top
    if top is None:
        return f"{alert_words(suspects)}: no agent action stands out"
    before = lasted(suspects.alert.began_at_ns - top.acted_at_ns)
    if top.relation == LINKED:
        return f"{alert_words(suspects)}: {named(top)} {before} before is behind it (certain)"
    return f"{alert_words(suspects)}: {named(top)} {before} before is suspected ({share(top)})"


def line(suspects: Suspects, suspect: Suspect) -> str:
    """One suspect: its share, what it did, how near, how long before."""
    before = lasted(suspects.alert.began_at_ns - suspect.acted_at_ns)
    action = f"{named(suspect)} on {clean(suspect.entity, 80)} ({suspect.relation})"
    when = f"{before} before, at {zoned_clock(suspect.acted_at_ns)}"
    return f"{share(suspect):>7}  {action}, {when}"


def compose(suspects: Suspects, link: str | None = None) -> Page:
    """The update about an alert; only where an action is at least suspected."""
    top = suspects.top
    assert top is not None, "a page needs a suspect"
    alert = suspects.alert
    lines = (
        f"{alert_words(suspects)}, since {zoned_clock(alert.began_at_ns)}",
        *((clean(alert.detail),) if alert.detail else ()),
    )
    actions = (
        *(line(suspects, suspect).strip() for suspect in suspects.ranked[:SHOWN_MAX]),
        f"{percent(suspects.no_agent)}  {NO_AGENT}",
    )
    command = f"aftershock timeline {shlex.quote(clean(top.run_id, 80))}"
    sections = (
        Section("Alert", lines),
        Section("Agent actions in the 10 minutes before it", actions),
        Section("What to do", (command,)),
    )
    finding = f"{KIND}/{alert.id}"
    return Page(
        key="aftershock-" + blake2b(finding.encode(), digest_size=16).hexdigest(),
        state=State.UPDATED,
        title=clean(sentence(suspects), TITLE_CHARS_MAX),
        severity="warning",
        kind=KIND,
        finding=finding,
        run=top.run_id,
        agent=clean(who(top.agent), 200),
        began_at_ns=alert.began_at_ns,
        began_at=instant(alert.began_at_ns),
        sections=sections,
        body=tuple(text for section in sections for text in section.text_lines),
        kinds=(KIND,),
        agents=(clean(who(top.agent), 200),),
        links=() if link is None else (PageLink("Timeline", link),),
        trace=top.trace_id or None,
        probability=top.probability,
        link=link,
    )
