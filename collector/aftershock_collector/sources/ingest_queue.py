"""The ingest queue: bounded waiting, group commit, acknowledgement, then the judging.

Servers `await submit(...)`. One thread removes a group of waiting requests, decodes them, commits
them in one transaction, answers, and passes the result to `consume` before it starts the next
group. An acknowledgement therefore means "committed", and slow judging only fills the queue.

While the store cannot write, requests are judged all the same and parked as bytes. They are
committed once it can write again; senders whose time is up are answered "busy" and retry.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aftershock.model import Change, Step
from aftershock_collector.access.run_owners import RunOwners
from aftershock_collector.access.senders import is_authenticated
from aftershock_collector.config.model import Config
from aftershock_collector.otlp.wire import LogEvent, Span, Unreadable
from aftershock_collector.reading.clocks import grounded
from aftershock_collector.reading.decoder import Batch, Readers, Signal, decode
from aftershock_collector.sources.fair_queue import FairQueue
from aftershock_collector.sources.requests import (
    Accepted,
    Answer,
    Busy,
    IngestRequest,
    Observations,
    Refused,
    observations_of,
)
from aftershock_collector.store.interface import Store, StoreRefused, StoreUnavailable
from aftershock_collector.telemetry import Telemetry

RETRY_FIRST_S = 0.05  # another process rarely holds the lock for longer than one commit
RETRY_LAST_S = 1.0  # so that a store that can write again is noticed within a second
WORKS_MAX = 256  # waiting pieces of work: two minutes of ticks behind a judge that hangs
REASONS_REPORTED_MAX = 5  # in one partial success
_NS = 1_000_000_000

Work = Callable[[], object]


class IngestQueue:
    """Receives everything that arrives while the collector runs."""

    def __init__(
        self,
        store: Store,
        telemetry: Telemetry,
        config: Config,
        *,
        readers: Callable[[str], Readers],
        owners: RunOwners,
        consume: Callable[[Observations], None],
        suspects: Callable[[Sequence[Change], int], Sequence[Any]] = lambda _changes, _now: (),
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._config = config
        self._readers = readers
        self._owners = owners
        self._consume = consume
        self._suspects = suspects
        self._waiting = FairQueue(config.queue_bytes_max, config.requests_max)
        self._works: deque[Work] = deque()
        self._works_turn = False  # requests and works take turns
        self._refused = 0  # requests that found no room, since `refused` was asked
        self._filled_by = ("", 0.0)  # then
        self._more = threading.Condition()
        self._stopping = False
        # Only the writer's thread touches these.
        self._parked: deque[IngestRequest] = deque()
        self._failing_since_s: float | None = None  # None: the newest commit succeeded
        self._retry_at_s = 0.0
        self._pause_s = RETRY_FIRST_S
        self._thread = threading.Thread(target=self._work, name="aftershock-ingest", daemon=True)

    # --- Any thread ----------------------------------------------------------------------------

    @property
    def degraded(self) -> str | None:
        """Why nothing can be committed now, in words; None while commits work."""
        if not self._thread.is_alive():
            return "the writer is not running"
        trouble = self._store.trouble
        return trouble and f"the store cannot write: {trouble}"

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Refuse new requests, commit the waiting ones, and end the thread."""
        with self._more:
            self._stopping = True
            self._more.notify()
        self._thread.join(timeout_s)

    def call(self, work: Work) -> None:
        """Run `work` on the writer's thread, in its turn; drop and count it above WORKS_MAX."""
        with self._more:
            if len(self._works) < WORKS_MAX:
                self._works.append(work)
                self._more.notify()
                return
        self._telemetry.drop({"work_queue_full": 1})

    def refused(self) -> tuple[int, str, float]:
        """Requests that found no room since the last time, and who held most then: its share."""
        with self._more:
            refused, self._refused = self._refused, 0
            sender, share = self._filled_by
            return refused, sender, share

    async def submit(self, signal: Signal, body: bytes, content_type: str, sender: str) -> Answer:
        """Wait until a body is committed; the answer says why if it was not."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        request = IngestRequest(signal, body, content_type, sender, time.time_ns(), future)
        refusal = self._enqueue(request)
        if refusal is not None:
            return refusal
        try:
            return await asyncio.wait_for(future, self._config.answer_s)
        except TimeoutError:
            return self._busy("busy")
        finally:
            request.abandoned = True

    def _busy(self, message: str, *, full: bool = False) -> Busy:
        return Busy(self._config.retry_after_s, self.degraded or message, full)

    def _enqueue(self, request: IngestRequest) -> Busy | None:
        with self._more:
            if self._stopping:
                return self._busy("shutting down")
            refusal = self._waiting.refusal(request.sender, len(request.body))
            if refusal is not None:
                self._refused += 1
                self._filled_by = self._waiting.most
                return self._busy(refusal, full=True)
            self._waiting.append(request)
            self._show_size()
            self._more.notify()
        return None

    def _show_size(self) -> None:
        self._telemetry.queue_bytes.set(self._waiting.bytes)
        self._telemetry.queue_requests.set(self._waiting.requests)

    # --- The writer's thread: the next group --------------------------------------------------

    def _work(self) -> None:
        while True:
            task = self._next()
            if task is None:
                return
            group: list[IngestRequest] = [] if callable(task) else task
            try:
                if callable(task):
                    task()
                else:
                    self._handle(group)
            except Exception as error:  # noqa: BLE001  our bug must not end the thread
                self._telemetry.failed("ingest", error)
                for request in group:
                    self._answer(request, Refused("internal error", ours=True))

    def _next(self) -> list[IngestRequest] | Work | None:
        """Wait for the next group of requests or piece of work; None: stopped and empty."""
        with self._more:
            while not (self._waiting or self._works or self._stopping):
                pause_s = self._retry_at_s - time.monotonic() if self._parked else None
                if pause_s is not None and pause_s <= 0:
                    break
                self._more.wait(pause_s)
            if self._parked and (self._stopping or time.monotonic() >= self._retry_at_s):
                return self._parked_group()
            if self._works and (self._works_turn or not self._waiting):
                self._works_turn = False
                return self._works.popleft()
            self._works_turn = True
            return self._waiting.group(self._config.group_bytes_max) or None

    def _parked_group(self) -> list[IngestRequest]:
        """Remove from the front as many parked requests as fit one commit."""
        group: list[IngestRequest] = []
        size = 0
        while self._parked:
            size += len(self._parked[0].body)
            if group and size > self._config.group_bytes_max:
                break
            group.append(self._parked.popleft())
        return group

    def _handle(self, group: list[IngestRequest]) -> None:
        pending = [request for request in group if not request.abandoned]
        for request in group:
            if request.abandoned:
                self._answer(request, self._busy("busy"))
        readable = [request for request in pending if self._decode(request)]
        self._accept([request for request in readable if not request.items.durable])
        durable = [request for request in readable if request.items.durable]
        if durable and (self._failing_since_s is None or time.monotonic() >= self._retry_at_s):
            committed = self._commit(durable)
        else:
            committed = not durable
        self._judge([request for request in readable if not request.judged])
        if not committed:
            self._park(durable)

    def _judge(self, requests: Sequence[IngestRequest]) -> None:
        by_sender: dict[str, list[IngestRequest]] = {}
        for request in requests:
            by_sender.setdefault(request.sender, []).append(request)
        for sender, sent in by_sender.items():
            try:
                self._consume(observations_of(sender, sent))
            except Exception as error:  # noqa: BLE001  what was committed stays acknowledged
                self._telemetry.failed("judge", error)

    # --- Bytes to items ------------------------------------------------------------------------

    def _decode(self, request: IngestRequest) -> bool:
        """Decode the body into `items`; False: it is unreadable and was answered so."""
        try:
            request.items = self._read(request)
        except Unreadable as error:
            self._telemetry.reject(request.signal, {"unreadable": 1})
            self._answer(request, Refused(str(error)))
        except Exception as error:  # noqa: BLE001  one hostile body must not lose the others
            self._telemetry.failed("decode", error)
            self._answer(request, Refused("internal error", ours=True))
        else:
            return True
        return False

    def _read(self, request: IngestRequest) -> Batch:
        body, arrived_ns = request.body, request.arrived_ns
        readers = self._readers(request.sender)
        items = decode(body, request.signal, request.content_type, readers, arrived_ns)
        if not is_authenticated(request.sender):
            items.changes = [replace(change, vouched=False) for change in items.changes]
        items.assign(
            lambda step: grounded(self._owners.assign(step, request.sender), request.arrived_ns)
        )
        for error in items.failures:
            self._telemetry.failed("read", error)
        if not request.judged:
            if items.spans:
                newest_ns = max(span.ended_at_ns for span, _ in items.spans)
                self._telemetry.lag.observe(max(0, arrived_ns - newest_ns) / _NS)
            self._telemetry.read(request.signal, len(body), items.count, items.trimmed)
            self._telemetry.passed_over.inc(items.passed_over)
        return items

    # --- Items to the store --------------------------------------------------------------------

    def _commit(self, requests: list[IngestRequest]) -> bool:
        """Store and acknowledge; False: the store cannot write."""
        try:
            self._append_or_split(requests)
        except StoreUnavailable as error:
            now_s = time.monotonic()
            if self._failing_since_s is None:
                self._failing_since_s = now_s
            self._retry_at_s = now_s + self._pause_s
            self._pause_s = min(self._pause_s * 2, RETRY_LAST_S)
            self._telemetry.store_unavailable(error.reason, str(error))
            return False
        if self._failing_since_s is not None:
            self._telemetry.store_recovered(time.monotonic() - self._failing_since_s)
            self._failing_since_s, self._pause_s = None, RETRY_FIRST_S
        self._accept(requests)
        return True

    def _park(self, requests: Sequence[IngestRequest]) -> None:
        """Keep the bytes for a later attempt: decoded they would need ten times the memory."""
        for request in requests:
            if self._stopping:
                self._answer(request, self._busy("shutting down"))
                continue
            request.items, request.judged = Batch(), True
            self._parked.append(request)

    def _append_or_split(self, requests: Sequence[IngestRequest]) -> None:
        """All in one transaction; if the store refuses one, each alone, the bad one by rows."""
        found = [request.items for request in requests]
        try:
            self._append(
                [span for items in found for span in items.spans],
                [event for items in found for event in items.events],
                [change for items in found for change in items.changes],
                max(request.arrived_ns for request in requests),
            )
        except StoreRefused:
            if len(requests) == 1:
                self._append_rows(requests[0])
                return
            for request in requests:
                self._append_or_split([request])

    def _append_rows(self, request: IngestRequest) -> None:
        items, at_ns = request.items, request.arrived_ns
        items.spans = [row for row in items.spans if self._appended(items, [row], [], [], at_ns)]
        items.events = [row for row in items.events if self._appended(items, [], [row], [], at_ns)]
        items.changes = [
            row for row in items.changes if self._appended(items, [], [], [row], at_ns)
        ]

    def _appended(self, items: Batch, *rows: Any) -> bool:
        try:
            self._append(*rows)
        except StoreRefused:
            items.rejected["unstorable"] += 1
            return False
        return True

    def _append(
        self,
        spans: Sequence[tuple[Span, Step | None]],
        events: Sequence[tuple[LogEvent, Step | None]],
        changes: Sequence[Change],
        arrived_ns: int,
    ) -> None:
        appended = self._store.append(spans, events, changes, arrived_ns)
        self._telemetry.stored.labels("spans").inc(appended.spans)
        self._telemetry.stored.labels("events").inc(appended.events)
        self._telemetry.stored.labels("changes").inc(appended.changes)
        self._telemetry.duplicates.inc(appended.duplicates)

    # --- Answers -------------------------------------------------------------------------------

    def _accept(self, requests: Sequence[IngestRequest]) -> None:
        now_ns = time.time_ns()
        for request in requests:
            rejected = request.items.rejected
            self._telemetry.acknowledge.observe(max(0, now_ns - request.arrived_ns) / _NS)
            self._telemetry.reject(request.signal, rejected)
            reasons = (
                f"{reason}: {count}" for reason, count in rejected.most_common(REASONS_REPORTED_MAX)
            )
            suspects = (
                self._rank_suspects(request.items.changes, now_ns) if request.is_alerts else ()
            )
            self._answer(request, Accepted(rejected.total(), ", ".join(reasons), suspects))

    def _rank_suspects(self, alerts: Sequence[Change], now_ns: int) -> Sequence[Any]:
        try:
            return self._suspects(alerts, now_ns)
        except Exception as error:  # noqa: BLE001  the alerts were committed: acknowledge them
            self._telemetry.failed("suspects", error)
            return ()

    def _answer(self, request: IngestRequest, answer: Answer) -> None:
        if request.settled:
            return
        request.settled = True
        with self._more:
            self._waiting.settle(request)
            self._show_size()
        try:
            request.answer(answer)
        except RuntimeError as error:  # its event loop is closed
            self._telemetry.failed("answer", error)
