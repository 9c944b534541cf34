"""host: this machine and a real process on it, through psutil."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.sources.host_metrics import HostMetrics


def test_the_machine_says_how_busy_it_is() -> None:
    samples = HostMetrics(1.0, lambda _: None, clock=lambda: 42).measure()
    found = {sample.name: sample.value for sample in samples}

    assert set(found) == {
        "system.cpu.utilization",
        "system.memory.utilization",
        "system.cpu.load_average.1m",
    }
    for name in ("system.cpu.utilization", "system.memory.utilization"):
        assert 0 <= (found[name] or 0) <= 1
    assert {sample.time_ns for sample in samples} == {42}
    assert {p.entity.partition("/")[0] for p in Measurer().measure(samples)} == {"host"}


def test_a_chosen_process_is_measured_under_its_entity_until_it_is_gone() -> None:
    busy = subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(30_000_000)\nprint(flush=True)\nwhile True: pass"],
        stdout=subprocess.PIPE,
    )
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        host = HostMetrics(1.0, lambda _: None, chosen=lambda: {busy.pid: {"service.name": "cart"}})
        host.measure()
        time.sleep(0.3)
        found = {s.name: s for s in host.measure() if s.name.startswith("process.")}
    finally:
        busy.kill()
        busy.communicate()

    assert found["process.cpu.utilization"].value == pytest.approx(1.0, abs=0.99)
    assert (found["process.memory.usage"].value or 0) > 30_000_000
    assert found["process.memory.usage"].resource["service.name"] == "cart"
    assert [s for s in host.measure() if s.name.startswith("process.")] == []


def test_it_measures_at_its_interval_until_it_is_stopped() -> None:
    received: list[list[Sample]] = []

    async def listen() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await HostMetrics(0.1, received.append).run()

    asyncio.run(listen())

    assert 2 <= len(received) <= 5
