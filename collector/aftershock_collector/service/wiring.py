"""The wiring of `aftershock up`: sockets, clock and threads around the judging core."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any, TypeVar

from aftershock.model import Report, Step
from aftershock.policy.policy import Policy
from aftershock_collector.access.exposure import check_exposure
from aftershock_collector.access.tokens import Tokens
from aftershock_collector.config.model import Address, Config
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.agent_telemetry import Hear
from aftershock_collector.export.otlp_forward import Forwarder
from aftershock_collector.metrics.queries import Prometheus
from aftershock_collector.metrics.series import Series
from aftershock_collector.notify.deliverer import Deliverer, receivers_of, renewals, senders
from aftershock_collector.notify.grafana_annotations import GRAFANA, GrafanaAnnotations
from aftershock_collector.notify.notifications import Messages
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.reading.decoder import PROTOBUF, Signal
from aftershock_collector.service.worker import Draw, Tell, Worker
from aftershock_collector.sources import otlp_grpc, otlp_http
from aftershock_collector.sources.descriptors import raise_limit
from aftershock_collector.sources.host_metrics import HostMetrics
from aftershock_collector.sources.ingest_queue import IngestQueue
from aftershock_collector.sources.prometheus_query import Poller, PrometheusSource
from aftershock_collector.sources.prometheus_scrape import Scraper
from aftershock_collector.store.home_lock import held
from aftershock_collector.store.interface import Delivery, Store, StoreUnavailable
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.views import web

THERE_S = 10.0  # for the intake's thread to answer: a judge that hangs must not hang a page
TAKEN_AT_ONCE = 200  # series of Prometheus between two arrivals: a tenth of a second at most
PRUNE_EVERY_S = 60.0  # a bounded piece of work each time; a full day's spans go within the hour

Found = TypeVar("Found")

log = logging.getLogger("aftershock")


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running collector can be reached."""

    http: Address
    grpc: Address
    judging: Worker
    telemetry: Telemetry


def prepare_process() -> None:
    """What a process does for speed that does nothing but collect.

    Steps live for minutes: looking for garbage at every 700 new objects costs a tenth of the time.
    """
    gc.set_threshold(20_000, 20, 50)
    raise_limit()


async def serve(config: Config, ready: Callable[[Running], None]) -> None:
    """Run until SIGINT or SIGTERM. Raises OSError where an address cannot be had."""
    prepare_process()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with running(config) as collector:
        ready(collector)
        await stopping.wait()


@asynccontextmanager
async def running(config: Config) -> AsyncGenerator[Running]:
    """A whole collector while inside: everything that was acknowledged is stored at the end."""
    check_exposure(config, Tokens(config.tokens))
    telemetry = Telemetry()
    async with AsyncExitStack() as stack:
        stack.enter_context(held(config.home))
        store = stack.enter_context(closing(SqliteStore.open(config.store)))
        reader = stack.enter_context(closing(Reader.open(config.store)))
        engine = _engine(config)
        messages = Messages(
            [receiver for receiver in receivers_of(config.on_call) if receiver != GRAFANA],
            link=config.on_call.link or f"http://{config.http}",
            home_of=engine.home_of,
        )
        hear = None
        if config.activity_log_url is not None:
            storyteller = Forwarder(config.activity_log_url, telemetry, config)
            await stack.enter_async_context(storyteller.running())
            hear = _telling(storyteller)
        tell, draw = _told(config, messages, telemetry)
        judging = Worker(engine, store, reader, telemetry, tell, messages.rank_suspects, hear, draw)
        judging.resume(time.time_ns())
        messages.resume(reader.claims(open_only=True))
        policy = engine.policy
        intake = IngestQueue(
            store,
            telemetry,
            config,
            readers=judging.readers,
            consume=judging.consume,
            suspects=judging.answer,
        )
        intake.start()
        stack.callback(intake.stop)
        offer = intake.submit
        if config.forward_url is not None:
            forwarder = Forwarder(config.forward_url, telemetry, config)
            await stack.enter_async_context(forwarder.running())
            offer = forwarder.forwarding(offer)

        def degraded() -> list[str]:
            return [intake.degraded] if intake.degraded else []

        shown = web.routes(config.store, policy, _series_around(engine, intake))
        app = otlp_http.otlp_app(offer, telemetry, config, degraded, shown)
        http = await stack.enter_async_context(
            otlp_http.listening(app, config.http, telemetry, config)
        )
        grpc = await stack.enter_async_context(
            otlp_grpc.listening(offer, telemetry, config, config.grpc)
        )
        alarms = messages.open_pages
        stack.enter_context(
            Deliverer(
                SqliteOutbox(store),
                telemetry,
                senders(config.on_call, alarms),
                renewals(config.on_call, alarms),
            )
        )
        for work in _background(config, intake, judging, store, telemetry):
            stack.callback(asyncio.create_task(work).cancel)
        yield Running(http, grpc, judging, telemetry)


def _engine(config: Config) -> Engine:
    infrastructure = config.infrastructure
    asked = infrastructure.prometheus
    return Engine(
        Policy.from_mapping(config.document),
        series_max=config.series_max,
        observation_window_s=infrastructure.observation_window_s,
        topology=infrastructure.topology,
        patience_s=0.0 if asked is None else 2 * asked.step_s + asked.timeout_s,
    )


def _telling(storyteller: Forwarder) -> Hear:
    """Hands what was told on the judging thread to the loop that sends it."""
    loop = asyncio.get_running_loop()

    def hear(logs: bytes) -> None:
        loop.call_soon_threadsafe(storyteller.put, Signal.LOGS, logs, PROTOBUF)

    return hear


def _told(config: Config, messages: Messages, telemetry: Telemetry) -> tuple[Tell, Draw | None]:
    """What is told of findings, and what is drawn of actions where a Grafana is configured."""
    if config.on_call.grafana_url is None:
        return messages.tell, None
    drawing = GrafanaAnnotations()

    def tell(report: Report) -> Iterable[Delivery]:
        return [*messages.tell(report), *drawing.findings(report)]

    def draw(steps: Iterable[Step], now_ns: int) -> Iterable[Delivery]:
        drawn = drawing.actions(steps, now_ns)
        telemetry.drop(drawing.dropped)
        drawing.dropped.clear()
        return drawn

    return tell, draw


async def _there(intake: IngestQueue, work: Callable[[], Found]) -> Found:
    """What `work` finds on the intake's thread, which owns everything that is judged.

    Raises TimeoutError where that thread has no time for it.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Found] = loop.create_future()

    def tell(value: Found) -> None:
        if not found.done():
            found.set_result(value)

    intake.call(lambda: loop.call_soon_threadsafe(tell, work()))
    return await asyncio.wait_for(found, THERE_S)


def _series_around(engine: Engine, intake: IngestQueue) -> web.SeriesAround:
    """Series as they are in memory."""

    async def around(entities: Sequence[str], start_ns: int, end_ns: int) -> Sequence[Series]:
        return await _there(
            intake, lambda: engine.correlator.series.window(entities, start_ns, end_ns)
        )

    return around


async def _poll(
    told: Prometheus, engine: Engine, intake: IngestQueue, telemetry: Telemetry
) -> None:
    """Ask Prometheus while actions are watched."""

    async def wanted() -> bool:
        try:
            return await _there(intake, lambda: engine.correlator.observer.wants(time.time_ns()))
        except TimeoutError:
            return False  # whoever has no time to answer has none to look either

    def deliver(
        series: Sequence[Series], aliases: Mapping[str, str], problems: tuple[str, ...]
    ) -> None:
        for start in range(0, max(1, len(series)), TAKEN_AT_ONCE):
            part = series[start : start + TAKEN_AT_ONCE]
            intake.call(lambda part=part: engine.correlator.record_series(part, aliases, problems))

    with closing(PrometheusSource(told)) as source:
        await Poller(source, wanted, deliver, telemetry).run()


def _background(
    config: Config, intake: IngestQueue, judging: Worker, store: Store, telemetry: Telemetry
) -> Sequence[Coroutine[Any, Any, None]]:
    """What goes on beside the servers. Everything that judges runs on the intake's thread."""

    def deliver(samples: list[Sample]) -> None:
        intake.call(lambda: judging.measure(samples))

    def tick() -> None:
        judging.tick(time.time_ns())

    def prune() -> None:
        before_ns = time.time_ns() - int(config.keep_s * 1e9)
        try:
            pruned = store.prune(before_ns, config.store_bytes_max)
        except StoreUnavailable as error:
            telemetry.store_unavailable(error.reason, str(error))
            return
        for table, rows in pruned.rows.items():
            telemetry.pruned.labels(table).inc(rows)
        telemetry.store_bytes.set(store.size_bytes())
        if pruned.more:
            intake.call(prune)

    infrastructure = config.infrastructure
    work = [_every(config.tick_s, lambda: intake.call(tick))]
    work.append(_every(PRUNE_EVERY_S, lambda: intake.call(prune)))
    if infrastructure.scrape:
        work.append(Scraper(infrastructure.scrape, deliver).run())
    if infrastructure.host:
        work.append(HostMetrics(infrastructure.host_every_s, deliver).run())
    if infrastructure.prometheus is not None:
        work.append(_poll(infrastructure.prometheus, judging.engine, intake, telemetry))
    return work


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        work()
