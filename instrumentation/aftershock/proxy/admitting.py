"""Admitting: which calls of a message go on to the server, and which are answered in its place."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aftershock.gate import any_json
from aftershock.proxy.json_rpc import (
    CANCELLED,
    ID_FIRST,
    INVALID_REQUEST,
    Message,
    Unreadable,
    as_object,
    decoded,
    each,
    error_answer,
    held_answer,
    is_call,
    is_response,
    items_of,
    params_of,
    with_meta,
)
from aftershock.recorder.drop_counters import count_drop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftershock.proxy.sessions import Session

# Of one message: a tool's result may hold a file, and memory is bounded all the same.
MESSAGE_BYTES_MAX = 64_000_000
WAITING_MAX = 256  # calls of one session at the gate at once
BAD_ID = "the id of a call is a text or a whole number, and no open call has it"
BUSY = "{tool} was not run.\n- Too many calls wait at the gate. Try again later."


@dataclass(slots=True)
class Passing:
    """What becomes of a message of the client."""

    forward: bytes | None  # to the server; None: nothing of it
    answers: list[Message] = field(default_factory=list[Message])  # to the client
    carried: dict[str, str] = field(default_factory=dict[str, str])  # the trace of its call


async def admit(
    session: Session, message: Any, raw: bytes, headers: Mapping[str, str] | None = None
) -> Passing:
    """Wait until each call of a message, or of a batch, has passed the gate or is held back."""
    given = headers or {}
    if not isinstance(message, list):
        return await _admit_one(session, message, raw.decode(), given)
    pairs = zip(each(message), items_of(raw.decode()), strict=True)
    found = await asyncio.gather(*(_admit_one(session, one, text, given) for one, text in pairs))
    forward = [one.forward for one in found if one.forward is not None]
    return Passing(
        b"[" + b", ".join(forward) + b"]" if forward else None,
        [answer for one in found for answer in one.answers],
        next((one.carried for one in found if one.carried), dict[str, str]()),
    )


async def _admit_one(
    session: Session, message: Any, text: str, headers: Mapping[str, str]
) -> Passing:
    """A call without an id, which nothing answers, is judged all the same: it could run."""
    if not is_call(message):
        return Passing(text.encode())
    if "id" in message and not session.is_free(message["id"]):
        return Passing(None, [error_answer(Unreadable(INVALID_REQUEST, BAD_ID))])
    if len(session.waiting) >= WAITING_MAX:
        count_drop("calls_waiting")
        held, carried = BUSY.format(tool=params_of(message)["name"]), dict[str, str]()
    else:
        task = asyncio.create_task(session.enter(message, headers))
        session.waiting[task] = message.get("id")
        try:
            held, carried = await task
        except asyncio.CancelledError:
            if not task.cancelled():  # it is we who are cancelled
                task.cancel()
                raise
            return Passing(None)  # the client took the call back
        finally:
            del session.waiting[task]
    if held is not None:
        return Passing(None, [held_answer(message, held)] if "id" in message else [])
    return Passing((with_meta(text, carried) if carried else text).encode(), [], carried)


def record_request(session: Session, message: Any) -> None:
    """What a message of the client says of its session, before it passes."""
    for one in each(message):
        session.client.learn_name(one)
        if as_object(one).get("method") == CANCELLED:
            session.cancelled(params_of(one).get("requestId"))


def record_response(session: Session, raw: bytes) -> None:
    """Whatever of the server's message answers a call, as clients read it. Raises nothing."""
    try:
        message = any_json.loads(raw)
    except ValueError:
        return  # the client's to complain about
    for one in each(message):
        if is_response(one):
            session.answered(one)


def record_unread(session: Session, head: bytes) -> None:
    """A message of the server that is too large to be read begins like this."""
    count_drop("message_bytes")
    if (found := ID_FIRST.match(head)) is not None:
        with suppress(Unreadable):  # the id of no call
            session.abandon(decoded(found[1]), "message_too_large")
