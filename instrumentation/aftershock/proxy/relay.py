"""The relay: what becomes of each message between one client and its server.

Messages that call no tool pass at once and as they are. A call that waits at the gate holds up no
other message.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aftershock.proxy.admitting import (
    MESSAGE_BYTES_MAX,
    admit,
    record_request,
    record_response,
)
from aftershock.proxy.json_rpc import (
    INVALID_REQUEST,
    Unreadable,
    as_line,
    each,
    encoded,
    error_answer,
    is_call,
    read,
)
from aftershock.recorder.drop_counters import count_drop, record_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aftershock.proxy.sessions import Session


class Relay:
    """Between one client and one server."""

    def __init__(
        self,
        session: Session,
        to_server: Callable[[bytes], Awaitable[None]],
        to_client: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Both functions send one message whole, in the order in which they are called."""
        self.session = session
        self._to_server = to_server
        self._to_client = to_client
        self._tasks: set[asyncio.Task[None]] = set()

    async def from_client(self, raw: bytes) -> None:
        """One message, or batch, of the client."""
        try:
            message = read(raw)
        except Unreadable as error:
            await self._to_client(encoded(error_answer(error)))
            return
        raw = as_line(raw)
        record_request(self.session, message)
        if not any(map(is_call, each(message))):
            await self._to_server(raw)
            return
        task = asyncio.create_task(self._pass(message, raw))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(0)  # what need not wait keeps its place
        await asyncio.sleep(0)

    async def refuse(self) -> None:
        """A message of the client is too large to be read, so it is not passed on."""
        count_drop("message_bytes")
        error = Unreadable(INVALID_REQUEST, f"larger than {MESSAGE_BYTES_MAX} bytes")
        await self._to_client(encoded(error_answer(error)))

    async def from_server(self, raw: bytes) -> None:
        """One message, or batch, of the server: it passes, and its answers are recorded."""
        record_response(self.session, raw)
        await self._to_client(raw)

    async def settle(self, timeout_s: float) -> None:
        """The client sends no more: what need not wait long still passes."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def close(self) -> None:
        """One of both is gone: whatever waits is called no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.session.close()
        self.session.client.close()

    async def _pass(self, message: Any, raw: bytes) -> None:
        """Send a message on without its calls that were held back; those are answered."""
        try:
            passing = await admit(self.session, message, raw)
            if passing.forward is not None:
                await self._to_server(passing.forward)
            if passing.answers:
                is_batch = isinstance(message, list)
                await self._to_client(encoded(passing.answers if is_batch else passing.answers[0]))
        except Exception:  # noqa: BLE001 (ours, or a side that went away, which ends the relay)
            record_failure("passing a call on")
