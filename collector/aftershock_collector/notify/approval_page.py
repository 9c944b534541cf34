"""Ticket → Page: what a person reads who is asked to approve a call, and the links that answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from aftershock_collector.notify.page import Page, PageAction, PageFinding, PageLink, Section
from aftershock_collector.notify.signed_links import AnswerAction, LinkSigner
from aftershock_collector.store.incidents import Severity
from aftershock_collector.store.interface import State
from aftershock_collector.store.tickets import Ticket, TicketState
from aftershock_collector.wording import clean, counted, instant, who, zoned_clock

KIND = "approval"
TITLE_CHARS_MAX = 150
VALUE_CHARS_MAX = 300  # of one argument: the page on the web has the rest
ARGUMENTS_MAX = 12
LINES_MAX = 12
DRY_RUN_LINES_MAX = 20  # the view of the request has them all
LABELS = {AnswerAction.APPROVE: "Approve", AnswerAction.DENY: "Deny"}


@dataclass(frozen=True, slots=True)
class AnswerLinks:
    """How a page about a request is answered."""

    base: str | None = None  # of the collector's own pages, as receivers reach them
    signer: LinkSigner | None = None
    buttons: frozenset[str] = field(default_factory=frozenset[str])  # receivers that post answers


def subject_of(ticket: Ticket) -> str:
    """What the outbox keeps the messages of a request under."""
    return f"{KIND}/{ticket.number}"


def compose(
    ticket: Ticket, receiver: str, links: AnswerLinks, similar: Sequence[Ticket] = ()
) -> Page:
    """The page for one receiver, whose links work once each.

    Args:
        ticket: the oldest of its group that waits, or one that needs no answer any more.
        receiver: whom the links are for; an answer by them is recorded with this name.
        links: where the collector is, and who signs.
        similar: the others of its group.
    """
    is_open = ticket.state is TicketState.ASKED
    sections = sections_of(ticket, similar)
    began_ns = ticket.asked_at_ns
    title = clean(title_of(ticket, similar), TITLE_CHARS_MAX)
    addresses = addresses_of(ticket, receiver, links) if is_open else ()
    return Page(
        key=f"aftershock-{subject_of(ticket).replace('/', '-')}",
        state=State.OPENED if is_open else State.CLOSED,
        title=title,
        severity=Severity.ERROR.value,
        kind=KIND,
        finding=subject_of(ticket),
        run=clean(ticket.run, 400),
        agent=clean(who(ticket.agent), 200),
        began_at_ns=began_ns,
        began_at=instant(began_ns),
        sections=sections,
        body=tuple(line for section in sections for line in section.text_lines),
        findings=(PageFinding(subject_of(ticket), KIND, title, began_ns),),
        kinds=(KIND,),
        agents=(clean(who(ticket.agent), 200),),
        entities=tuple(clean(one, 200) for one in ticket.targets),
        links=addresses,
        actions=actions_of(ticket, receiver, links) if is_open else (),
        closed_at_ns=None if is_open else ticket.answered_at_ns,
        link=addresses[0].url if addresses else None,
    )


def title_of(ticket: Ticket, similar: Sequence[Ticket]) -> str:
    """The request in one line."""
    targets = f" on {', '.join(ticket.targets)}" if ticket.targets else ""
    more = f", and {counted(len(similar), 'request')} like it" if similar else ""
    asks = f"{who(ticket.agent)} asks for {ticket.tool}{targets}{more}"
    if ticket.state is TicketState.ASKED:
        return f"Approval {ticket.number}: {asks}"
    return f"Approval {ticket.number} is {ticket.state}: {asks}"


def sections_of(ticket: Ticket, similar: Sequence[Ticket]) -> tuple[Section, ...]:
    """What the person should know, the most important first."""
    found = [Section("What it would do", tuple(effect_lines(ticket)))]
    if ticket.explanation:
        found.append(Section("What the agent says", (clean(ticket.explanation),)))
    if ticket.dry_run:
        found.append(Section("Dry run", tuple(dry_run_lines(ticket))))
    if ticket.examined:
        examined = tuple(map(clean, ticket.examined[:LINES_MAX]))
        found.append(Section("What it assumes", examined))
    if ticket.reasons:
        found.append(Section("Why it asks", tuple(map(clean, ticket.reasons[:LINES_MAX]))))
    if ticket.known:
        known = tuple(map(clean, ticket.known[:LINES_MAX]))
        found.append(Section("Known of its targets", known))
    if similar:
        numbers = ", ".join(str(one.number) for one in similar[:LINES_MAX])
        found.append(Section("Requests like it", (numbers,)))
    found.append(Section("What to do", tuple(advice(ticket))))
    return tuple(found)


def effect_lines(ticket: Ticket) -> list[str]:
    """The call itself, as far as it may be shown."""
    targets = clean(", ".join(ticket.targets)) or "an unknown target"
    lines = [f"{clean(ticket.tool)} ({ticket.tier}) on {targets}"]
    arguments = list((ticket.arguments or {}).items())
    for name, value in arguments[:ARGUMENTS_MAX]:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{clean(name, 60)} = {clean(text, VALUE_CHARS_MAX)}")
    if (left := len(arguments) - ARGUMENTS_MAX) > 0:
        lines.append(f"… and {counted(left, 'argument')} more")
    return lines


def dry_run_lines(ticket: Ticket) -> list[str]:
    """What the call would do, as its dry run printed it: the first lines."""
    lines = [clean(line, VALUE_CHARS_MAX) for line in ticket.dry_run.splitlines()]
    shown = lines[:DRY_RUN_LINES_MAX]
    left = len(lines) - len(shown)
    return [*shown, f"… and {counted(left, 'line')} more"] if left else shown


def advice(ticket: Ticket) -> list[str]:
    """What a person can do, or what one has done."""
    if ticket.state is TicketState.ASKED:
        until = zoned_clock(ticket.expires_at_ns)
        return [
            f"aftershock approvals approve {ticket.number} --because …, or deny, until {until}",
            "An approval covers this one call.",
        ]
    if ticket.by is None:
        return [f"Nothing: it is {ticket.state}."]
    because = f": {clean(ticket.because)}" if ticket.because else ""
    return [f"Nothing: answered by {clean(ticket.by)}{because}"]


def addresses_of(ticket: Ticket, receiver: str, links: AnswerLinks) -> tuple[PageLink, ...]:
    """The page of the request, and a link for each answer, which works once."""
    if links.base is None:
        return ()
    found = [PageLink("Request", f"{links.base}/approvals/{ticket.number}")]
    if links.signer is not None and receiver not in links.buttons:
        expires_s = ticket.expires_at_ns // 1_000_000_000
        found += [
            PageLink(
                label,
                links.signer.answer_url(links.base, action, ticket.number, expires_s, receiver),
            )
            for action, label in LABELS.items()
        ]
    return tuple(found)


def actions_of(ticket: Ticket, receiver: str, links: AnswerLinks) -> tuple[PageAction, ...]:
    """Buttons, for a receiver that posts what was pressed, and signs it."""
    if receiver not in links.buttons:
        return ()
    return tuple(PageAction(label, action, str(ticket.number)) for action, label in LABELS.items())
