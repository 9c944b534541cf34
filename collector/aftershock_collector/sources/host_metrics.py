"""Metrics of this host and of chosen processes on it, measured by psutil."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable, Iterator, Mapping

import psutil

from aftershock.attributes import SERVICE_NAME
from aftershock.entity import HOST_NAME
from aftershock_collector.otlp.wire import Attributes, Sample, SampleKind

Deliver = Callable[[list[Sample]], None]
Chosen = Callable[[], Mapping[int, Mapping[str, str]]]  # process id → attributes of its entity


def _none_chosen() -> dict[int, Mapping[str, str]]:
    return {}


class HostMetrics:
    """Measures CPU, memory and load."""

    def __init__(
        self,
        every_s: float,
        deliver: Deliver,
        *,
        chosen: Chosen = _none_chosen,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._every_s = every_s
        self._deliver = deliver
        self._chosen = chosen
        self._clock = clock
        self._processes: dict[int, psutil.Process] = {}
        self._host = {HOST_NAME: platform.node() or "localhost"}
        psutil.cpu_percent()  # starts psutil's interval: the first call always returns 0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            self._deliver(self.measure())

    def measure(self) -> list[Sample]:
        """Samples of now; utilisation is that since the previous call."""
        now_ns = self._clock()
        samples = [
            _gauge("system.cpu.utilization", "1", psutil.cpu_percent() / 100, self._host, now_ns),
            _gauge(
                "system.memory.utilization",
                "1",
                psutil.virtual_memory().percent / 100,
                self._host,
                now_ns,
            ),
            _gauge("system.cpu.load_average.1m", "1", psutil.getloadavg()[0], self._host, now_ns),
        ]
        chosen = self._chosen()
        for gone in self._processes.keys() - chosen.keys():
            del self._processes[gone]
        for pid, entity in chosen.items():
            samples += self._process(pid, entity, now_ns)
        return samples

    def _process(self, pid: int, entity: Mapping[str, str], now_ns: int) -> Iterator[Sample]:
        """Samples of one process; none if it is gone or may not be inspected."""
        resource = {**entity, "process.pid": str(pid)}
        try:
            process = self._processes.get(pid)
            if process is None:
                process = self._processes[pid] = psutil.Process(pid)
                process.cpu_percent()
                return
            with process.oneshot():
                if not entity:
                    resource[SERVICE_NAME] = process.name()
                busy = process.cpu_percent() / 100
                resident = float(process.memory_info().rss)
        except psutil.Error:
            self._processes.pop(pid, None)
            return
        yield _gauge("process.cpu.utilization", "1", busy, resource, now_ns)
        yield _gauge("process.memory.usage", "By", resident, resource, now_ns)


def _gauge(name: str, unit: str, value: float, resource: Attributes, now_ns: int) -> Sample:
    return Sample(name, unit, SampleKind.GAUGE, {}, resource, now_ns, value=value)
