"""Delivery through outages: held in order, bounded, counted, reported once, never in the way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from aftershock.recorder import delivery
from aftershock.recorder.delivery import Delivery, Outage, SanitizingSpanExporter
from aftershock.recorder.drop_counters import drop_counts
from tests.support.otlp_sink import Sink


def test_what_an_outage_held_back_is_delivered_in_order_when_it_is_over() -> None:
    received: list[int] = []
    up = False

    def send(batch: Sequence[int]) -> bool:
        if up:
            received.extend(batch)
        return up

    outage = Outage(write=lambda _line: None)
    items: Delivery[int] = Delivery("numbers", send, outage)
    for n in range(5):
        assert not items.deliver([n])
    up = True
    assert not items.deliver([5])
    outage.retry_at = 0.0
    assert items.deliver([6])

    assert received == [0, 1, 2, 3, 4, 5, 6]


def test_a_long_outage_keeps_the_newest_and_counts_the_rest() -> None:
    lines: list[str] = []
    outage = Outage("http://127.0.0.1:1", write=lines.append)
    items: Delivery[int] = Delivery("many", lambda _batch: False, outage)
    for n in range(delivery.HELD_MAX + 500):
        items.deliver([n])

    assert drop_counts()["undelivered_many"] == 500
    assert len(lines) == 1
    assert lines[0].startswith("aftershock: no collector at http://127.0.0.1:1 (")
    assert lines[0].count("\n") == 1


@pytest.mark.slow
def test_an_attempt_at_a_closed_port_costs_no_time() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{one.getsockname()[1]}"
    outage = Outage(url, write=lambda _line: None)
    items: Delivery[int] = Delivery("x", lambda _batch: time.sleep(5) is None, outage)
    began = time.monotonic()
    items.deliver([1])

    assert time.monotonic() - began < 0.4
    assert outage.reason == "Connection refused"


def test_a_real_exporter_comes_back_after_the_collector_does() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    lines: list[str] = []
    outage = Outage(f"http://127.0.0.1:{port}", write=lines.append)
    outage.quiet()
    exporter = SanitizingSpanExporter(
        [(lambda: OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces", timeout=1), outage)],
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    tracer.start_span("while it is down").end()
    with Sink(port) as sink:
        outage.retry_at = 0.0
        tracer.start_span("when it is up").end()
        assert [span.name for span in sink.spans] == ["while it is down", "when it is up"]
        sink.server.status = 503
        tracer.start_span("while it is busy").end()
        sink.server.status = 200
        outage.retry_at = 0.0
        tracer.start_span("when it is not").end()
        assert [span.name for span in sink.spans][2:] == ["while it is busy", "when it is not"]

    assert len(lines) == 1


def test_what_an_outage_held_back_leaves_with_whatever_is_sent_next() -> None:
    """A process that hangs ends no further span; its heartbeats are log records."""
    outage = Outage(write=lambda _line: None)
    up = False
    received: list[str] = []

    def send(batch: Sequence[str]) -> bool:
        if up:
            received.extend(batch)
        return up

    spans: Delivery[str] = Delivery("spans", send, outage)
    logs: Delivery[str] = Delivery("logs", send, outage)
    spans.deliver(["the call is over"])
    up, outage.retry_at = True, 0.0
    assert logs.deliver(["a heartbeat"])

    assert received == ["a heartbeat", "the call is over"]
    assert spans.deliver(["another call"])
    assert received[-1] == "another call"


def test_two_threads_that_deliver_at_once_send_everything_once() -> None:
    outage = Outage(write=lambda _line: None)
    sent: list[int] = []
    one: Delivery[int] = Delivery("spans", lambda batch: sent.extend(batch) is None, outage)
    other: Delivery[int] = Delivery("logs", lambda batch: sent.extend(batch) is None, outage)

    def work(line: Delivery[int], first: int) -> None:
        for number in range(first, first + 2_000):
            line.deliver([number])

    threads = [
        threading.Thread(target=work, args=(line, first))
        for line, first in ((one, 0), (other, 2_000), (one, 4_000))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(sent) == list(range(6_000))
