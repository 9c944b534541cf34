"""HTTP connections with limits: how many, and how long each may take for a head or a request.

uvicorn limits neither. Half-open connections would be kept for ever and use up all descriptors.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable

import h11
from uvicorn.config import Config as UvicornConfig
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from aftershock_collector.access.middleware import CERTIFICATE
from aftershock_collector.access.tls import certificate_name

HEAD_S = 10.0  # from a connection, or from a head's first byte, to the whole head
REQUEST_S = 120.0  # from a head to the end of its response, to readers that do not read too
LINGER_S = 5.0  # for the rest of a body after its answer: the sender can then read the answer
# uvicorn logs each bad request, and with a traceback each failure that we have logged already.
QUIET = logging.getLogger("aftershock.http")
QUIET.setLevel(logging.CRITICAL + 1)


class Connections:
    """The open connections of one server, at most `maximum`."""

    def __init__(self, maximum: int, refused: Callable[[str], None]) -> None:
        self._maximum = maximum
        self._refused = refused
        self._open: OrderedDict[Connection, str] = OrderedDict()  # to their peers; oldest first
        self._headless: OrderedDict[Connection, None] = OrderedDict()  # oldest first

    def opened(self, connection: Connection) -> None:
        """Count a connection. Where there is no room, close another one.

        The oldest one without a head; else the oldest of whoever has most. Requests that are held
        may last, and must not keep out the one that stops an agent.
        """
        self._open[connection] = connection.peer
        self._headless[connection] = None
        if len(self._open) > self._maximum:
            self._refused("connections")
            oldest = next(iter(self._headless))
            if oldest is connection:
                oldest = self._oldest_of_most()
            self.closed(oldest)
            oldest.abort()

    def head_complete(self, connection: Connection) -> None:
        """A request began."""
        self._headless.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """A response ended; the connection waits for the next head."""
        if connection in self._open:
            self._headless[connection] = None

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.pop(connection, None)
        self._headless.pop(connection, None)

    def _oldest_of_most(self) -> Connection:
        ((most, _),) = Counter(self._open.values()).most_common(1)
        return next(one for one, peer in self._open.items() if peer == most)

    def timed_out(self) -> None:
        """Count a connection that was closed because it took too long."""
        self._refused("timeout")


class Connection(H11Protocol):
    """One connection."""

    def __init__(
        self,
        table: Connections,
        config: UvicornConfig,
        server_state: ServerState,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(config, server_state, {}, loop)
        self.logger = QUIET
        self._table = table
        self._timer: asyncio.TimerHandle | None = None
        self.peer = ""  # its address
        self._reading_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a head."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        certificate = transport.get_extra_info("peercert")
        if certificate:
            self.app_state = {CERTIFICATE: certificate_name(certificate)}
        self._table.opened(self)
        self._limit(HEAD_S)

    def data_received(self, data: bytes) -> None:
        """Read; a head that has begun must be complete in time."""
        if self._timer is None:
            self._limit(HEAD_S)
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        """Wait for the next head, or for the end of a body that no one reads."""
        super().on_response_complete()  # where requests are pipelined, it starts the next one
        if not self.cycle.response_complete:
            self._limit(REQUEST_S)
        elif self.conn.their_state is h11.SEND_BODY:
            self._limit(LINGER_S)
        elif self.conn.their_state is h11.IDLE:
            self._reading_head = True
            self._table.idle(self)
            if self.transport.get_write_buffer_size():
                self._limit(REQUEST_S)  # closing an idle connection waits for a reader for ever
            elif self.conn.trailing_data[0]:
                self._limit(HEAD_S)
            else:
                self._unlimit()  # uvicorn's own timer for idle connections runs now

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._unlimit()
        self._table.closed(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close at once."""
        self._unlimit()
        self.transport.abort()

    def _follow(self) -> None:
        """The head is complete: from here the whole request has a limit."""
        if self._reading_head and self.conn.their_state is not h11.IDLE:
            self._reading_head = False
            self._table.head_complete(self)
            self._limit(REQUEST_S)

    def _limit(self, seconds: float) -> None:
        self._unlimit()
        self._timer = self.loop.call_later(seconds, self._time_out)

    def _unlimit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._table.timed_out()
        self.abort()
