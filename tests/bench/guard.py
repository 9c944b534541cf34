"""What the gate costs, and how fast an order reaches calls: `make bench-guard`, one run.

A call under a gate whose policy alone decides, and one whose run is judged too; the hook of coding
agents as a fresh process; preflight at 50 requests a second beside ingest; and, with twenty
processes of agents that call a tool without a pause, the time from an order to the last call that
still began. Everything runs on loopback and ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import httpx

import aftershock
from aftershock.guard.connection import Connection
from aftershock_collector.config.model import Address
from tests.bench.collector import BATCH, SENDERS, post, requests_of, server
from tests.support.live_collector import LiveCollector

SCRIPT = Path(aftershock.__path__[0]) / "guard" / "aftershock-gate"
CALLS = 2_000
PROCESSES = 20
STOPS = 100
HOOKS = 40
PREFLIGHT_S, PREFLIGHT_RATE = 20.0, 50.0
INGEST_SPANS = 5_000
GATE = "gate: {mode: enforce, tiers: {destructive: deny}"
POLICIES = {
    "no gate": "{}",
    "policy alone": GATE + "}",
    "with loops, facts and budget": GATE
    + ", loops: deny, budget: deny, missing_facts: deny}\n"
    + 'agents: {"*": {budget: {steps: 10000000}}}',
}


def call_costs() -> None:
    """Microseconds of the app's thread for each call, beside a process without a gate."""
    print("a call of a tool                 µs of its thread   more than without a gate")
    plain = None
    for name, policy in POLICIES.items():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "aftershock.yaml"
            place.write_text(policy)
            found = float(run("tests.bench.guard", "--call", AFTERSHOCK_POLICY=str(place)))
        plain = found if plain is None else plain
        print(f"  {name:30}{found:>17.1f}{found - plain:>26.1f}")


def call_cost() -> float:
    """In a process of its own: nothing is exported, and no collector listens."""
    os.environ["OTEL_SDK_DISABLED"] = "true"  # the gate alone; `make bench` has the recording
    aftershock.instrument()
    count = CALLS if "loops" not in Path(os.environ["AFTERSHOCK_POLICY"]).read_text() else 1_000

    @aftershock.tool(tier="write")
    def tool(service: str, replicas: int) -> int:
        del service
        return replicas

    rounds: list[float] = []
    with aftershock.run(agent="bench"):
        for _ in range(6):
            began = time.thread_time_ns()
            for number in range(count):
                tool(service="checkout", replicas=number)
            rounds.append((time.thread_time_ns() - began) / count / 1_000)
    return statistics.median(rounds[1:])


def hook_costs(collector: LiveCollector) -> None:
    """Wall time of the hook as a fresh process, beside Python's own start."""
    event = {
        "session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": "kubectl -n shop get pods | grep checkout"},
    }  # fmt: skip
    variants = {
        "python that does nothing": [sys.executable, "-I", "-c", "pass"],
        "python -m aftershock.guard.hook": [sys.executable, "-m", "aftershock.guard.hook"],
        "aftershock gate": [str(Path(sys.executable).parent / "aftershock"), "gate"],
        "aftershock-gate (sh and curl)": [str(SCRIPT)],
    }
    print("the hook as a fresh process         median ms     p95 ms")
    for name, command in variants.items():
        times: list[float] = []
        for _ in range(HOOKS):
            began = time.perf_counter()
            subprocess.run(
                command,
                input=json.dumps(event).encode(),
                env={**os.environ, "AFTERSHOCK_COLLECTOR": collector.url},
                check=True,
                capture_output=True,
            )
            times.append((time.perf_counter() - began) * 1e3)
        print(f"  {name:32}{statistics.median(times):>11.1f}{percentile(times, 0.95):>11.1f}")


def ingest(url: str, spans_per_s: int, parent: Pipe) -> None:
    """Send runs of agents at a rate, in a process of its own; returns spans a second."""
    bodies = requests_of(int(spans_per_s * PREFLIGHT_S), seed=1)
    parent.send("ready")
    parent.recv()
    began = time.monotonic()

    async def sender(client: httpx.AsyncClient, first: int) -> int:
        sent = 0
        for number in range(first, len(bodies), SENDERS):
            due_s = number * BATCH / spans_per_s
            await asyncio.sleep(max(0.0, due_s - (time.monotonic() - began)))
            if time.monotonic() - began >= PREFLIGHT_S:
                break
            await post(client, f"{url}/v1/traces", bodies[number])
            sent += BATCH
        return sent

    async def senders() -> int:
        async with httpx.AsyncClient(timeout=30) as client:
            return sum(await asyncio.gather(*(sender(client, n) for n in range(SENDERS))))

    parent.send(asyncio.run(senders()) / (time.monotonic() - began))


@contextmanager
def beside_ingest(url: str, spans_per_s: int) -> Generator[Callable[[], float]]:
    """While inside, spans arrive; what it yields waits for the end and says how many a second."""
    if not spans_per_s:
        yield lambda: 0.0
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=ingest, args=(url, spans_per_s, theirs))
    process.start()
    assert ours.recv() == "ready"
    ours.send("go")
    yield ours.recv
    process.join(30)


def preflight_costs(collector: LiveCollector, spans_per_s: int) -> None:
    """Milliseconds of a preflight at a fixed rate, beside ingest."""
    body = {
        "action": {"tool": "Bash", "arguments": {"command": "kubectl -n shop delete deploy/a"}},
        "run": {"id": "r", "agent": "bench"},
    }
    connection, times = Connection(collector.url, {}), list[float]()
    with beside_ingest(collector.url, spans_per_s) as spans_arrived:
        began = time.monotonic()
        for number in range(int(PREFLIGHT_S * PREFLIGHT_RATE)):
            time.sleep(max(0.0, began + number / PREFLIGHT_RATE - time.monotonic()))
            asked = time.perf_counter()
            connection.post("/v1/preflight", body, 5.0)
            times.append((time.perf_counter() - asked) * 1e3)
        lasted_s = time.monotonic() - began
        rate = spans_arrived()
    print(
        f"preflight, {len(times) / lasted_s:.0f}/s beside {rate:,.0f} spans/s: "
        f"median {statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, "
        f"worst {max(times):.1f} ms"
    )


@contextmanager
def agents(collector: LiveCollector, count: int) -> Generator[list[subprocess.Popen[str]]]:
    """Processes of agents that call a tool without a pause and print each call's time."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "aftershock.yaml"
        policy.write_text(GATE + "}")
        environment = {
            **os.environ,
            "OTEL_SDK_DISABLED": "true",
            "AFTERSHOCK_COLLECTOR": collector.url,
            "AFTERSHOCK_POLICY": str(policy),
        }
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.guard", "--agent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for _ in range(count)
        ]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            yield processes
        finally:
            for process in processes:
                assert process.stdin is not None
                process.stdin.close()
            for process in processes:
                process.wait(30)


def agent() -> None:
    """One agent: calls every 5 ms; for each line on its input it prints when the last one began."""
    last = [0.0]

    @aftershock.tool(tier="read")
    def get_state() -> str:
        last[0] = time.time()
        return "ran"

    get_state()
    print("ready", flush=True)

    def call() -> None:
        while True:
            get_state()
            time.sleep(0.005)

    threading.Thread(target=call, daemon=True).start()
    for _ in sys.stdin:
        print(last[0], flush=True)


def stop_times(collector: LiveCollector, processes: list[subprocess.Popen[str]]) -> Iterator[Any]:
    """(Seconds to the last call that began, seconds to the acknowledgement, missing) of each."""
    for _ in range(STOPS):
        began = time.time()
        answer = collector.order("stop", all=True, wait_s=10)
        acknowledged = time.time()
        time.sleep(0.05)  # a call that began after the acknowledgement would show
        last = max(map(ask, processes))
        collector.order("resume", all=True, wait_s=10)
        time.sleep(0.05)
        yield last - began, acknowledged - began, len(answer["missing"])


def ask(process: subprocess.Popen[str]) -> float:
    """When the last call of an agent began."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("last\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def stop_costs(collector: LiveCollector) -> None:
    """From the order to the last call that still began, over many tries."""
    with agents(collector, PROCESSES) as processes:
        tries = list(stop_times(collector, processes))
    last, acknowledged = [one[0] for one in tries], [one[1] for one in tries]
    after = sum(one > done for one, done in zip(last, acknowledged, strict=True))
    print(
        f"stop --all, {PROCESSES} processes, {len(tries)} tries: last call after "
        f"median {statistics.median(last) * 1e3:.0f} ms, worst {max(last) * 1e3:.0f} ms; "
        f"acknowledged after median {statistics.median(acknowledged) * 1e3:.0f} ms, "
        f"worst {max(acknowledged) * 1e3:.0f} ms; calls after it: {after}; "
        f"not acknowledged: {sum(one[2] for one in tries)}"
    )


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def run(module: str, *arguments: str, **more: str) -> str:
    """What a module prints in a process of its own that sends its telemetry nowhere."""
    nowhere = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "AFTERSHOCK_COLLECTOR": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **nowhere, **more}
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    """Every figure, or what one of the processes does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", action="store_true")
    parser.add_argument("--call", action="store_true")
    parser.add_argument("--spans", type=int, default=INGEST_SPANS)
    arguments = parser.parse_args()
    if arguments.agent:
        agent()
        return
    if arguments.call:
        print(call_cost())
        return
    call_costs()
    document = {"gate": {"mode": "enforce", "tiers": {"destructive": "ask"}}}
    with server("stored and judged", document) as (url, _, folder):
        collector = LiveCollector(folder, Address.parse(url.removeprefix("http://")))
        hook_costs(collector)
        preflight_costs(collector, 0)
        preflight_costs(collector, arguments.spans)
        stop_costs(collector)


if __name__ == "__main__":
    main()
