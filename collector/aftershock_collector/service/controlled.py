"""Control in a running collector: what it is fed, and what it does beside the servers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.routing import Route

from aftershock.model import Run, Step
from aftershock.policy.policy import Policy
from aftershock_collector.config.model import Config
from aftershock_collector.control.answer_routes import routes as answer_routes
from aftershock_collector.control.approval_pages import ApprovalPages
from aftershock_collector.control.board import REFRESH_S, Board
from aftershock_collector.control.day_counts import DayCounts, KeptDay
from aftershock_collector.control.hooks import Hooks
from aftershock_collector.control.knowledge import FIRING_S, Knowledge
from aftershock_collector.control.preflight import Preflight
from aftershock_collector.control.routes import routes
from aftershock_collector.control.safeguarding import Safeguarding
from aftershock_collector.notify.approval_page import AnswerLinks
from aftershock_collector.notify.receivers import paging
from aftershock_collector.notify.signed_links import LinkSigner
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources.requests import Observations
from aftershock_collector.sources.silences import Silences
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.serialization import from_bytes, to_bytes
from aftershock_collector.store.tickets import SqliteTickets
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.views.approvals_web import ApprovalViews

CHANGES_RESTORED_MAX = 10_000
DAY_COUNTS = "day counts"  # name in the store
KEEP_EVERY_S = 5.0

log = logging.getLogger("aftershock")


@dataclass(frozen=True, slots=True)
class Controlled:
    """The control of one collector."""

    policy: Policy
    board: Board
    preflight: Preflight
    safeguarding: Safeguarding
    silences: Silences | None
    store: SqliteStore

    @classmethod
    def of(cls, config: Config, policy: Policy, store: SqliteStore, reader: Reader) -> Controlled:
        """With what an earlier process of this collector knew of the infrastructure."""
        knowledge = Knowledge(config.infrastructure.topology)
        now_ns = time.time_ns()
        since_ns = now_ns - int(FIRING_S * 1e9)
        knowledge.record((), reader.changes(since_ns, now_ns, CHANGES_RESTORED_MAX))
        url = config.on_call.alertmanager_url
        silences = Silences(url, knowledge.set_silences) if url else None
        tickets = SqliteTickets(store)
        counts = day_counts(policy, reader, now_ns)
        board = Board(tickets, config.document, counts, approval_pages(config, tickets, store))
        safeguarding = Safeguarding(policy, SqliteCanaries(store), now_ns)
        return cls(policy, board, Preflight(policy, knowledge), safeguarding, silences, store)

    def answering(self, config: Config, refused: Callable[[str], None]) -> list[Route]:
        """The page of what agents ask, and where services post answers."""
        accepts = LinkSigner.of(config.home).accepts_answer
        views = ApprovalViews(self.board.store, accepts, self.safeguarding.canaries.newest)
        return [
            *views.routes(),
            *answer_routes(self.board.store, config.webhook_secrets, refused),
        ]

    def consuming(self, consume: Callable[[Observations], None]) -> Callable[[Observations], None]:
        """What arrives is judged, and known to whoever asks before a call."""

        def both(arrived: Observations) -> None:
            self.preflight.knowledge.record(arrived.steps, arrived.changes)
            self.measure(arrived.samples)
            consume(arrived)

        return both

    def measure(self, samples: Sequence[Sample]) -> None:
        """What was measured: how full things are, and what actions assume."""
        self.preflight.knowledge.measure(samples)
        self.safeguarding.measure(samples)

    def follow(self, worker: Worker) -> None:
        """What the worker finds out goes to whoever is asked before a call."""
        worker.on_new_steps = self.record_steps
        worker.on_impacts = self.safeguarding.record_impacts

    def record_steps(self, steps: list[Step], arrived_ns: int) -> None:
        """Steps that begin or end for the first time."""
        self.board.counts.record(steps, arrived_ns)
        self.safeguarding.record_steps(steps, arrived_ns)

    def routes(self, run_of: Callable[[str], Awaitable[Run | None]]) -> list[Route]:
        """What agents' processes, hooks and operators ask. `run_of`: a live run by its id."""
        knowledge = self.preflight.knowledge
        hooks = Hooks(self.board, self.policy, knowledge, self.safeguarding, run_of)
        return routes(self.board, self.preflight, self.safeguarding, hooks)

    def background(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs beside the servers until it is cancelled."""
        reading = () if self.silences is None else (self.silences.run(),)
        return (self._refreshing(), self._keeping(), *reading)

    async def _keeping(self) -> None:
        """Keep what was counted today, so that a crash forgets only the newest seconds."""
        kept = self.board.counts.version
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            if (version := self.board.counts.version) != kept:
                kept = version
                await asyncio.to_thread(self.keep_counts)

    def keep_counts(self) -> None:
        """Keep what was counted today."""
        body = to_bytes(self.board.counts.keep())
        try:
            self.store.save_snapshot(DAY_COUNTS, body, time.time_ns())
        except StoreUnavailable as error:
            log.warning("what was used up today is not kept: %s", error)

    async def _refreshing(self) -> None:
        """Push what commands beside this collector wrote into its store."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.board.refresh()
            except StoreUnavailable as error:
                log.warning("orders and approvals cannot be read: %s", error)


def day_counts(policy: Policy, reader: Reader, now_ns: int) -> DayCounts:
    """What was used up today, as an earlier process counted it."""
    counts = DayCounts(policy.limits, now_ns)
    if (body := reader.snapshot(DAY_COUNTS)) is not None:
        try:
            counts.restore(from_bytes(KeptDay, body))
        except ValueError:  # of another version: the day begins anew
            log.warning("what was used up today cannot be read, and is counted from now on")
    return counts


def approval_pages(config: Config, tickets: SqliteTickets, store: SqliteStore) -> ApprovalPages:
    """Whom requests for approval are sent to, with what an earlier process left unsent."""
    on_call = config.on_call
    base = (on_call.link or f"http://{config.http}").rstrip("/")
    receivers = [
        name for name in paging(on_call) if on_call.approvals is None or name in on_call.approvals
    ]
    slack = {"slack", *(one.name for one in on_call.named("slack"))}
    buttons = frozenset(slack if "slack" in config.webhook_secrets else ())
    links = AnswerLinks(base, LinkSigner.of(config.home), buttons)
    outbox = SqliteOutbox(store)
    pages = ApprovalPages(tickets, store.record, outbox.is_queued, receivers, links)
    pages.resume(time.time_ns())
    return pages
