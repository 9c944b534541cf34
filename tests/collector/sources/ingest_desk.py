"""An ingest queue with its store, and the bodies that are submitted to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from aftershock.model import Step
from aftershock.policy.policy import EMPTY
from aftershock_collector.access.run_owners import RunOwners
from aftershock_collector.config.model import Config
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.decoder import Readers
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.sources.ingest_queue import IngestQueue
from aftershock_collector.sources.requests import (
    Answer,
    Observations,
    Signal,
)
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support.traffic import any_runs, span_request

PROTOBUF = "application/x-protobuf"
SENDER = "10.0.0.7"


def sample_request() -> bytes:
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name="m", unit="1")
    metric.gauge.data_points.add(time_unix_nano=5, as_double=1.5)
    return data.SerializeToString()


class Desk:
    """An ingest queue with its store, and everything that it handed on."""

    def __init__(self, home: Path) -> None:
        self.config = replace(Config(home), answer_s=10.0)
        self.store = SqliteStore.open(self.config.store)
        self.telemetry = Telemetry()
        self.arrived: list[Observations] = []
        self.before_consuming: Callable[[], None] = lambda: None
        self.read_span: Callable[[Span], Step | None] = lambda span: read(span, EMPTY)
        self.queue: IngestQueue | None = None

    def open(self) -> IngestQueue:
        def consume(arrived: Observations) -> None:
            self.before_consuming()
            self.arrived.append(arrived)

        self.queue = IngestQueue(
            self.store,
            self.telemetry,
            self.config,
            readers=lambda _sender: Readers(self.read_span, lambda event: read_event(event, EMPTY)),
            owners=RunOwners(lambda _run_id: ""),
            consume=consume,
        )
        self.queue.start()
        return self.queue

    def submit(self, *bodies: bytes, signal: Signal = Signal.TRACES) -> list[Answer]:
        """All at once, from one event loop."""
        queue = self.queue or self.open()

        async def submit_all() -> list[Answer]:
            return await asyncio.gather(
                *(queue.submit(signal, b, PROTOBUF, SENDER) for b in bodies)
            )

        return asyncio.run(submit_all())

    def count(self, table: str = "spans") -> int:
        with Reader.open(self.config.store) as reader:
            return reader.counts()[table]

    def metric(self, name: str, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(f"aftershock_{name}", labels) or 0.0

    def fill(self) -> None:
        """No page more than there is."""
        ((pages,),) = self.store.select("PRAGMA page_count")
        self.store.select(f"PRAGMA max_page_count = {pages}")

    def make_room(self) -> None:
        self.store.select("PRAGMA max_page_count = 1000000")


def bodies_of(count: int, seed: int = 1) -> list[bytes]:
    return [span_request(run.spans) for run in any_runs(random.Random(seed), count)]


def spans_in(*bodies: bytes) -> int:
    runs = any_runs(random.Random(1), 10_000)
    wanted = set(bodies)
    total = 0
    for run in runs:
        body = span_request(run.spans)
        if body in wanted:
            total += len(run.spans)
            wanted.remove(body)
        if not wanted:
            return total
    raise AssertionError("not one of ours")
