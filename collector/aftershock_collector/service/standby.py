"""The time before the store can be opened: the servers answer "busy" and say why.

A collector that ended on a full disk would be restarted into the same full disk for ever. So it
starts, is degraded, refuses what is sent so that senders keep it, and goes on when there is room.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from aftershock_collector.config.model import Config
from aftershock_collector.reading.decoder import Signal
from aftershock_collector.sources import otlp_grpc, otlp_http
from aftershock_collector.sources.requests import Answer, Busy
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry

RETRY_S = 1.0
# These get better by themselves or by an operator's hand; a damaged file does not.
TEMPORARY = frozenset({"full", "input_output", "locked", "read_only", "cannot_open"})


async def open_store(config: Config, telemetry: Telemetry) -> SqliteStore:
    """The store, as soon as it can be opened; until then the servers stand by.

    Raises StoreUnavailable and StoreRefused for what no time mends.
    """
    try:
        return SqliteStore.open(config.store)
    except StoreUnavailable as error:
        if error.reason not in TEMPORARY:
            raise
        return await _stand_by(config, telemetry, error)


async def _stand_by(config: Config, telemetry: Telemetry, error: StoreUnavailable) -> SqliteStore:
    reasons = [f"the store cannot be opened: {error.reason}"]

    async def refuse(_signal: Signal, _body: bytes, _content_type: str, _sender: str) -> Answer:
        return Busy(config.retry_after_s, reasons[0])

    async with AsyncExitStack() as stack:
        app = otlp_http.otlp_app(refuse, telemetry, config, lambda: reasons)
        await stack.enter_async_context(otlp_http.listening(app, config.http, telemetry, config))
        await stack.enter_async_context(otlp_grpc.listening(refuse, telemetry, config, config.grpc))
        while True:
            telemetry.store_unavailable(error.reason, str(error))
            await asyncio.sleep(RETRY_S)
            try:
                return SqliteStore.open(config.store)
            except StoreUnavailable as again:
                error = again
                reasons[:] = [f"the store cannot be opened: {error.reason}"]
