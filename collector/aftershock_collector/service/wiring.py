"""The wiring of `aftershock up`: which source feeds which part, and the clock and threads.

Sources (OTLP over HTTP and gRPC, scraping, Prometheus queries, this host) hand requests or samples
to the ingest queue. Its thread decodes, commits, and runs the worker with its engine. The worker's
reports go to the store; the deliverer sends what the store holds to the receivers.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psutil

from aftershock.model import Run
from aftershock.policy.policy import Policy
from aftershock_collector.access.exposure import check_exposure, notice
from aftershock_collector.access.run_owners import RunOwners
from aftershock_collector.access.tokens import Tokens
from aftershock_collector.config.model import Address, Config
from aftershock_collector.engine.engine import Engine
from aftershock_collector.engine.memory_share import MemoryShare
from aftershock_collector.export.agent_telemetry import SendLogs
from aftershock_collector.export.otlp_forward import Forwarder
from aftershock_collector.metrics.series import Series
from aftershock_collector.notify.deliverer import Deliverer
from aftershock_collector.notify.notifications import Notifications, Settings
from aftershock_collector.notify.page_links import Links
from aftershock_collector.notify.receivers import paging, unpaged
from aftershock_collector.notify.routing import team_of
from aftershock_collector.notify.signed_links import LinkSigner
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.reading.decoder import PROTOBUF, Signal
from aftershock_collector.service.controlled import Controlled
from aftershock_collector.service.freed_memory import give_back, prepare_malloc
from aftershock_collector.service.rounds import EarlyRounds
from aftershock_collector.service.run_contexts import RunContexts
from aftershock_collector.service.signing_in import signing_in
from aftershock_collector.service.standby import open_store
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources import otlp_grpc, otlp_http
from aftershock_collector.sources.descriptors import raise_limit
from aftershock_collector.sources.host_metrics import HostMetrics
from aftershock_collector.sources.ingest_queue import IngestQueue
from aftershock_collector.sources.log_files import LogFollower
from aftershock_collector.sources.prometheus_query import LevelPoller, Poller, PrometheusSource
from aftershock_collector.sources.prometheus_scrape import Scraper
from aftershock_collector.sources.source import Source
from aftershock_collector.store.home_lock import held
from aftershock_collector.store.interface import Store, StoreUnavailable
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.views import web
from aftershock_collector.views.incident_web import IncidentViews

ANSWER_S = 10.0  # to wait for the worker thread: a hung worker must not hang a web request
RUN_S = 0.25  # to wait for it before a call: a hook that is slow is switched off
SWITCH_S = 0.002  # that a thread computes before another one may; Python's own 5 ms add up
SERIES_AT_ONCE = 200  # recorded between two requests: a tenth of a second at most
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
    """Tune the process for collecting.

    Steps live for minutes: a garbage collection after every 700 objects costs a tenth of the time.
    Threads unpack what arrives: whoever asks the event loop must not wait for one of them for long.
    """
    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(SWITCH_S)
    prepare_malloc()
    raise_limit()
    os.umask(0o077)  # whatever is written belongs to its owner alone


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
        store = stack.enter_context(closing(await open_store(config, telemetry)))
        reader = stack.enter_context(closing(Reader.open(config.store)))
        engine = _engine(config)
        notifications = Notifications(_page_settings(config, engine, reader))
        send_logs = None
        if config.activity_log_url is not None:
            activity_log = Forwarder(config.activity_log_url, telemetry, config)
            await stack.enter_async_context(activity_log.running())
            send_logs = _to_loop(activity_log)
        rate = config.on_call.pages_per_minute_max
        deliverer = Deliverer(SqliteOutbox(store), telemetry, notifications.receivers, rate)
        worker = Worker(
            engine, store, reader, telemetry, notifications, send_logs, deliverer.send_now
        )
        worker.deleted_rows_max = config.infrastructure.deleted_rows_max
        worker.resume(time.time_ns())
        control = Controlled.of(config, engine.policy, store, reader)
        control.follow(worker)
        queue = IngestQueue(
            store,
            telemetry,
            config,
            readers=worker.readers,
            owners=RunOwners(worker.owner, config.shared_runs),
            consume=control.consuming(worker.consume),
            suspects=worker.answer,
        )
        stack.callback(control.keep_counts)  # once the queue has counted all
        queue.start()
        stack.callback(queue.stop)
        submit = queue.submit
        if config.forward_url is not None:
            forwarder = Forwarder(config.forward_url, telemetry, config)
            await stack.enter_async_context(forwarder.running())
            submit = forwarder.forwarding(submit)

        def degraded() -> list[str]:
            return [queue.degraded] if queue.degraded else []

        telemetry.receivers.set(len(paging(config.on_call)))
        incidents = _incident_views(config, engine.policy, store)
        around = _series_around(engine, queue)
        notices = [one for one in (notice(config), unpaged(config.on_call)) if one]
        shown = web.routes(incidents, around, lambda: [*notices, *worker.notices])
        shown += control.routes(_run_of(engine, queue))
        shown += control.answering(config, lambda reason: telemetry.refuse("http", reason))
        sessions = signing_in(config, shown)
        app = otlp_http.otlp_app(submit, telemetry, config, degraded, shown, sessions=sessions)
        http = await stack.enter_async_context(
            otlp_http.listening(app, config.http, telemetry, config)
        )
        grpc = await stack.enter_async_context(
            otlp_grpc.listening(submit, telemetry, config, config.grpc)
        )
        stack.enter_context(deliverer)
        stack.callback(control.board.close)
        sources = [s.run() for s in _sources(config, queue, worker, control, telemetry, stack)]
        for work in (
            *_background(config, queue, worker, store, telemetry),
            *control.background(),
            *sources,
        ):
            stack.callback(asyncio.create_task(work).cancel)
        yield Running(http, grpc, worker, telemetry)


def _engine(config: Config) -> Engine:
    infrastructure = config.infrastructure
    prometheus = infrastructure.prometheus
    return Engine(
        Policy.from_mapping(config.document),
        series_max=config.series_max,
        bytes_max=MemoryShare(config.memory_bytes_max).most,
        observation_window_s=infrastructure.observation_window_s,
        topology=infrastructure.topology,
        patience_s=0.0 if prometheus is None else 2 * prometheus.step_s + prometheus.timeout_s,
    )


def _to_loop(activity_log: Forwarder) -> SendLogs:
    """Hand encoded logs from the worker thread to the event loop that sends them."""
    loop = asyncio.get_running_loop()

    def send_logs(logs: bytes) -> None:
        loop.call_soon_threadsafe(activity_log.put, Signal.LOGS, logs, PROTOBUF)

    return send_logs


def _page_settings(config: Config, engine: Engine, reader: Reader) -> Settings:
    """Where pages go, what they link to, and what they say about a run."""
    on_call = config.on_call
    base = (on_call.link or f"http://{config.http}").rstrip("/")
    signer = LinkSigner.of(config.home)
    links = Links(base, on_call.dashboards, signer, on_call.trace_url)
    return Settings(on_call, links, RunContexts(engine, reader).of)


def _incident_views(config: Config, policy: Policy, store: Store) -> IncidentViews:
    """The incident's own page, which says and links what its messages do."""
    on_call = config.on_call
    return IncidentViews(
        config.store,
        policy,
        store,
        LinkSigner.of(config.home).accepts,
        partial(team_of, on_call.routes),
        Links(grafana=on_call.dashboards, trace_url=on_call.trace_url),
    )


async def _on_worker_thread(queue: IngestQueue, work: Callable[[], Found]) -> Found:
    """Run `work` on the worker thread, which owns the engine; returns what it returns.

    Raises TimeoutError where that thread does not get to it in time.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Found] = loop.create_future()

    def resolve(value: Found) -> None:
        if not found.done():
            found.set_result(value)

    queue.call(lambda: loop.call_soon_threadsafe(resolve, work()))
    return await asyncio.wait_for(found, ANSWER_S)


def _series_around(engine: Engine, queue: IngestQueue) -> web.SeriesAround:
    """Reads series that are in memory, for the pages' charts."""

    async def around(entities: Sequence[str], start_ns: int, end_ns: int) -> Sequence[Series]:
        return await _on_worker_thread(
            queue, lambda: engine.correlator.series.window(entities, start_ns, end_ns)
        )

    return around


def _run_of(engine: Engine, queue: IngestQueue) -> Callable[[str], Awaitable[Run | None]]:
    """Reads a live run for a decision before a call; None where the worker is too busy."""

    async def run_of(run_id: str) -> Run | None:
        try:
            work = _on_worker_thread(queue, lambda: engine.run(run_id, time.time_ns()))
            return await asyncio.wait_for(work, RUN_S)
        except TimeoutError:
            return None

    return run_of


def _sources(  # noqa: PLR0917 (parts of one collector)
    config: Config,
    queue: IngestQueue,
    worker: Worker,
    control: Controlled,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> Iterator[Source]:
    """Every source that fetches by itself, and what it hands to the worker's thread."""

    def deliver(samples: list[Sample]) -> None:
        queue.call(lambda: worker.measure(samples))
        control.measure(samples)

    infrastructure = config.infrastructure
    if infrastructure.scrape:
        yield Scraper(infrastructure.scrape, deliver, telemetry)
    if infrastructure.host:
        yield HostMetrics(infrastructure.host_every_s, deliver)
    if infrastructure.logs:
        yield LogFollower(
            infrastructure.logs,
            lambda read: queue.call(lambda: worker.read_logs(read)),
            telemetry,
            clock=time.time_ns,
            places=worker.log_places(),
            deleted_rows_max=infrastructure.deleted_rows_max,
        )
    if infrastructure.prometheus is not None:
        prometheus = stack.enter_context(closing(PrometheusSource(infrastructure.prometheus)))
        yield _poller(prometheus, worker.engine, queue, telemetry)
        asked = stack.enter_context(closing(PrometheusSource(infrastructure.prometheus)))
        guards = control.safeguarding
        yield LevelPoller(asked, guards.metrics, guards.measure, telemetry)


def _poller(
    prometheus: PrometheusSource, engine: Engine, queue: IngestQueue, telemetry: Telemetry
) -> Poller:
    """Queries Prometheus while actions are observed."""

    async def wanted() -> bool:
        try:
            return await _on_worker_thread(
                queue, lambda: engine.correlator.observer.wants(time.time_ns())
            )
        except TimeoutError:
            return False  # the worker is too busy to use new series

    def deliver(
        series: Sequence[Series], aliases: Mapping[str, str], problems: tuple[str, ...]
    ) -> None:
        for start in range(0, max(1, len(series)), SERIES_AT_ONCE):
            part = series[start : start + SERIES_AT_ONCE]
            queue.call(lambda part=part: engine.correlator.record_series(part, aliases, problems))

    return Poller(prometheus, wanted, deliver, telemetry)


def _background(
    config: Config, queue: IngestQueue, worker: Worker, store: Store, telemetry: Telemetry
) -> Sequence[Coroutine[Any, Any, None]]:
    """Periodic work beside the servers. Whatever touches the engine runs on the worker thread."""
    engine, share, process = worker.engine, MemoryShare(config.memory_bytes_max), psutil.Process()

    def tick() -> None:
        _check_file(store, telemetry)
        if share.is_near(process.memory_info().rss):
            give_back()
        engine.allow(share.allowed(process.memory_info().rss, engine.size_bytes))
        worker.tick(time.time_ns(), queue.refused())

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
            queue.call(prune)

    rounds = EarlyRounds(tick, queue.call)
    worker.on_arrival = rounds.arrived
    return [
        _every(config.tick_s, lambda: queue.call(rounds.conclude)),
        _every(PRUNE_EVERY_S, lambda: queue.call(prune)),
    ]


def _check_file(store: Store, telemetry: Telemetry) -> None:
    try:
        store.check_file()
    except StoreUnavailable as error:
        telemetry.store_unavailable(error.reason, str(error))


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        work()
