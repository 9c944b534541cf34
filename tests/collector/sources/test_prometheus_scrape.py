"""scrape: a real Prometheus endpoint over loopback, and what goes wrong with one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_exposition

from aftershock_collector.config.model import ScrapeTarget
from aftershock_collector.metrics.exposition import OPENMETRICS, samples_of
from aftershock_collector.otlp.wire import Sample, SampleKind
from aftershock_collector.sources import prometheus_scrape
from aftershock_collector.sources.prometheus_scrape import Scraper
from aftershock_collector.sources.silences import Silences
from aftershock_collector.telemetry import Telemetry

CART = {"service.name": "cart"}


@contextmanager
def endpoint(
    body: bytes, content_type: str = "text/plain", wait_s: float = 0.0, code: int = 200
) -> Generator[str]:
    """A server that says the same to everybody, after a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(wait_s)
            self.send_response(code)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry() -> CollectorRegistry:
    known = CollectorRegistry()
    Gauge("queue_length", "waiting", ["queue"], registry=known).labels("mail").set(3)
    Counter("http_requests", "answered", ["code"], registry=known).labels("500").inc(2)
    latency = Histogram("http_request_duration_seconds", "s", buckets=(0.1, 1.0), registry=known)
    for seconds in (0.05, 0.5, 0.5, 5.0):
        latency.observe(seconds)
    Summary("job_seconds", "s", registry=known).observe(2.0)
    return known


def once(
    url: str, every_s: float = 1.0, entity: dict[str, str] | None = None
) -> tuple[list[Sample], Telemetry]:
    target = ScrapeTarget(url, every_s, CART if entity is None else entity)
    telemetry = Telemetry()
    scraper = Scraper([target], lambda _samples: None, telemetry, clock=lambda: 42)

    async def ask() -> list[Sample]:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await scraper.scrape(client, target)

    return asyncio.run(ask()), telemetry


def scrapes(telemetry: Telemetry) -> dict[str, float]:
    """How many scrapes ended how, as the collector's own metrics say."""
    return {
        sample.labels["outcome"]: sample.value
        for family in telemetry.registry.collect()
        for sample in family.samples
        if sample.name == "aftershock_scrapes_total"
    }


@pytest.mark.parametrize("openmetrics", [False, True])
def test_both_formats_give_the_same_samples(openmetrics: bool) -> None:
    known = registry()
    written: Any = openmetrics_exposition
    body: bytes = written.generate_latest(known) if openmetrics else generate_latest(known)
    found = samples_of(body.decode(), OPENMETRICS if openmetrics else "text/plain", CART, 7)
    by_name = {sample.name: sample for sample in found}

    assert set(by_name) == {
        "queue_length",
        "http_requests_total",
        "http_request_duration_seconds",
        "job_seconds",
    }
    assert by_name["queue_length"].value == 3
    assert by_name["queue_length"].attributes == {"queue": "mail"}
    assert (by_name["http_requests_total"].kind, by_name["http_requests_total"].monotonic) == (
        SampleKind.SUM,
        True,
    )
    histogram = by_name["http_request_duration_seconds"]
    assert (histogram.bounds, histogram.buckets) == ((0.1, 1.0), (1, 2, 1))
    assert (histogram.observations, histogram.total) == (4, 6.05)
    assert by_name["job_seconds"].observations == 1
    assert {sample.time_ns for sample in found} == {7}


def test_a_target_that_answers_is_up_and_carries_its_declared_entity() -> None:
    with endpoint(generate_latest(registry())) as url:
        samples, telemetry = once(url)

    assert [s.value for s in samples if s.name == "up"] == [1.0]
    assert {s.resource["service.name"] for s in samples} == {"cart"}
    assert {s.time_ns for s in samples} == {42}
    assert scrapes(telemetry) == {"answered": 1}


def test_a_target_without_a_declared_entity_is_known_by_its_address() -> None:
    with endpoint(b"queue_length 1\n") as url:
        samples, _ = once(url, entity={})

    assert {s.resource["server.address"] for s in samples} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"this is { not metrics\n", "text/plain", 200),
        (b"queue_length 1\n", "application/openmetrics-text; version=1.0.0", 200),  # no # EOF
        (b"\xff\xfe\n", "text/plain", 200),
        (b"queue_length 1\n", "text/plain", 500),
    ],
)
def test_an_answer_that_is_no_answer_makes_the_target_down(
    body: bytes, content_type: str, code: int
) -> None:
    with endpoint(body, content_type, code=code) as url:
        samples, telemetry = once(url)

    assert [(s.name, s.value) for s in samples] == [("up", 0.0)]
    assert scrapes(telemetry) == {"failed": 1}


def test_a_target_that_is_not_there_is_down(caplog: pytest.LogCaptureFixture) -> None:
    with endpoint(b"") as url:
        pass
    samples, _ = once(url)

    assert [(s.name, s.value) for s in samples] == [("up", 0.0)]
    assert "ConnectError" in caplog.text


def test_a_password_in_the_address_of_a_target_is_in_no_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with endpoint(b"", code=404) as url:
        once(url.replace("http://", "http://ops:s3cret@") + "?token=t0ken")

    assert "404" in caplog.text
    assert "s3cret" not in caplog.text
    assert "t0ken" not in caplog.text


@pytest.mark.slow  # it asserts a time
@pytest.mark.parametrize(
    "body",
    [
        b"m{" + b",".join(b'l%d="x"' % number for number in range(200_000)) + b"} 1\n",
        b"m 1\n" * 500_000,
    ],
    ids=["labels", "lines"],
)
def test_a_target_with_much_to_say_does_not_keep_the_collector_from_answering(body: bytes) -> None:
    """A line of many labels took time that grows with its square, in the event loop."""
    longest_s = 0.0

    async def ticking() -> None:
        nonlocal longest_s
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - began_s)

    async def attack(url: str) -> None:
        target = ScrapeTarget(url, 5.0, CART)
        scraper = Scraper([target], lambda _samples: None, Telemetry(), clock=lambda: 42)
        beside = asyncio.create_task(ticking())
        async with httpx.AsyncClient() as client:
            await scraper.scrape(client, target)
        await asyncio.sleep(0.02)  # it sees how long it had to wait
        beside.cancel()

    with endpoint(body) as url:
        asyncio.run(attack(url))

    assert longest_s < 2.0


def test_a_target_that_is_slow_is_down_after_its_time_limit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with endpoint(b"queue_length 1\n", wait_s=1.5) as url:
        samples, _ = once(url, every_s=0.2)

    assert [(s.name, s.value) for s in samples] == [("up", 0.0)]
    assert "Timeout" in caplog.text


def test_a_body_without_end_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(prometheus_scrape, "BODY_BYTES_MAX", 1_000)
    with endpoint(b"queue_length 1\n" * 100_000) as url:
        samples, _ = once(url)

    assert [(s.name, s.value) for s in samples] == [("up", 0.0)]
    assert "more than 1000 bytes" in caplog.text


def test_each_target_is_read_at_its_own_interval_and_one_that_hangs_delays_no_other() -> None:
    received: list[tuple[str, float]] = []

    def deliver(samples: list[Sample]) -> None:
        received.append((str(samples[0].resource["service.name"]), time.monotonic()))

    async def listen(targets: list[ScrapeTarget]) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.9):
                await Scraper(targets, deliver, Telemetry()).run()

    with endpoint(b"queue_length 1\n") as quick, endpoint(b"x 1\n", wait_s=1.0) as hangs:
        asyncio.run(
            listen(
                [
                    ScrapeTarget(quick, 0.1, {"service.name": "quick"}),
                    ScrapeTarget(quick + "?slow", 0.4, {"service.name": "slow"}),
                    ScrapeTarget(hangs, 0.1, {"service.name": "hangs"}),
                ]
            )
        )

    names = [name for name, _ in received]
    assert 5 <= names.count("quick") <= 10
    assert 2 <= names.count("slow") <= 3
    assert "hangs" not in names


def test_histograms_that_make_no_sense_are_left_out() -> None:
    text = (
        "# TYPE d histogram\n"
        'd_bucket{le="0.1"} 5\nd_bucket{le="1.0"} 3\nd_bucket{le="+Inf"} 6\nd_sum 1\nd_count 6\n'
        "# TYPE n gauge\nn NaN\n"
    )

    assert samples_of(text, "text/plain", CART, 1) == []


@pytest.mark.parametrize(
    ("busy_s", "received"), [(0.0, [("up", 0.0)]), (0.3, [])], ids=["free", "starved"]
)
def test_a_time_limit_that_passed_while_the_collector_itself_did_not_run_is_no_data(
    busy_s: float, received: list[tuple[str, float]], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[str, float | None]] = []
    telemetry = Telemetry()

    async def starve() -> None:
        while True:
            time.sleep(busy_s)  # noqa: ASYNC251  (nothing else of this loop runs)
            await asyncio.sleep(0.02)

    async def listen(target: ScrapeTarget) -> None:
        scraper = Scraper(
            [target], lambda samples: seen.extend((s.name, s.value) for s in samples), telemetry
        )
        tasks = [asyncio.create_task(scraper.run()), asyncio.create_task(starve())]
        for _ in range(200):
            if "aftershock_scrapes_total{" in telemetry.exposition()[0].decode():
                break
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with endpoint(b"x 1\n", wait_s=4.0) as hangs:
        asyncio.run(listen(ScrapeTarget(hangs, 2.0, CART)))

    assert seen == received
    assert ("this collector did not run for" in caplog.text) == (busy_s > 0)
    outcome = "starved" if busy_s else "failed"
    assert f'aftershock_scrapes_total{{outcome="{outcome}"}} 1.0' in (
        telemetry.exposition()[0].decode()
    )


def test_a_password_in_the_address_of_an_alertmanager_is_in_no_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def read(url: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await Silences(url, lambda _silences: None).run()

    with endpoint(b"", code=500) as url:
        asyncio.run(read(url.replace("http://", "http://ops:s3cret@")))

    assert "HTTP 500" in caplog.text
    assert "s3cret" not in caplog.text
