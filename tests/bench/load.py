"""Load as a fleet makes it: `python -m tests.bench.load --seconds 300`.

200 agents send 5,000 spans a second between them, 50 views are open, a Prometheus scrapes and a
Grafana asks, and 500 series arrive every five seconds. Prints each bar, and whether it was met. The
server has one core, the senders share the others. A figure says nothing where the senders were late
themselves, or where the machine had other work: both are printed first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
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
from tests.bench.collector import HEADERS, server, span_to_finding
from tests.support.traffic import any_runs, attribute, span_request

AGENTS = 200
SPANS_PER_S = 5_000
PAGES_OPEN = 50
PAGE_EVERY_S = 15.0  # as the pages refresh themselves
SERIES = 500
SERIES_EVERY_S = 5.0
LOOP_EVERY_S = 15.0
GRAFANA_EVERY_S = 5.0  # a dashboard of four panels that refreshes itself
ASKED = ("/metrics", "/findings?since=1h", "/incidents?since=1h", "/?agent=clerk")
DELAY_S_MAX = 0.1  # senders that are later than this by themselves make no 5,000 a second
ACKNOWLEDGED_MS_MAX = 250.0
FOUND_MS_MAX = 1_000.0
GROWTH_MB_MAX = 25.0  # of memory between the third and the last quarter
PATTERNS = 400  # runs that are sent again and again, each time as a run of its own


@dataclass
class Seen:
    """What the senders saw; times in seconds."""

    spans: int = 0
    lost: int = 0  # spans that were never acknowledged
    retried: int = 0  # requests that were asked to come later
    acknowledged_s: list[float] = field(default_factory=list[float])
    found_ms: list[float] = field(default_factory=list[float])
    views_s: list[float] = field(default_factory=list[float])
    answers_s: list[float] = field(default_factory=list[float])  # to Prometheus and Grafana
    delay_s: list[float] = field(default_factory=list[float])  # of senders, by their own fault
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
        seen.delay_s.append(time.monotonic() - due_s)
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


async def reader_of_views(client: httpx.AsyncClient, seen: Seen, until_s: float) -> None:
    await asyncio.sleep(random.uniform(0, PAGE_EVERY_S))
    while time.monotonic() < until_s:
        began_s = time.monotonic()
        (await client.get("/")).raise_for_status()
        seen.views_s.append(time.monotonic() - began_s)
        await asyncio.sleep(PAGE_EVERY_S)


async def grafana(client: httpx.AsyncClient, seen: Seen, until_s: float) -> None:
    while time.monotonic() < until_s:
        for path in ASKED:
            began_s = time.monotonic()
            (await client.get(path)).raise_for_status()
            seen.answers_s.append(time.monotonic() - began_s)
        await asyncio.sleep(GRAFANA_EVERY_S)


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
        seen.found_ms.append(await span_to_finding(base, folder))
        await asyncio.sleep(LOOP_EVERY_S)


async def play(base: str, folder: Path, process: psutil.Process, seconds: float) -> Seen:
    seen, known = Seen(), patterns()
    until_s = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=AGENTS + PAGES_OPEN + 10)
    async with httpx.AsyncClient(base_url=base, timeout=30, limits=limits) as client:
        await asyncio.gather(
            *(agent(client, number, known, seen, until_s) for number in range(AGENTS)),
            *(reader_of_views(client, seen, until_s) for _ in range(PAGES_OPEN)),
            grafana(client, seen, until_s),
            metrics(client, until_s),
            loops(base, folder, process, seen, until_s),
        )
    return seen


def share_of(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)] if values else 0.0


def bars(seen: Seen, stored: int) -> list[tuple[str, str, bool]]:
    """What was measured, in words, and whether it was met."""
    acknowledged_ms = share_of(seen.acknowledged_s, 0.99) * 1e3
    quarter = max(1, len(seen.megabytes) // 4)
    before, last = seen.megabytes[-2 * quarter : -quarter] or [0.0], seen.megabytes[-quarter:]
    growth = statistics.median(last) - statistics.median(before)
    found_ms = max(seen.found_ms, default=0.0)
    return [
        ("lost", f"{seen.lost} of {seen.spans:,} spans; {stored:,} stored, {seen.retried} retries",
         seen.lost == 0),
        ("acknowledged", (f"p50 {share_of(seen.acknowledged_s, 0.5) * 1e3:.0f} ms, "
         f"p99 {acknowledged_ms:.0f} ms"), acknowledged_ms <= ACKNOWLEDGED_MS_MAX),
        ("memory", (f"{seen.megabytes[0]:.0f} MB at first, {max(seen.megabytes):.0f} at most, "
         f"{growth:+.0f} from the third to the last quarter"), growth <= GROWTH_MB_MAX),
        ("loop found", f"{statistics.median(seen.found_ms):.0f} ms, worst {found_ms:.0f} ms",
         found_ms <= FOUND_MS_MAX),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    seconds: float = parser.parse_args().seconds
    loads = [os.getloadavg()[0]]
    with server("stored and judged") as (base, process, folder):
        before, own = process.cpu_times(), time.process_time()
        began_s = time.monotonic()
        seen = asyncio.run(play(base, folder, process, seconds))
        took_s = time.monotonic() - began_s
        after, own = process.cpu_times(), time.process_time() - own
        loads.append(os.getloadavg()[0])
        with Reader.open(folder / "aftershock.db") as reader:
            stored = reader.counts()["spans"]
    used_s = after.user + after.system - before.user - before.system
    delay_s = share_of(seen.delay_s, 0.99)
    rate = seen.spans / took_s
    print(
        f"machine        {os.cpu_count()} cores, load {loads[0]:.1f} before, {loads[1]:.1f} after"
    )
    print(
        f"senders        p99 {delay_s * 1e3:.0f} ms behind their plan, {own / took_s:.0%} of a core"
    )
    print(f"server         {used_s / took_s:.0%} of a core")
    print(f"sent           {rate:,.0f} spans/s for {took_s:.0f} s")
    print(f"views          p99 {share_of(seen.views_s, 0.99) * 1e3:.0f} ms; asked p99 "
          f"{share_of(seen.answers_s, 0.99) * 1e3:.0f} ms")  # fmt: skip
    measured = bars(seen, stored)
    for name, words, met in measured:
        print(f"{name:14} {words}: {'met' if met else 'MISSED'}")
    if delay_s > DELAY_S_MAX or rate < 0.95 * SPANS_PER_S:
        print("The senders could not keep the rate: this says nothing about 5,000 spans a second.")
        return 2
    return 0 if all(met for _, _, met in measured) else 1


if __name__ == "__main__":
    raise SystemExit(main())
