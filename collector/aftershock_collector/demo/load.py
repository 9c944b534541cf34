"""The load generator: customers who arrive whether or not the last one was served (open loop).

`python -m aftershock_collector.demo.load --target checkout=POST=URL=40 …` prints one JSON line a
second with what the customers saw: answers, errors and the 95th percentile of their waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

WAIT_MAX_S = 5.0  # a customer leaves
IN_FLIGHT_MAX = 500  # of each target: a service that hangs must not eat our memory


@dataclass(slots=True)
class Target:
    """One service under load, and what its customers saw since the last line."""

    name: str
    method: str
    url: str
    per_second: float
    waits_s: list[float] = field(default_factory=list[float])
    errors: int = 0
    in_flight: int = 0

    async def visit(self) -> None:
        """One customer: a connection of their own, one request."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        began = time.perf_counter()
        status = 0
        with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
            async with asyncio.timeout(WAIT_MAX_S):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                head = f"{self.method} {parts.path} HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n"
                writer.write(f"{head}connection: close\r\n\r\n".encode())
                answer = await reader.read()
                writer.close()
                status = int(answer.split(b" ", 2)[1])
        self.errors += not 200 <= status < 400
        self.waits_s.append(time.perf_counter() - began)
        self.in_flight -= 1

    async def send(self) -> None:
        """Let customers arrive at random, at the given rate."""
        customers: set[asyncio.Task[None]] = set()
        due = time.perf_counter()
        while True:
            due += random.expovariate(self.per_second)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self.in_flight < IN_FLIGHT_MAX:
                self.in_flight += 1
                customer = asyncio.create_task(self.visit())
                customers.add(customer)
                customer.add_done_callback(customers.discard)

    def report(self) -> dict[str, int]:
        """What customers saw since the last report."""
        waits = sorted(self.waits_s)
        seen = {
            "answers": len(waits),
            "errors": self.errors,
            "p95_ms": round(1000 * waits[int(len(waits) * 0.95)]) if waits else 0,
        }
        self.waits_s.clear()
        self.errors = 0
        return seen


async def run(targets: list[Target]) -> None:
    """Send to every target, and report each second, until cancelled."""
    async with asyncio.TaskGroup() as group:
        for target in targets:
            group.create_task(target.send())
        while True:
            await asyncio.sleep(1.0)
            line = {"at_ns": time.time_ns(), **{t.name: t.report() for t in targets}}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def target_of(text: str) -> Target:
    """`name=METHOD=url=per_second` as a target."""
    name, method, url, rate = text.split("=")
    return Target(name, method, url, float(rate))


def main() -> None:
    """Send load until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", type=target_of, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(options.target))


if __name__ == "__main__":
    main()
