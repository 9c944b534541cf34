"""The collector's memory under hostile and honest load: `python -m tests.bench.memory`.

Each load is sent over a socket to an `aftershock up` of its own. Prints how much memory the
process took at most, what it took when all was sent, and what it dropped.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.bench.loads import LOADS, Body

SENDERS = 4
SAMPLE_S = 0.05


@dataclass
class Measured:
    """Megabytes of resident memory, and what became of what was sent."""

    before: float = 0.0
    most: float = 0.0
    after: float = 0.0
    took_s: float = 0.0
    answers: dict[int, int] = field(default_factory=dict[int, int])
    dropped: dict[str, float] = field(default_factory=dict[str, float])
    slowest_s: float = 0.0  # answer to somebody else, meanwhile


@contextmanager
def up(home: Path, **environment: str) -> Generator[tuple[str, str, psutil.Process]]:
    """`aftershock up` in a process of its own: (http, grpc, process)."""
    ports: list[int] = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            ports.append(probe.getsockname()[1])
    http, server = (f"127.0.0.1:{port}" for port in ports)
    given = {"AFTERSHOCK_HOME": str(home), "AFTERSHOCK_HTTP": http, "AFTERSHOCK_GRPC": server}
    clean = {key: value for key, value in os.environ.items() if not key.startswith("AFTERSHOCK_")}
    command = [sys.executable, "-m", "aftershock_collector.cli", "up"]
    with subprocess.Popen(
        command,
        env=clean | given | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home,
    ) as process:
        try:
            _wait_for(f"http://{http}/readyz")
            yield f"http://{http}", server, psutil.Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(url: str) -> None:
    until_s = time.monotonic() + 120
    while True:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < until_s, f"{url} did not answer"
        time.sleep(0.1)


class Sampler(threading.Thread):
    """Follows a process's memory, and how long somebody else waits for an answer."""

    def __init__(self, process: psutil.Process, base: str, seen: Measured) -> None:
        super().__init__(daemon=True)
        self._process, self._base, self._seen = process, base, seen
        self.stopping = threading.Event()

    def run(self) -> None:
        asked_s = 0.0
        with httpx.Client(base_url=self._base, timeout=30) as client:
            while not self.stopping.wait(SAMPLE_S):
                now = self._process.memory_info().rss / 1e6
                self._seen.most = max(self._seen.most, now)
                if time.monotonic() - asked_s > 1:
                    asked_s = time.monotonic()
                    client.get("/healthz")
                    waited_s = time.monotonic() - asked_s
                    self._seen.slowest_s = max(self._seen.slowest_s, waited_s)


async def send(base: str, bodies: Iterator[Body], seen: Measured) -> None:
    """Send each body once, as a sender that does not care about the answer."""

    async def sender(client: httpx.AsyncClient) -> None:
        while (body := await asyncio.to_thread(next, bodies, None)) is not None:
            headers = {"content-type": body.content_type}
            if body.encoding:
                headers["content-encoding"] = body.encoding
            try:
                answer = await client.post(body.path, content=body.content, headers=headers)
                status = answer.status_code
            except httpx.HTTPError:
                status = 0
            seen.answers[status] = seen.answers.get(status, 0) + 1
            if status == 503:
                await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        await asyncio.gather(*(sender(client) for _ in range(SENDERS)))


class Shared(Iterator[Body]):
    """One iterator for several senders."""

    def __init__(self, bodies: Iterator[Body]) -> None:
        self._bodies, self._lock = bodies, threading.Lock()

    def __next__(self) -> Body:
        with self._lock:
            return next(self._bodies)


def measure(bodies: Iterator[Body], **environment: str) -> Measured:
    """Send to a collector of its own and follow its memory."""
    with tempfile.TemporaryDirectory() as name, up(Path(name), **environment) as (base, _, process):
        seen = Measured(before=process.memory_info().rss / 1e6)
        sampler = Sampler(process, base, seen)
        sampler.start()
        began_s = time.monotonic()
        asyncio.run(send(base, Shared(bodies), seen))
        seen.took_s = time.monotonic() - began_s
        time.sleep(3)  # some ticks: eviction happens there
        sampler.stopping.set()
        sampler.join()
        seen.after = process.memory_info().rss / 1e6
        exposition = httpx.get(f"{base}/metrics", timeout=60).text
    for line in exposition.splitlines():
        if line.startswith(("aftershock_dropped_total{", "aftershock_failures_total{")):
            label, _, value = line.rpartition(" ")
            seen.dropped[label.partition("{")[2].rstrip("}")] = float(value)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loads", nargs="*", choices=[[], *LOADS], help="default: all")
    parser.add_argument("--share", type=float, default=1.0, help="of each load")
    options = parser.parse_args()
    for name in options.loads or LOADS:
        seen = measure(LOADS[name](options.share))
        print(f"{name:18} before {seen.before:4.0f} MB, most {seen.most:5.0f}", end=", ")
        print(f"after {seen.after:5.0f}; {seen.took_s:4.0f} s, others waited", end=" ")
        print(f"{seen.slowest_s:.1f} s; answers {seen.answers}; dropped {seen.dropped}", flush=True)


if __name__ == "__main__":
    main()
