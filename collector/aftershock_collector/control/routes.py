"""The routes that agents' processes and operators use: polls, preflight, tickets, orders."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeGuard, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aftershock.gate.canary import next_step
from aftershock.gate.orders import Order, Verb
from aftershock.guard.protocol import (
    HOOK_PATH,
    HOOK_TEXT_PATH,
    ORDERS_PATH,
    POLL_PATH,
    PREFLIGHT_PATH,
    SPEND_PATH,
    SPENDING_PATH,
    TICKETS_PATH,
    order_json,
    reason_json,
)
from aftershock.guard.safeguard_protocol import CANARY_PATH
from aftershock_collector.access.middleware import SENDER
from aftershock_collector.control.board import Board, Process, ticket_json
from aftershock_collector.control.bodies import BODY_BYTES_MAX, Bad, read_body
from aftershock_collector.control.day_counts import wanted_in as counts_wanted_in
from aftershock_collector.control.hooks import TRY_FIRST, Hooks
from aftershock_collector.control.preflight import Preflight
from aftershock_collector.control.safeguarding import Safeguarding, Wanted, wanted_in
from aftershock_collector.store.interface import StoreRefused
from aftershock_collector.store.tickets import Ticket

TEXT_CHARS_MAX = 2_000
DRY_RUN_CHARS_MAX = 8_000  # what a guard sends of one, and room for its redaction
WAIT_S, WAIT_MAX_S = 2.0, 30.0  # for acknowledgements
VALID_S, VALID_MAX_S = 3_600.0, 86_400.0  # of a ticket: never longer than a day
REASONS_MAX = 20
TARGETS_MAX = 50
WAITING_MAX = 500  # requests that one process waits for
ROW_LAST = 2**63 - 1  # of SQLite

Handler = Callable[[Mapping[str, Any], str], Coroutine[Any, Any, Mapping[str, Any]]]


def routes(
    board: Board, preflight: Preflight, safeguarding: Safeguarding, hooks: Hooks
) -> list[Route]:
    """Every route of this room."""
    control = Control(board, preflight, safeguarding)
    posted: Mapping[str, Handler] = {
        POLL_PATH: control.poll,
        PREFLIGHT_PATH: control.preflight,
        TICKETS_PATH: control.ask,
        SPEND_PATH: control.spend,
        SPENDING_PATH: control.spending,
        CANARY_PATH: control.begin_canary,
        HOOK_PATH: hooks.respond,
    }
    order = endpoint(control.order)

    async def orders(request: Request) -> Response:
        return await (order if request.method == "POST" else control.status)(request)

    return [
        *(Route(path, endpoint(handler), methods=["POST"]) for path, handler in posted.items()),
        Route(ORDERS_PATH, orders, methods=["GET", "POST"]),  # one, so that 405 names both
        Route(HOOK_TEXT_PATH, text_hook(hooks), methods=["POST"]),
    ]


def text_hook(hooks: Hooks) -> Callable[[Request], Awaitable[Response]]:
    """The hook for a client that cannot write or read JSON: it prints what it is answered."""

    async def respond(request: Request) -> Response:
        try:
            query = request.query_params
            body = {
                "agent": query.get("agent", ""),
                "ask": query.get("ask", ""),
                "tries": query.get("tries") == "1",
                "event": await body_of(request),
            }
            answered = hooks.respond(body, request.scope["state"][SENDER])
            answer = await unless_gone(request, answered)
        except (Bad, StoreRefused) as error:
            return JSONResponse({"code": 400, "message": str(error)}, 400)
        if TRY_FIRST in answer:  # what a shell cannot: `aftershock gate` does it, and asks again
            return PlainTextResponse("", 428)
        return PlainTextResponse(str(answer.get("stdout") or ""))

    return respond


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler of JSON as a route."""

    async def respond(request: Request) -> Response:
        try:
            body = await body_of(request)
            answer = await unless_gone(request, handler(body, request.scope["state"][SENDER]))
        except (Bad, StoreRefused) as error:
            return JSONResponse({"code": 400, "message": str(error)}, 400)
        return JSONResponse(answer)

    return respond


async def unless_gone(
    request: Request, handled: Coroutine[Any, Any, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """What a handler answers; it is cancelled once whoever asked has gone."""
    answering = asyncio.ensure_future(handled)
    leaving = asyncio.ensure_future(gone(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await answering if answering.done() else {}
    finally:
        for task in (answering, leaving):
            task.cancel()


async def gone(request: Request) -> None:
    """Returns once the other side has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request. Raises Bad."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES_MAX:
            raise Bad(f"the body is larger than {BODY_BYTES_MAX} bytes")
    return read_body(data)


class Control:
    """The handlers. Each gets a body and the name of who sent it."""

    def __init__(self, board: Board, preflight: Preflight, safeguarding: Safeguarding) -> None:
        self._board = board
        self._preflight = preflight
        self._safeguarding = safeguarding

    async def poll(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """Hold a process's poll until something changed for it."""
        process, revision = mapping_in(body, "process"), body.get("revision")
        waiting = [one for one in list_in(body, "waiting")[:WAITING_MAX] if is_row(one)]
        if not process.get("id"):
            raise Bad("process.id is missing")
        known = revision if isinstance(revision, int) else None
        spending = mapping_in(body, "spending")
        return await self._board.poll(process, known, waiting, sender, spending)

    async def spending(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """What agents, users or everybody used up today; the asker's polls follow it from now."""
        if "of" not in body:
            raise Bad("of is missing: a list of {scope, name}")
        self._board.follow_more(text_in(body, "process"), sender)
        return self._board.counts.answer(counts_wanted_in(body), time.time_ns())

    async def preflight(self, body: Mapping[str, Any], _sender: str) -> Mapping[str, Any]:
        """What is decided about an action, and what its agent should know."""
        action, run = mapping_in(body, "action"), mapping_in(body, "run")
        tool = text_in(action, "tool")
        if not tool:
            raise Bad("action.tool is missing")
        targets = tuple(str(one)[:TEXT_CHARS_MAX] for one in list_in(body, "targets"))
        arguments, now_ns = mapping_in(action, "arguments"), time.time_ns()
        answer = self._preflight.check(
            tool,
            text_in(action, "tier"),
            arguments,
            targets[:TARGETS_MAX],
            text_in(run, "id"),
            text_in(run, "agent") or None,
            self._board.orders,
            now_ns,
        )
        wanted = wanted_by(body) or self._safeguarding.wanted_by_policy(
            tool, arguments, tuple(answer["targets"])
        )
        reasons, examined = await self._safeguarding.reasons(tool, wanted, now_ns)
        answer["examined"] = [one.text for one in examined]
        return self._preflight.with_reasons(answer, reasons) if reasons else answer

    async def begin_canary(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """Begin the step of a rollout that a call is, where it is the next one."""
        run, nonce, wanted = mapping_in(body, "run"), text_in(body, "nonce"), wanted_by(body)
        if wanted is None or wanted.canary is None or not nonce:
            raise Bad("canary and nonce are needed")
        begun, reasons = await self._safeguarding.begin(
            wanted, text_in(run, "id"), text_in(run, "agent") or None, nonce, sender
        )
        if begun is None:
            return {"reasons": [reason_json(reason) for reason in reasons]}
        return {"canary": {"number": begun.number, "notice": next_step(begun)}}

    async def ask(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """The ticket for one action: a new one, or the one that is there already."""
        action, run = mapping_in(body, "action"), mapping_in(body, "run")
        digest, tool = text_in(body, "digest"), text_in(action, "tool")
        if not digest or not tool:
            raise Bad("digest and action.tool are needed")
        now_ns = time.time_ns()
        arguments: Any = body.get("arguments")
        reasons = [
            text_in(cast("dict[str, Any]", one), "text")
            for one in list_in(body, "reasons")[:REASONS_MAX]
            if isinstance(one, dict)
        ]
        valid_s = min(max(number_in(body, "valid_s", VALID_S), 1.0), VALID_MAX_S)
        wanted = Ticket(
            digest=digest,
            tool=tool,
            tier=text_in(action, "tier"),
            run=text_in(run, "id"),
            asked_at_ns=now_ns,
            expires_at_ns=now_ns + int(valid_s * 1e9),
            agent=text_in(run, "agent") or None,
            targets=tuple(str(one) for one in list_in(body, "targets")[:TARGETS_MAX]),
            arguments=cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else None,
            reasons=tuple(filter(None, reasons)),
            process=text_in(body, "process") or None,
            sender=sender,
            explanation=text_in(body, "explanation"),
            dry_run=text_in(body, "dry_run", DRY_RUN_CHARS_MAX),
            examined=tuple(
                str(one)[:TEXT_CHARS_MAX] for one in list_in(body, "examined")[:REASONS_MAX]
            ),
        )
        facts = self._preflight.knowledge.about(wanted.targets, wanted.run, now_ns)
        wanted = replace(wanted, known=tuple(str(fact["text"]) for fact in facts))
        ticket = await asyncio.to_thread(self._board.store.ask, wanted)
        return {"ticket": ticket_json(ticket, now_ns)}

    async def spend(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """Use an approval for the one call that begins now."""
        number, nonce = body.get("number"), text_in(body, "nonce")
        if not is_row(number) or not nonce:
            raise Bad("number and nonce are needed")
        now_ns = time.time_ns()
        spent, ticket = await asyncio.to_thread(
            self._board.store.spend,
            number,
            text_in(body, "digest"),
            nonce,
            text_in(body, "run"),
            now_ns,
            sender,
        )
        if ticket is None:
            raise Bad("no ticket of this number and sender covers this action")
        return {"spent": spent, "ticket": ticket_json(ticket, now_ns)}

    async def order(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """Keep an order, push it, and wait until every connected process has applied it."""
        wanted = order_in(body, sender)
        wait_s = min(number_in(body, "wait_s", WAIT_S), WAIT_MAX_S)
        began_s = time.monotonic()
        order = await self._board.order(wanted)
        obeyed, missing = await self._board.acknowledged(self._board.revision, wait_s)
        return {
            "order": order_json(order),
            "acknowledged": list(map(process_json, obeyed)),
            "missing": list(map(process_json, missing)),
            "seconds": time.monotonic() - began_s,
        }

    async def status(self, _request: Request) -> Response:
        """Orders in force, and the processes that are connected."""
        board = self._board
        return JSONResponse(
            {
                "orders": list(map(order_json, board.orders)),
                "processes": list(map(process_json, board.processes)),
            }
        )


def wanted_by(body: Mapping[str, Any]) -> Wanted | None:
    """What a guard wants of its call; None where it does not say. Raises Bad."""
    try:
        return wanted_in(body)
    except ValueError as error:
        raise Bad(str(error)) from error


def order_in(body: Mapping[str, Any], sender: str) -> Order:
    """The order that a request gives. Raises Bad."""
    run, agent = text_in(body, "run") or None, text_in(body, "agent") or None
    everything = body.get("all") is True
    if (run is not None) + (agent is not None) + everything != 1:
        raise Bad("name one of run, agent and all: true")
    by, because = text_in(body, "by"), text_in(body, "because")
    if not by or not because:
        raise Bad("by and because are needed: who orders it, and why")
    try:
        verb = Verb(text_in(body, "verb"))
    except ValueError:
        raise Bad(f"verb is one of {', '.join(Verb)}") from None
    # What a body says of its author is a claim; what the gate found out is beside it.
    return Order(0, verb, f"{by} ({sender})", because, time.time_ns(), run, agent)


def process_json(process: Process) -> Mapping[str, Any]:
    """A process, for whoever must find it."""
    return {
        "id": process.id,
        "host": process.host,
        "pid": process.pid,
        "service": process.service,
        "sender": process.sender,
    }


def mapping_in(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A mapping of a body; empty where there is none."""
    value: Any = body.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def list_in(body: Mapping[str, Any], key: str) -> list[Any]:
    """A list of a body; empty where there is none."""
    value: Any = body.get(key)
    return cast("list[Any]", value) if isinstance(value, list) else []


def text_in(body: Mapping[str, Any], key: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """A text of a body, cut; empty where there is none."""
    value: Any = body.get(key)
    return value[:chars_max] if isinstance(value, str) else ""


def is_row(value: object) -> TypeGuard[int]:
    """Whether a value may be the number of a row."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= ROW_LAST


def number_in(body: Mapping[str, Any], key: str, default: float) -> float:
    """A number of a body."""
    value: Any = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        number = float(value)
    except OverflowError:  # JSON's integers have no end
        return default
    return number if math.isfinite(number) else default
