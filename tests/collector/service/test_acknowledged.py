"""kill -9 on a whole collector under real exporters: nothing that was acknowledged is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.support.otlp_sender import recorded_spans

COLLECTOR = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import serve
anywhere = Address("127.0.0.1", 0)
config = replace(Config(Path(sys.argv[1])), http=anywhere, grpc=anywhere)
asyncio.run(serve(config, lambda running: print(running.http, running.grpc, flush=True)))
"""
SENDERS = 4
BATCHES_BEFORE_THE_KILL = 5  # of each sender


class Sender(threading.Thread):
    """Exports batch after batch until the collector is gone; remembers what was acknowledged."""

    def __init__(self, exporter: Any, name: str) -> None:
        super().__init__()
        self.exporter = exporter
        self.run_id = name
        self.acknowledged: set[str] = set()
        self.batches = 0
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            spans = recorded_spans(20, self.run_id)
            if self.exporter.export(spans) is not SpanExportResult.SUCCESS:
                return
            self.acknowledged |= {f"{span.context.span_id:016x}" for span in spans if span.context}
            self.batches += 1


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_acknowledged_is_lost_when_the_collector_is_stopped(
    tmp_path: Path, stop: signal.Signals
) -> None:
    command = [sys.executable, "-c", COLLECTOR, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as collector:
        assert collector.stdout is not None
        http, grpc = collector.stdout.readline().split()
        makers: list[Callable[[], Any]] = [
            lambda: HttpExporter(f"http://{http}/v1/traces", timeout=2),
            lambda: GrpcExporter(grpc, insecure=True, timeout=2),
        ]
        senders = [Sender(makers[n % 2](), f"run-{n}") for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        while min(sender.batches for sender in senders) < BATCHES_BEFORE_THE_KILL:
            time.sleep(0.01)
        collector.send_signal(stop)
        for sender in senders:
            sender.stopping = True
        collector.wait(20)
    for sender in senders:
        sender.join(20)
        sender.exporter.shutdown()

    store = SqliteStore.open(tmp_path / "aftershock.db")
    assert store.select("PRAGMA integrity_check") == [("ok",)]
    store.close()
    with Reader.open(tmp_path / "aftershock.db") as reader:
        for sender in senders:
            assert len(sender.acknowledged) > 0
            kept = {span.span_id for span in reader.spans(sender.run_id)}
            assert sender.acknowledged - kept == set()
