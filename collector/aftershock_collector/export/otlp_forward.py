"""What was accepted goes on to the next collector, byte for byte.

The next collector being slow or away must not hurt this one: bodies wait in a bounded queue, are
retried with back-off, and are dropped with a counted reason when there is no room or no hope.

A body goes on once: where collectors pass on to each other in a circle, it has come back when it
arrives again. Whoever sends the same body twice has repeated a request whose answer was lost.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import NamedTuple

import httpx

from aftershock_collector.config.model import Config
from aftershock_collector.reading.decoder import OTLP
from aftershock_collector.sources.requests import Accepted, Answer, Signal, Submit
from aftershock_collector.telemetry import Telemetry

SENDERS = 4  # at once: enough for 40 ms of distance at 100 requests a second
ATTEMPT_S = 10.0  # what OTLP exporters use
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 30.0
RETRY_FOR_S = 300.0  # as the OpenTelemetry Collector: five minutes, then it is dropped
CLOSE_S = 2.0  # what waits gets this long when we stop
KNOWN_MAX = 10_000  # bodies that went on: a circle takes seconds, and this is minutes
RETRYABLE = frozenset({408, 429, 502, 503, 504})


class _Parcel(NamedTuple):
    signal: Signal
    body: bytes
    content_type: str


class Forwarder:
    """Passes on what `forwarding` accepts. Lives in one event loop."""

    def __init__(self, url: str, telemetry: Telemetry, config: Config) -> None:
        self._url = url.rstrip("/")
        self._telemetry = telemetry
        self._bytes_max = config.forward_queue_bytes_max
        self._waiting: deque[_Parcel] = deque()
        self._known: OrderedDict[bytes, None] = OrderedDict()  # digests of what went on
        self._bytes = 0  # waiting and being sent
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def forwarding(self, submit: Submit) -> Submit:
        """The same as `submit`, but accepted bodies are also forwarded."""

        async def submit_and_forward(
            signal: Signal, body: bytes, content_type: str, sender: str
        ) -> Answer:
            answer = await submit(signal, body, content_type, sender)
            if isinstance(answer, Accepted) and signal in OTLP:
                self.put(signal, body, content_type)
            return answer

        return submit_and_forward

    def put(self, signal: Signal, body: bytes, content_type: str) -> None:
        """Queue a body, unless it went on before, or drop it and count that."""
        digest = blake2b(body, digest_size=16, person=signal.value.encode()).digest()
        if digest in self._known:
            self._count(signal, "repeated")
            return
        if self._bytes + len(body) > self._bytes_max:
            self._drop(signal, "forward_queue_full")
            return
        self._known[digest] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        self._waiting.append(_Parcel(signal, body, content_type))
        self._bytes += len(body)
        self._telemetry.forward_bytes.set(self._bytes)
        self._idle.clear()
        self._more.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Send while inside; what still waits at the end gets CLOSE_S and is then counted."""
        limits = httpx.Limits(max_connections=SENDERS)
        async with httpx.AsyncClient(timeout=ATTEMPT_S, limits=limits) as client:
            senders = [asyncio.create_task(self._send_all(client)) for _ in range(SENDERS)]
            try:
                yield
            finally:
                with suppress(TimeoutError):  # what is left is counted below
                    await asyncio.wait_for(self._idle.wait(), CLOSE_S)
                for sender in senders:
                    sender.cancel()
                await asyncio.gather(*senders, return_exceptions=True)
                while self._waiting:
                    self._drop(self._waiting.popleft().signal, "forward_stopped")

    async def _send_all(self, client: httpx.AsyncClient) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            parcel = self._waiting.popleft()
            try:
                await self._send(client, parcel)
            except asyncio.CancelledError:
                self._drop(parcel.signal, "forward_stopped")
                raise
            except Exception as error:  # noqa: BLE001  our bug must not end the passing on
                self._telemetry.failed("forward", error)
                self._drop(parcel.signal, "forward_failed")
            finally:
                self._bytes -= len(parcel.body)
                self._telemetry.forward_bytes.set(self._bytes)
                if not self._bytes:
                    self._idle.set()

    async def _send(self, client: httpx.AsyncClient, parcel: _Parcel) -> None:
        """Send until it is accepted, refused for good, or tried for too long."""
        clock = asyncio.get_running_loop().time
        until_s, pause_s = clock() + RETRY_FOR_S, RETRY_FIRST_S
        while True:
            wait_s = pause_s * random.uniform(0.8, 1.2)  # so that collectors do not come together
            try:
                response = await client.post(
                    f"{self._url}/v1/{parcel.signal}",
                    content=parcel.body,
                    headers={"content-type": parcel.content_type},
                )
            except httpx.TransportError:
                self._count(parcel.signal, "unreachable")
            else:
                if response.is_success:
                    self._count(parcel.signal, "taken")
                    return
                if response.status_code not in RETRYABLE:
                    self._count(parcel.signal, "refused")
                    self._drop(parcel.signal, "forward_refused")
                    return
                self._count(parcel.signal, "busy")
                wait_s = max(wait_s, _asked_for(response))
            if clock() + wait_s > until_s:
                self._drop(parcel.signal, "forward_expired")
                return
            await asyncio.sleep(wait_s)
            pause_s = min(pause_s * 2, RETRY_LAST_S)

    def _count(self, signal: Signal, outcome: str) -> None:
        self._telemetry.forwarded.labels(signal, outcome).inc()

    def _drop(self, signal: Signal, reason: str) -> None:
        self._count(signal, "dropped")
        self._telemetry.drop({reason: 1})


def _asked_for(response: httpx.Response) -> float:
    """Retry-After in seconds; 0 where it is absent, or a date (nobody sends dates here)."""
    header = response.headers.get("retry-after", "")
    return min(float(header), RETRY_FOR_S) if header.isdigit() else 0.0
