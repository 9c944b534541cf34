"""Bodies that arrive: half-sent ones take bounded memory, and no sender's leave the others none.

HTTP counts the bytes of all that are incomplete. gRPC limits how large a message is, and not how
many are half received: each call waits for a place before its message is asked for, and one sender
has at most a third of the places.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from aftershock_collector.config.model import Config
from aftershock_collector.sources.fair_queue import SHARE_OF_FREE
from aftershock_collector.sources.requests import Busy, Refused

PLACES = 6  # bodies at once: 96 MB at worst; one of usual size arrives in milliseconds
PLACES_OF_SENDER = 2
BODY_S = 20.0  # for a whole body to arrive; a slow sender holds its place all that time


class ArrivingBytes:
    """Bytes of bodies that are incomplete, by sender. Belongs to one event loop."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._held: Counter[str] = Counter()

    def add(self, sender: str, size: int) -> None:
        """Some more arrived, or (negative) a body is complete or was refused."""
        self._held[sender] += size
        if not self._held[sender]:
            del self._held[sender]

    def is_full_for(self, sender: str, body: int) -> bool:
        """Whether there is no room left, or this sender has more than its multiple of what is.

        `body`: what has arrived of this one; a sender's only body may use all the room.
        """
        held, free = self._held[sender], self._bytes_max - self._held.total()
        return free < 0 or (held > body and held > SHARE_OF_FREE * free)


class Bodies:
    """The places of one server. Belongs to one event loop."""

    def __init__(self, config: Config) -> None:
        self._wait_s = config.answer_s
        self._busy = Busy(config.retry_after_s, "too many bodies arrive at once", full=True)
        self._held: Counter[str] = Counter()  # by sender
        self._freed = asyncio.Event()  # of the next place

    async def receive(self, sender: str, messages: AsyncIterator[bytes]) -> bytes | Busy | Refused:
        """The one message of a call, once there is a place for it; or why it is not received."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._hold(sender)
        except TimeoutError:
            return self._busy
        try:
            async with asyncio.timeout(BODY_S):
                async for message in messages:
                    return message
        except TimeoutError:
            return Refused(f"the body took more than {BODY_S:.0f} s")
        finally:
            self._release(sender)
        return Refused("a call without a body")

    async def _hold(self, sender: str) -> None:
        while self._held.total() >= PLACES or self._held[sender] >= PLACES_OF_SENDER:
            await self._freed.wait()
        self._held[sender] += 1

    def _release(self, sender: str) -> None:
        self._held[sender] -= 1
        if not self._held[sender]:
            del self._held[sender]
        freed, self._freed = self._freed, asyncio.Event()
        freed.set()
