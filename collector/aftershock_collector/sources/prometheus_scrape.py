"""Scrapes Prometheus endpoints, each at its own interval, into samples."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import httpx

from aftershock_collector.config.model import ScrapeTarget
from aftershock_collector.metrics.exposition import samples_of, up
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.telemetry import Telemetry

TIMEOUT_S = 10.0  # as Prometheus
TIMEOUT_MIN_S = 1.0  # even for a target that is scraped twice a second
BODY_BYTES_MAX = 16_000_000  # a very large exporter returns 5 MB
PROBLEM_CHARS_MAX = 300  # of one failed scrape, in the log
LAG_EVERY_S = 0.1  # how often it is measured how far behind the event loop is
STARVED_SHARE = 0.2  # of a time limit in which the event loop did not run: the limit says nothing
_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5"

Deliver = Callable[[list[Sample]], None]


class LoopLag:
    """How long an event loop did not run what was due: the process got no processor time."""

    def __init__(self) -> None:
        self.total_s = 0.0

    async def measure(self) -> None:
        """Measure until cancelled."""
        while True:
            due_s = time.monotonic() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self.total_s += max(0.0, time.monotonic() - due_s)


class Scraper:
    """Scrapes every target. Belongs to one event loop."""

    def __init__(
        self,
        targets: Iterable[ScrapeTarget],
        deliver: Deliver,
        telemetry: Telemetry,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.targets = tuple(targets)
        self._deliver = deliver
        self._telemetry = telemetry
        self._clock = clock
        self._lag = LoopLag()

    async def run(self) -> None:
        """Scrape until cancelled."""
        async with (
            httpx.AsyncClient(headers={"accept": _ACCEPT}, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._lag.measure())
            for target in self.targets:
                group.create_task(self._keep_reading(client, target))

    async def scrape(self, client: httpx.AsyncClient, target: ScrapeTarget) -> list[Sample]:
        """One scrape: its samples and `up` 1, or only `up` 0 if it failed.

        Nothing at all where the time ran out while this process did not run: that is no failure of
        the target.
        """
        began_s, lag_s = time.monotonic(), self._lag.total_s
        url = httpx.URL(target.url)
        instance = f"{url.host}:{url.port}" if url.port else url.host
        resource = {"instance": instance}
        resource |= target.entity or {"server.address": url.host, "server.port": str(url.port)}
        limit_s = min(TIMEOUT_S, max(TIMEOUT_MIN_S, target.every_s))
        try:
            async with asyncio.timeout(limit_s):
                text, content_type = await _get(client, target.url)
            now_ns = self._clock()
            # Megabytes take seconds to read, in which this process must answer others.
            samples = await asyncio.to_thread(samples_of, text, content_type, resource, now_ns)
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            problem = problem_of(error)[:PROBLEM_CHARS_MAX]
            took_s = time.monotonic() - began_s
            lag_s = self._lag.total_s - lag_s + max(0.0, took_s - limit_s)
            if isinstance(error, TimeoutError) and lag_s >= STARVED_SHARE * limit_s:
                problem = f"this collector did not run for {lag_s:.1f} s of {took_s:.1f} s"
                self._telemetry.scraped(instance, "starved", took_s, problem)
                return []
            self._telemetry.scraped(instance, "failed", took_s, problem)
            return [up(False, resource, self._clock())]
        self._telemetry.scraped(instance, "answered", time.monotonic() - began_s)
        return [*samples, up(True, resource, now_ns)]

    async def _keep_reading(self, client: httpx.AsyncClient, target: ScrapeTarget) -> None:
        """Scrape one target at its interval; a slow answer delays only its own next scrape."""
        due = time.monotonic()
        while True:
            if samples := await self.scrape(client, target):
                self._deliver(samples)
            due = max(due + target.every_s, time.monotonic())
            await asyncio.sleep(due - time.monotonic())


def problem_of(error: Exception) -> str:
    """What went wrong, without the address, in which a password or a token may stand."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return f"{type(error).__name__}: {error}"


async def _get(client: httpx.AsyncClient, url: str) -> tuple[str, str]:
    """The body and its content type; raises ValueError above BODY_BYTES_MAX."""
    async with client.stream("GET", url, timeout=None, follow_redirects=True) as response:
        response.raise_for_status()
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > BODY_BYTES_MAX:
                raise ValueError(f"more than {BODY_BYTES_MAX} bytes")
        return body.decode("utf-8"), response.headers.get("content-type", "")
