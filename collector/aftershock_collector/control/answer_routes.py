"""Where Slack and PagerDuty post what a person answered there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.access.middleware import ANSWER_PATHS
from aftershock_collector.control.signed_answers import (
    NotSigned,
    SignedAnswer,
    pagerduty_answers,
    slack_answers,
)
from aftershock_collector.notify.signed_links import AnswerAction
from aftershock_collector.store.tickets import (
    AnsweredAlready,
    DeniedMeanwhile,
    SqliteTickets,
    Ticket,
)
from aftershock_collector.wording import clean

BODY_BYTES_MAX = 1_000_000  # Slack sends the message with it
REASON_CHARS_MAX = 500


def routes(
    tickets: SqliteTickets, secrets: Mapping[str, str], refused: Callable[[str], None]
) -> list[Route]:
    """One route for each service; closed without its secret. `refused` counts, by reason."""

    def route(path: str, service: str) -> Route:
        async def respond(request: Request) -> Response:
            if service not in secrets:
                return message(404, f"collector.webhooks.{service}.secret is not configured")
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    return message(413, "the body is too large")
            try:
                answers = read(service, secrets[service], request.headers, body)
            except NotSigned as error:
                refused("signature")
                return message(401, str(error))
            except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
                return message(400, f"the body cannot be read: {type(error).__name__}")
            outcomes = [await asyncio.to_thread(kept, tickets, one) for one in answers]
            # 200 in any case: the services repeat what was answered with anything else.
            return JSONResponse({"message": "; ".join(outcomes)})

        return Route(path, respond, methods=["POST"])

    return [route(path, name) for path, name in ANSWER_PATHS.items()]


def read(service: str, secret: str, headers: Mapping[str, str], body: bytes) -> list[SignedAnswer]:
    """The answers in a signed body. Raises NotSigned or ValueError."""
    if service == "slack":
        return slack_answers(secret, headers, body, time.time())
    return pagerduty_answers(secret, headers, body)


def kept(tickets: SqliteTickets, answer: SignedAnswer) -> str:
    """Keep one answer; returns what came of it."""
    known = tickets.tickets([answer.ticket])
    if known and is_old(answer, known[0]):
        return f"request {answer.ticket} was answered after this"
    try:
        done, ticket = tickets.answer(
            answer.ticket,
            approve=answer.action is AnswerAction.APPROVE,
            by=clean(answer.by, 200),
            because=clean(answer.because, REASON_CHARS_MAX),
            now_ns=time.time_ns(),
            once=answer.once,
            saw_denial=answer.given_at_ns is not None,  # else a button, shown before it
        )
    except (AnsweredAlready, DeniedMeanwhile) as error:
        return str(error)
    if ticket is None:
        return f"there is no request {answer.ticket}"
    return f"request {ticket.number} is {ticket.state}" + ("" if done else ": nothing to answer")


def is_old(answer: SignedAnswer, ticket: Ticket) -> bool:
    """A delayed delivery must not undo a later answer."""
    if answer.given_at_ns is None:
        return False
    return answer.given_at_ns < (ticket.answered_at_ns or 0)


def message(status: int, text: str) -> Response:
    """A refusal."""
    return JSONResponse({"code": status, "message": text}, status)
