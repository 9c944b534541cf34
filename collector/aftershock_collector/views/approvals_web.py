"""The view of requests for approval, and the forms by which a person answers one.

Who answered is what was verified: the name of a token or a certificate, or the receiver that a
one-time link was sent to. A name that a form gives stands beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aftershock.gate.canary import Canary
from aftershock_collector.access.form_tokens import FIELD, FormTokens
from aftershock_collector.access.middleware import SENDER
from aftershock_collector.access.people import name_of_person
from aftershock_collector.notify.signed_links import AnswerAction
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.store.tickets import (
    AnsweredAlready,
    DeniedMeanwhile,
    SqliteTickets,
    Ticket,
    TicketState,
)
from aftershock_collector.views.html import approval_document, runbook_document
from aftershock_collector.views.html.approval_document import Answering
from aftershock_collector.views.incident_web import (
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    FormError,
    form_of,
    is_known,
    sender_of,
    unknown_form,
)
from aftershock_collector.views.web_answers import answer
from aftershock_collector.wording import clean

SIGNED_KEYS = ("expires", "to", "signature")

# (action, request, last second, receiver, signature, now in s) → whether a link may act
Accepts = Callable[[AnswerAction, int, int, str, str, int], bool]


@dataclass(frozen=True, slots=True)
class ApprovalViews:
    """`/approvals` and its forms. `accepts` verifies the one-time links that receivers got."""

    tickets: SqliteTickets
    accepts: Accepts
    canaries: Callable[[int], Sequence[Canary]] = lambda _now_ns: ()  # of the last day
    forms: FormTokens = field(default_factory=FormTokens)

    def routes(self) -> list[Route]:
        """GET shows, POST acts."""
        return [
            Route("/approvals", self.listed),
            Route("/approvals/{number:row}", self.shown),
            Route("/approvals/{number:row}/{action}", self.answered, methods=["GET", "POST"]),
        ]

    async def listed(self, _request: Request) -> Response:
        """The newest requests, the bypasses in force, and the newest canaries."""
        now_ns = time.time_ns()

        def render() -> str:
            newest = self.tickets.newest(open_only=False, now_ns=now_ns)
            waiting = self.tickets.newest(open_only=True, now_ns=now_ns)
            known = {ticket.number: ticket for ticket in (*newest, *waiting)}
            found = sorted(known.values(), key=lambda one: one.number, reverse=True)
            seen = [ticket.seen_at(now_ns) for ticket in found]
            bypasses, canaries = self.tickets.bypasses(now_ns), self.canaries(now_ns)
            return approval_document.list_document(seen, bypasses, canaries, now_ns)

        return answer(await asyncio.to_thread(render))

    async def shown(self, request: Request) -> Response:
        """One request."""
        return await self._document(request, Answering())

    async def answered(self, request: Request) -> Response:
        """One form, where a link in a page leads; its POST acts. Looking at it changes nothing."""
        name = request.path_params["action"]
        if name not in set(AnswerAction):
            return not_found(request)
        action = AnswerAction(name)
        if "signature" in request.query_params and not self._is_signed(request, action):
            return refused()
        form = Answering(action, signature_of(request))
        if request.method != "POST":
            return await self._document(request, form)
        try:
            fields = await form_of(request)
            if not self._is_ours(request, action, fields):
                return unknown_form()
            done = await self._kept(request, action, fields)
        except DeniedMeanwhile as error:
            problem = f"{error} Read it again before you answer."
            return await self._document(request, Answering(action, form.signature, problem), 409)
        except (FormError, AnsweredAlready) as error:
            return await self._document(request, Answering(action, problem=str(error)), 400)
        except (StoreUnavailable, StoreRefused) as error:
            problem = f"Not kept: {error}"
            return await self._document(request, Answering(action, form.signature, problem), 503)
        return await self._document(request, Answering(done=done))

    async def _kept(self, request: Request, action: AnswerAction, form: Mapping[str, str]) -> str:
        """Keep an answer; returns what it did. Raises FormError or AnsweredAlready."""
        number: int = request.path_params["number"]
        because = clean(form.get("because", ""), REASON_CHARS_MAX)
        by = author(form, request)
        once = request.query_params.get("signature", "")

        def keep() -> str:
            now_ns = time.time_ns()
            numbers = [number]
            if form.get("similar") and not once:
                shown = set(form["similar"].split(","))
                known = self.tickets.tickets(numbers)
                similar = self.tickets.similar(known[0], now_ns) if known else []
                numbers += [one.number for one in similar if str(one.number) in shown]
            for one in numbers:
                kept, ticket = self.tickets.answer(
                    one,
                    approve=action is AnswerAction.APPROVE,
                    by=by,
                    because=because,
                    now_ns=now_ns,
                    once=once,
                    saw_denial=form.get("seen") == TicketState.DENIED,
                )
                if not kept:
                    state = "unknown" if ticket is None else ticket.state
                    raise FormError(f"Request {one} is {state}: there is nothing to answer.")
            listed = ", ".join(map(str, numbers))
            return f"Request {listed}: {action}, by {by}."

        return await asyncio.to_thread(keep)

    def _is_ours(self, request: Request, action: AnswerAction, form: Mapping[str, str]) -> bool:
        """True where no page of another site can have made a browser send this."""
        if "signature" in request.query_params:
            return True  # it has been verified
        if "authorization" in request.headers and is_known(request):
            return True
        path = path_of(request.path_params["number"], action)
        return self.forms.accepts(form.get(FIELD, ""), sender_of(request), path, int(time.time()))

    def _is_signed(self, request: Request, action: AnswerAction) -> bool:
        query = request.query_params
        expires = query.get("expires", "")
        return expires.isdecimal() and self.accepts(
            action,
            request.path_params["number"],
            int(expires),
            query.get("to", ""),
            query["signature"],
            int(time.time()),
        )

    async def _document(self, request: Request, form: Answering, status: int = 200) -> Response:
        now_ns = time.time_ns()
        if not form.signature:
            number, shown = request.path_params["number"], sender_of(request)
            form = replace(
                form,
                person=name_of_person(shown),
                tokens={
                    action: self.forms.make(shown, path_of(number, action), now_ns // 10**9)
                    for action in AnswerAction
                },
            )

        def render() -> str | None:
            found = self.tickets.tickets([request.path_params["number"]])
            if not found:
                return None
            ticket: Ticket = found[0].seen_at(now_ns)
            similar = self.tickets.similar(ticket, now_ns)
            return approval_document.document(ticket, similar, now_ns, form)

        document = await asyncio.to_thread(render)
        return not_found(request) if document is None else answer(document, status)


def path_of(number: int, action: AnswerAction) -> str:
    """Where the form of an action leads."""
    return f"/approvals/{number}/{action}"


def author(form: Mapping[str, str], request: Request) -> str:
    """Who answers: what a form says is a claim; what was verified stands beside it."""
    sender: str = request.scope["state"].get(SENDER, "")
    if person := name_of_person(sender):
        return person
    verified = sender or f"one-time link to {request.query_params['to']}"
    claimed = clean(form.get("by", ""), NAME_CHARS_MAX)
    if not claimed:
        raise FormError("Say who you are.")
    return claimed if claimed == verified else f"{claimed} ({verified})"


def signature_of(request: Request) -> str:
    """The part of the query that lets a form act, as it came."""
    query = request.query_params
    if "signature" not in query:
        return ""
    return urlencode({key: query[key] for key in SIGNED_KEYS if key in query})


def not_found(request: Request) -> Response:
    """There is no such request, or no such form."""
    text = f"There is no request {request.path_params['number']}."
    return answer(runbook_document.message("No such request", text), 404)


def refused() -> Response:
    """A link that was changed, or whose request has expired."""
    text = "This link was changed, or it is too old. Open the request and answer there."
    return answer(runbook_document.message("This link does not work", text), 403)
