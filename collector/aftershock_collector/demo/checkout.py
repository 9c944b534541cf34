"""The checkout service: worker processes behind one port, and the API that scales them.

`python -m aftershock_collector.demo.checkout --database ADDRESS` prints its two addresses as JSON.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import tempfile
import threading
from collections.abc import Iterable
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import (
    MultiProcessCollector,
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType]
)
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aftershock_collector.demo.processes import announce, stop_event
from aftershock_collector.demo.serving import application, listen, metrics_route, served, url_of

START_EVERY_S = 0.4  # a rollout is rolling: one worker after the other
WORKERS_MAX = 32


def run_worker(listener: socket.socket, address: str, pool_size: int, ready: Event) -> None:
    """A worker's whole life. Imported there: its metrics need the folder that the service sets."""
    from aftershock_collector.demo.checkout_worker import serve  # noqa: PLC0415

    serve(listener, address, pool_size, ready)


class Checkout:
    """The set of workers, wanted and running."""

    def __init__(self, address: str, pool_size: int, metrics: Path) -> None:
        # Workers read this on import; this process only adds up what they wrote.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        self.settings = (address, pool_size)
        self.metrics = metrics
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["aftershock_collector.demo.checkout_worker"])
        self.listener = listen()
        self.workers: list[tuple[BaseProcess, Event]] = []
        self.wanted = 0
        self.changed = threading.Event()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.keep_wanted, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Where customers go."""
        return f"{url_of(self.listener)}/checkout"

    def keep_wanted(self) -> None:
        """Start or stop one worker at a time until there are as many as wanted."""
        while not self.stopped.is_set():
            for worker in [w for w in self.workers if not w[0].is_alive()]:
                self.forget(worker)
            if len(self.workers) < self.wanted:
                self.start_worker()
                self.stopped.wait(START_EVERY_S)
            elif len(self.workers) > self.wanted:
                self.stop_worker(self.workers[-1])
            else:
                self.changed.wait(1.0)
                self.changed.clear()

    def start_worker(self) -> None:
        """Start one process that accepts from the shared listener."""
        ready = self.context.Event()
        process = self.context.Process(
            target=run_worker, args=(self.listener, *self.settings, ready), daemon=True
        )
        process.start()
        self.workers.append((process, ready))

    def stop_worker(self, worker: tuple[BaseProcess, Event]) -> None:
        """Let one process finish; end it if it does not."""
        process = worker[0]
        process.terminate()
        process.join(timeout=3)
        if process.is_alive():
            process.kill()
            process.join(timeout=3)
        self.forget(worker)

    def forget(self, worker: tuple[BaseProcess, Event]) -> None:
        """Remove a process that has ended."""
        self.workers.remove(worker)
        pid = worker[0].pid
        assert pid is not None
        mark_process_dead(pid, str(self.metrics))

    def status(self, _request: Request) -> Response:
        """How the rollout goes."""
        workers = list(self.workers)
        ready = sum(event.is_set() for _, event in workers)
        done = ready == len(workers) == self.wanted
        return JSONResponse(
            {
                "service": "checkout",
                "state": "ready" if done else "rolling out",
                "workers": {"wanted": self.wanted, "running": len(workers), "ready": ready},
            }
        )

    async def scale(self, request: Request) -> Response:
        """Ask for another number of workers."""
        workers = int((await request.json())["workers"])
        self.want(workers)
        return JSONResponse({"service": "checkout", "accepted": True, "workers": workers})

    def want(self, workers: int) -> None:
        """Roll out another number of workers. Raises ValueError where it is out of range."""
        if not 1 <= workers <= WORKERS_MAX:
            raise ValueError(f"workers must be between 1 and {WORKERS_MAX}")
        self.wanted = workers
        self.changed.set()

    def stop(self) -> None:
        """Stop every worker."""
        self.stopped.set()
        self.changed.set()
        self.thread.join(timeout=5)
        for process, _ in self.workers:
            process.terminate()
        for worker in list(self.workers):
            self.stop_worker(worker)
        self.listener.close()


class ProcessUse(Collector):
    """What one worker process uses of the host, on average, and how many are wanted."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.known: dict[int, psutil.Process] = {}

    def collect(self) -> Iterable[Metric]:
        """The number wanted, the share of a CPU since the last scrape, and resident memory."""
        pids = [process.pid for process, _ in list(self.checkout.workers) if process.pid]
        shares: list[float] = []
        sizes: list[int] = []
        known: dict[int, psutil.Process] = {}
        for pid in pids:
            try:
                use = known[pid] = self.known.get(pid) or psutil.Process(pid)
                shares.append(use.cpu_percent() / 100)
                sizes.append(use.memory_info().rss)
            except psutil.Error:
                continue  # it ended a moment ago
        self.known = known
        wanted = self.checkout.wanted
        yield GaugeMetricFamily("checkout_workers_wanted", "Worker processes", value=wanted)
        if sizes:
            cpu, memory = sum(shares) / len(shares), sum(sizes) / len(sizes)
            yield GaugeMetricFamily("worker_cpu_utilization", "Share of one CPU", value=cpu)
            yield GaugeMetricFamily("worker_resident_memory_bytes", "Memory", value=memory)


def latency(registry: CollectorRegistry, _request: Request) -> Response:
    """The 95th percentile of all answers so far: the upper bound of its bucket."""
    buckets = sorted(
        (float(sample.labels["le"]), sample.value)
        for family in registry.collect()
        if family.name == "http_request_duration_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket")
    )
    total = buckets[-1][1] if buckets else 0
    p95_s = next((bound for bound, count in buckets if total and count >= 0.95 * total), None)
    p95_ms = None if p95_s is None else round(1000 * p95_s)
    return JSONResponse({"service": "checkout", "p95_ms": p95_ms})


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pool", type=int, default=5, help="connections of each worker")
    options = parser.parse_args()
    stopped = stop_event()
    with tempfile.TemporaryDirectory(prefix="checkout-metrics-") as metrics:
        checkout = Checkout(options.database, options.pool, Path(metrics))
        checkout.want(options.workers)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=metrics)
        registry.register(ProcessUse(checkout))
        wanted = Gauge("workers_wanted", "Workers that were asked for", registry=registry)
        wanted.set_function(lambda: checkout.wanted)
        app = application(
            [
                Route("/admin/status", checkout.status),
                Route("/admin/scale", checkout.scale, methods=["POST"]),
                Route("/admin/latency", partial(latency, registry)),
                metrics_route(registry),
            ]
        )
        with served(app) as url:
            announce(url=checkout.url, admin=url)
            stopped.wait()
        checkout.stop()


if __name__ == "__main__":
    main()
