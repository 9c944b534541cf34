"""`make bench`: figures that compare within one run. Quote the ratios and medians.

The server runs in a process of its own, on one core; this process sends from the other.

1. Spans per second from OTLP/HTTP bytes to stored and judged, beside the same server that only
   decodes.
2. Milliseconds from the span of a tool call to its finding in the store.
3. The server's memory over a million spans, and what the last of them cost beside earlier ones.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import psutil

from aftershock.model import Level
from aftershock_collector.config.model import Address, Config
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.service.wiring import prepare_process, running
from aftershock_collector.sources import otlp_http
from aftershock_collector.sources.requests import Accepted, Answer, Signal
from aftershock_collector.store.reader import Reader
from aftershock_collector.telemetry import Telemetry
from tests.support.traffic import Agent, any_runs, log_request, span_request

HEADERS = {"content-type": "application/x-protobuf"}
BATCH = 512  # what OpenTelemetry's batch processor sends
SENDERS = 4
PORTION = 20_480  # spans made and sent at a time while memory is watched


def config_in(folder: Path, document: Mapping[str, Any] | None = None) -> Config:
    anywhere = Address("127.0.0.1", 0)
    return Config(home=folder, http=anywhere, grpc=anywhere, document=dict(document or {}))


async def _decode_only(config: Config, parent: Connection) -> None:
    async def submit(_signal: Signal, body: bytes, content_type: str, _sender: str) -> Answer:
        decode_traces(body, content_type)
        return Accepted()

    telemetry = Telemetry()
    app = otlp_http.otlp_app(submit, telemetry, config, list)
    async with otlp_http.listening(app, config.http, telemetry, config) as address:
        parent.send(str(address))
        await asyncio.to_thread(parent.recv)


async def _whole(config: Config, parent: Connection) -> None:
    async with running(config) as collector:
        parent.send(str(collector.http))
        await asyncio.to_thread(parent.recv)


SERVERS = {"decoded only": _decode_only, "stored and judged": _whole}


def serve(kind: str, config: Config, parent: Connection) -> None:
    prepare_process()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asyncio.run(SERVERS[kind](config, parent))


@contextmanager
def server(
    kind: str, document: Mapping[str, Any] | None = None
) -> Generator[tuple[str, psutil.Process, Path]]:
    """(base URL, process, folder) of a server with this policy that runs while inside."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as name:
        config = config_in(Path(name), document)
        process = context.Process(target=serve, args=(kind, config, theirs))
        process.start()
        yield f"http://{ours.recv()}", psutil.Process(process.pid), Path(name)
        ours.send("stop")
        process.join(30)


def requests_of(spans: int, seed: int, *, content: bool = False) -> list[bytes]:
    """About that many spans of agent runs, in batches as a fleet would send them."""
    dice = random.Random(seed)
    runs = any_runs(dice, spans // 8, content=content)
    found = [span for run in runs for span in run.spans][:spans]
    return [span_request(found[start : start + BATCH]) for start in range(0, len(found), BATCH)]


async def post(client: httpx.AsyncClient, url: str, body: bytes) -> None:
    """Until it is acknowledged, as an exporter would."""
    while (answer := await client.post(url, content=body, headers=HEADERS)).status_code == 503:  # noqa: ASYNC110
        await asyncio.sleep(float(answer.headers["retry-after"]) / 10)
    answer.raise_for_status()


async def send(base: str, bodies: Sequence[bytes]) -> float:
    """Seconds until every body is acknowledged."""
    waiting = list(reversed(bodies))

    async def sender(client: httpx.AsyncClient) -> None:
        while waiting:
            await post(client, f"{base}/v1/traces", waiting.pop())

    async with httpx.AsyncClient(timeout=60) as client:
        began = time.perf_counter()
        await asyncio.gather(*(sender(client) for _ in range(SENDERS)))
        return time.perf_counter() - began


def rate(kind: str, bodies: Sequence[bytes], spans: int) -> float:
    """Spans per second of a server that has warmed up on as much again."""
    with server(kind) as (base, process, _):
        asyncio.run(send(base, requests_of(spans // 4, 99)))
        used = process.cpu_times()
        asyncio.run(send(base, bodies))
        after = process.cpu_times()
    return spans / (after.user + after.system - used.user - used.system)


async def span_to_finding(base: str, folder: Path) -> float:
    """Milliseconds from sending the span that makes a loop certain to its alarm."""
    agent = Agent(random.Random(time.time_ns()), "restarter", began_ns=time.time_ns())
    for _ in range(3):
        agent.call("restart_service", {"service": "web"}, "restarted")
    *known, newest = agent.traffic.spans
    with Reader.open(folder / "aftershock.db") as reader:
        async with httpx.AsyncClient() as client:
            await post(client, f"{base}/v1/logs", log_request(agent.traffic.started))
            await post(client, f"{base}/v1/traces", span_request(known))
            await asyncio.sleep(random.uniform(1.0, 1.5))  # anywhere between two ticks
            began = time.perf_counter()
            await post(client, f"{base}/v1/traces", span_request([newest]))
        while Level.ALARM not in {c.finding.level for c in reader.claims(agent.traffic.run_id)}:
            await asyncio.sleep(0.002)
            assert time.perf_counter() - began < 30, "no finding came"
        return (time.perf_counter() - began) * 1_000


def endurance(spans: int) -> tuple[float, float, float]:
    """The server's megabytes after a tenth of the spans, and at most; its work at the end.

    The work is what the last tenth took of processor time, as a multiple of the second tenth.
    """
    sizes: list[float] = []
    spent_s: list[float] = []
    with server("stored and judged") as (base, process, _):
        for sent in range(0, spans, PORTION):
            asyncio.run(send(base, requests_of(PORTION, sent)))
            sizes.append(process.memory_info().rss / 1e6)
            spent_s.append(process.cpu_times().user)
    tenth = len(sizes) // 10
    work = (spent_s[-1] - spent_s[-1 - tenth]) / (spent_s[2 * tenth] - spent_s[tenth])
    return sizes[tenth], max(sizes), work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spans", type=int, default=20_480)
    parser.add_argument("--memory-spans", type=int, default=1_000_000, help="0: leave it out")
    options = parser.parse_args()
    for content, words in ((False, "fingerprints, the default"), (True, "content captured")):
        bodies = requests_of(options.spans, 1, content=content)
        size = sum(map(len, bodies)) / options.spans
        print(
            f"{options.spans:,} spans of {size:.0f} bytes ({words}), {BATCH} a batch:", flush=True
        )
        rates: dict[str, list[float]] = {kind: [] for kind in SERVERS}
        for _ in range(options.rounds):
            for kind, seen in rates.items():
                seen.append(rate(kind, bodies, options.spans))
        medians = {kind: statistics.median(seen) for kind, seen in rates.items()}
        for kind, median in medians.items():
            share = median / medians["decoded only"]
            print(f"  {kind:18}{median:>9,.0f} spans/s of one core   x{share:.2f}")
    with server("stored and judged") as (base, _, folder):
        waits = [asyncio.run(span_to_finding(base, folder)) for _ in range(options.rounds)]
    print(f"span to finding  {statistics.median(waits):.0f} ms, worst {max(waits):.0f} ms")
    if options.memory_spans:
        early, most, work = endurance(options.memory_spans)
        print(
            f"over {options.memory_spans:,} spans: {early:.0f} MB after a tenth, {most:.0f} MB at "
            f"most; the last tenth costs x{work:.2f} of the second"
        )


if __name__ == "__main__":
    main()
