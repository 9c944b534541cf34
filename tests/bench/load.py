"""Load as a fleet makes it: `python -m tests.bench.load --seconds 300`.

200 agents send 5,000 spans a second between them, 50 pages are open, and 500 series arrive every
five seconds. Prints what was lost, the 99th percentile of acknowledgements, memory, and how long
a found loop took to show. The server has one core, the senders share the others.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from aftershock_collector.store.reader import Reader
from tests.bench.collector import HEADERS, server, start_to_finding
from tests.support.traffic import any_runs, attribute, span_request

AGENTS = 200
SPANS_PER_S = 5_000
PAGES_OPEN = 50
PAGE_EVERY_S = 15.0  # as the pages refresh themselves
SERIES = 500
SERIES_EVERY_S = 5.0
LOOP_EVERY_S = 15.0
PATTERNS = 400  # runs that are sent again and again, each time as a run of its own


@dataclass
class Seen:
    """What the senders saw; times in seconds."""

    spans: int = 0
    lost: int = 0  # spans that were never acknowledged
    retried: int = 0  # requests that were asked to come later
    acknowledged_s: list[float] = field(default_factory=list[float])
    found_ms: list[float] = field(default_factory=list[float])
    pages_s: list[float] = field(default_factory=list[float])
    megabytes: list[float] = field(default_factory=list[float])


@dataclass(frozen=True)
class Pattern:
    """One run as bytes, and what makes it that run."""

    body: bytes
    trace_id: bytes
    spans: int

    def renewed(self) -> bytes:
        """The same run under a trace of its own."""
        fresh = secrets.token_bytes(16)
        text = self.body.replace(self.trace_id, fresh)
        return text.replace(self.trace_id.hex().encode(), fresh.hex().encode())


def patterns() -> list[Pattern]:
    runs = any_runs(random.Random(1), PATTERNS)
    return [Pattern(span_request(r.spans), r.spans[0].trace_id, len(r.spans)) for r in runs]


async def agent(
    client: httpx.AsyncClient, number: int, known: list[Pattern], seen: Seen, until_s: float
) -> None:
    """One agent: a run every so often, at its share of the rate."""
    dice = random.Random(number)
    await asyncio.sleep(dice.random())
    due_s = time.monotonic()
    while due_s < until_s:
        pattern = dice.choice(known)
        due_s += pattern.spans * AGENTS / SPANS_PER_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        seen.spans += pattern.spans
        if not await acknowledged(client, pattern.renewed(), seen):
            seen.lost += pattern.spans


async def acknowledged(client: httpx.AsyncClient, body: bytes, seen: Seen) -> bool:
    """Send until it is acknowledged, at most as long as an exporter would."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < 60:
        try:
            answer = await client.post("/v1/traces", content=body, headers=HEADERS)
        except httpx.HTTPError:
            await asyncio.sleep(1)
            continue
        if answer.status_code == 200:
            seen.acknowledged_s.append(time.monotonic() - began_s)
            return True
        seen.retried += 1
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    return False


async def reader_of_pages(client: httpx.AsyncClient, seen: Seen, until_s: float) -> None:
    await asyncio.sleep(random.uniform(0, PAGE_EVERY_S))
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        (await client.get("/")).raise_for_status()
        seen.pages_s.append(time.monotonic() - began_s)
        await asyncio.sleep(PAGE_EVERY_S)


async def metrics(client: httpx.AsyncClient, until_s: float) -> None:
    while time.monotonic() < until_s:
        data = MetricsData()
        for number in range(SERIES):
            group = data.resource_metrics.add()
            group.resource.attributes.append(attribute("service.name", f"service-{number}"))
            metric = group.scope_metrics.add().metrics.add(name="process.cpu.utilization", unit="1")
            metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=random.random())
        await client.post("/v1/metrics", content=data.SerializeToString(), headers=HEADERS)
        await asyncio.sleep(SERIES_EVERY_S)


async def loops(
    base: str, folder: Path, process: psutil.Process, seen: Seen, until_s: float
) -> None:
    while time.monotonic() < until_s:
        seen.megabytes.append(process.memory_info().rss / 1e6)
        seen.found_ms.append(await start_to_finding(base, folder))
        await asyncio.sleep(LOOP_EVERY_S)


async def play(base: str, folder: Path, process: psutil.Process, seconds: float) -> Seen:
    seen, known = Seen(), patterns()
    until_s = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=AGENTS + PAGES_OPEN + 10)
    async with httpx.AsyncClient(base_url=base, timeout=30, limits=limits) as client:
        await asyncio.gather(
            *(agent(client, number, known, seen, until_s) for number in range(AGENTS)),
            *(reader_of_pages(client, seen, until_s) for _ in range(PAGES_OPEN)),
            metrics(client, until_s),
            loops(base, folder, process, seen, until_s),
        )
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    seconds: float = parser.parse_args().seconds
    with server("stored and judged") as (base, process, folder):
        began_s = time.monotonic()
        seen = asyncio.run(play(base, folder, process, seconds))
        took_s = time.monotonic() - began_s
        with Reader.open(folder / "aftershock.db") as reader:
            stored = reader.counts()["spans"]
    times = sorted(seen.acknowledged_s)
    print(f"{seen.spans:,} spans in {took_s:.0f} s: {seen.spans / took_s:,.0f} a second")
    print(f"lost {seen.lost}; stored {stored:,} with those of the loops; retried {seen.retried}")
    print(f"acknowledged p50 {times[len(times) // 2] * 1e3:.0f} ms", end=", ")
    print(f"p99 {times[int(len(times) * 0.99)] * 1e3:.0f} ms")
    print(f"memory first {seen.megabytes[0]:.0f} MB, most {max(seen.megabytes):.0f} MB", end=", ")
    print(f"last {seen.megabytes[-1]:.0f} MB")
    print(f"loop found after {statistics.median(seen.found_ms):.0f} ms", end=", ")
    print(f"worst {max(seen.found_ms):.0f} ms; pages worst {max(seen.pages_s, default=0):.1f} s")


if __name__ == "__main__":
    main()
