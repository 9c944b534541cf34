"""Requests for approval as HTML documents: the list, and one with what a person must know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aftershock.gate.canary import Canary, CanaryState, names_of
from aftershock_collector.notify.approval_page import DRY_RUN_LINES_MAX, LABELS, sections_of
from aftershock_collector.notify.signed_links import AnswerAction
from aftershock_collector.store.bypasses import Bypass
from aftershock_collector.store.tickets import Ticket, TicketState
from aftershock_collector.views.html import templates
from aftershock_collector.wording import clean, counted, lasted, who, zone_name, zoned_time

ARGUMENT_CHARS_MAX = 4_000
SIMILAR_CHARS_MAX = 1_000
CANARIES_MAX = 50  # in the list
OPEN = frozenset({TicketState.ASKED, TicketState.APPROVED, TicketState.DENIED})


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One request of the list."""

    href: str
    number: int
    tone: str
    sentence: str
    life: str
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Answering:
    """What a person came to do on the document, and what came of it."""

    only: AnswerAction | None = None  # show this form alone, as a link in a page leads to it
    signature: str = ""  # query that lets it act without a login; empty where none is needed
    problem: str = ""
    done: str = ""
    tokens: Mapping[AnswerAction, str] = field(default_factory=dict[AnswerAction, str])
    person: str = ""  # who signed in; empty: the form asks who it is


def list_document(
    tickets: Sequence[Ticket], bypasses: Sequence[Bypass], canaries: Sequence[Canary], now_ns: int
) -> str:
    """What waits, above what needs no answer any more."""
    waiting = sum(one.state is TicketState.ASKED for one in tickets)
    return templates.render(
        "approvals.html",
        served=True,
        zone=zone_name(now_ns),
        headline=f"{counted(waiting, 'request')} for approval" if waiting else "No agent waits",
        approvals=[row_of(one, now_ns) for one in tickets],
        bypasses=[bypass_words(one) for one in bypasses],
        canaries=[canary_words(one, now_ns) for one in canaries[:CANARIES_MAX]],
    )


def row_of(ticket: Ticket, now_ns: int) -> ApprovalRow:
    """One request."""
    targets = f" on {', '.join(ticket.targets)}" if ticket.targets else ""
    answered = f" by {clean(ticket.by, 80)}" if ticket.by else ""
    asked = f"asked {zoned_time(ticket.asked_at_ns)}"
    left_ns = ticket.expires_at_ns - now_ns
    left = f" · {lasted(left_ns)} left" if ticket.state is TicketState.ASKED else ""
    return ApprovalRow(
        href=f"/approvals/{ticket.number}",
        number=ticket.number,
        tone="alarm" if ticket.state is TicketState.ASKED else "",
        sentence=clean(f"{who(ticket.agent)}: {ticket.tool}{targets}", 300),
        life=f"{ticket.state}{answered} · {ticket.tier} · {asked}{left}",
    )


def with_arguments(ticket: Ticket, now_ns: int) -> ApprovalRow:
    """A request that may be answered together with another one: with what it would do."""
    named = [f"{name} = {text_of(value)}" for name, value in (ticket.arguments or {}).items()]
    return replace(row_of(ticket, now_ns), arguments=clean(" · ".join(named), SIMILAR_CHARS_MAX))


def document(ticket: Ticket, similar: Sequence[Ticket], now_ns: int, form: Answering) -> str:
    """One request."""
    actions = [form.only] if form.only else list(AnswerAction)
    return templates.render(
        "approval.html",
        served=True,
        zone=zone_name(now_ns),
        approval=row_of(ticket, now_ns),
        state=str(ticket.state),
        headline=clean(f"{who(ticket.agent)} asks for {ticket.tool}", 200),
        tier=ticket.tier,
        run=ticket.run,
        sections=sections_of(ticket, similar),
        arguments=[
            (clean(name, 60), clean(text_of(value), ARGUMENT_CHARS_MAX))
            for name, value in (ticket.arguments or {}).items()
        ],
        dry_run=ticket.dry_run if len(ticket.dry_run.splitlines()) > DRY_RUN_LINES_MAX else "",
        similar=[with_arguments(one, now_ns) for one in similar],
        actions=[(one.value, LABELS[one]) for one in actions if ticket.state in OPEN],
        signature=form.signature,
        form_tokens={action.value: token for action, token in form.tokens.items()},
        problem=form.problem,
        done=form.done,
        person=form.person,
    )


def text_of(value: object) -> str:
    """An argument as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def bypass_words(bypass: Bypass) -> str:
    """A bypass in one line."""
    because = f": {clean(bypass.because)}" if bypass.because else ""
    return (
        f"Bypass {bypass.number}: {clean(bypass.by, 80)} approves {clean(bypass.tool, 80)} of "
        f"{clean(bypass.agent, 80)} until {zoned_time(bypass.until_ns)}{because}"
    )


def canary_words(canary: Canary, now_ns: int) -> str:
    """A step of a rollout in one line."""
    seen, call = canary.seen_at(now_ns), canary.call
    amount = ""
    if call.argument is not None and call.amount is not None:
        before = "?" if seen.before is None else f"{seen.before:g}"
        amount = f" {call.argument} {before} → {call.amount:g}"
    where = f" in {call.environment}" if call.environment not in {"", "*"} else ""
    left_ns = seen.ends_ns(now_ns) - now_ns
    more = {
        CanaryState.OBSERVED: f" for another {lasted(left_ns)}",
        CanaryState.STOPPED: f": {seen.damage}",
        CanaryState.RELEASED: f" by {seen.by}: {seen.because}",
    }.get(seen.state, "")
    text = (
        f"Canary {seen.number}: {call.tool} of {who(seen.agent)} on {names_of(seen)}{where}"
        f"{amount}, {zoned_time(seen.begun_at_ns)}: {seen.state}{more}"
    )
    return clean(text, 500)
