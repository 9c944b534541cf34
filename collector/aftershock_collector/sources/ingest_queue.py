"""From a request's bytes to its acknowledgement: bounded queue, group commit, then the judging.

Servers `await offer(...)`. One thread takes everything that waits, decodes it, commits it in one
transaction, answers, and hands what was read to `consume` before it takes the next group. So an
acknowledgement means "committed", and a slow judge is felt as a full queue and nowhere else.

While the store cannot write, offers are judged all the same and parked as bytes; they are
committed when it can again, or their senders are told to come back.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aftershock.model import Change, Step
from aftershock_collector.config.model import Config
from aftershock_collector.otlp.decode import decode_logs, decode_metrics, decode_traces
from aftershock_collector.otlp.wire import LogEvent, Span, Unreadable
from aftershock_collector.reading.alerts import changes_of_alerts
from aftershock_collector.sources.requests import (
    Accepted,
    Answer,
    Batch,
    Busy,
    IngestRequest,
    Observations,
    Refused,
    Signal,
)
from aftershock_collector.store.writer import Store, StoreRefused, StoreUnavailable
from aftershock_collector.telemetry import Telemetry

RETRY_FIRST_S = 0.05  # a lock is usually gone after one commit of somebody else
RETRY_LAST_S = 1.0  # a disk that has room again is noticed within a second
WORKS_MAX = 256  # pieces of work that wait: two minutes of ticks behind a judge that hangs
REASONS_TOLD_MAX = 5  # in one partial success
_NS = 1_000_000_000

Read = TypeVar("Read")
Work = Callable[[], object]


class IngestQueue:
    """The one way in for everything that arrives while the collector runs."""

    def __init__(
        self,
        store: Store,
        telemetry: Telemetry,
        config: Config,
        *,
        read_span: Callable[[Span], Step | None],
        read_event: Callable[[LogEvent], Step | Change | None],
        consume: Callable[[Observations], None],
        suspects: Callable[[Sequence[Change], int], Sequence[Any]] = lambda _changes, _now: (),
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._config = config
        self._read_span = read_span
        self._read_event = read_event
        self._consume = consume
        self._suspects = suspects
        self._waiting: deque[IngestRequest | Work] = deque()
        self._bytes = 0  # of all offers that have no answer yet
        self._offers = 0
        self._works = 0
        self._more = threading.Condition()
        self._stopping = False
        # Only the writer's thread touches these.
        self._parked: deque[IngestRequest] = deque()
        self._failing_since_s: float | None = None  # the store's newest writes from here failed
        self._retry_at_s = 0.0
        self._pause_s = RETRY_FIRST_S
        self._thread = threading.Thread(target=self._work, name="aftershock-intake", daemon=True)

    # --- Any thread ----------------------------------------------------------------------------

    @property
    def degraded(self) -> str | None:
        """Why nothing can be committed at the moment, or None."""
        if not self._thread.is_alive():
            return "the writer is not running"
        trouble = self._store.trouble
        return trouble and f"the store cannot write: {trouble}"

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Take nothing new, commit what waits, and end."""
        with self._more:
            self._stopping = True
            self._more.notify()
        self._thread.join(timeout_s)

    def call(self, work: Work) -> None:
        """Run `work` on the writer's thread, after what waits now; drop it if too much does."""
        with self._more:
            if self._works < WORKS_MAX:
                self._works += 1
                self._waiting.append(work)
                self._more.notify()
                return
        self._telemetry.drop({"work_queue_full": 1})

    async def offer(self, signal: Signal, body: bytes, content_type: str) -> Answer:
        """Wait until a body is committed, or say why it was not."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        offer = IngestRequest(signal, body, content_type, time.time_ns(), future)
        refusal = self._enqueue(offer)
        if refusal is not None:
            return refusal
        try:
            return await asyncio.wait_for(future, self._config.answer_s)
        except TimeoutError:
            return self._busy("busy")
        finally:
            offer.abandoned = True

    def _busy(self, message: str, *, full: bool = False) -> Busy:
        return Busy(self._config.retry_after_s, self.degraded or message, full)

    def _enqueue(self, offer: IngestRequest) -> Busy | None:
        config = self._config
        with self._more:
            if self._stopping:
                return self._busy("shutting down")
            if self._bytes + len(offer.body) > config.queue_bytes_max:
                return self._busy("the queue is full", full=True)
            if self._offers >= config.requests_max:
                return self._busy("too many requests wait", full=True)
            self._count(offer, 1)
            self._waiting.append(offer)
            self._more.notify()
        return None

    def _count(self, offer: IngestRequest, sign: int) -> None:
        self._bytes += sign * len(offer.body)
        self._offers += sign
        self._telemetry.queue_bytes.set(self._bytes)
        self._telemetry.queue_requests.set(self._offers)

    # --- The writer's thread: what comes next --------------------------------------------------

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
            except Exception as error:  # noqa: BLE001  our bug must not end the intake
                self._telemetry.failed("intake", error)
                for offer in group:
                    self._answer(offer, Refused("internal error", ours=True))

    def _next(self) -> list[IngestRequest] | Work | None:
        """Wait for the next group of offers or piece of work; None: it is over."""
        with self._more:
            while not self._waiting and not self._stopping:
                pause_s = self._retry_at_s - time.monotonic() if self._parked else None
                if pause_s is not None and pause_s <= 0:
                    break
                self._more.wait(pause_s)
            if self._parked and (self._stopping or time.monotonic() >= self._retry_at_s):
                return self._group(self._parked)
            head = self._waiting[0] if self._waiting else None
            if head is None or isinstance(head, IngestRequest):
                return self._group(self._waiting) or None
            self._waiting.popleft()
            self._works -= 1
            return head

    def _group(self, queue: deque[Any]) -> list[IngestRequest]:
        """Offers from the front that fit one commit."""
        group: list[IngestRequest] = []
        size = 0
        while queue and isinstance(queue[0], IngestRequest):
            size += len(queue[0].body)
            if group and size > self._config.group_bytes_max:
                break
            group.append(queue.popleft())
        return group

    def _handle(self, group: list[IngestRequest]) -> None:
        asked = [offer for offer in group if not offer.abandoned]
        for offer in group:
            if offer.abandoned:
                self._answer(offer, self._busy("busy"))
        readable = [offer for offer in asked if self._decode(offer)]
        self._accept([offer for offer in readable if not offer.items.durable])
        durable = [offer for offer in readable if offer.items.durable]
        if durable and (self._failing_since_s is None or time.monotonic() >= self._retry_at_s):
            committed = self._commit(durable)
        else:
            committed = not durable
        self._judge([offer for offer in readable if not offer.judged])
        if not committed:
            self._park(durable)

    def _judge(self, offers: Sequence[IngestRequest]) -> None:
        if not offers:
            return
        found = [offer.items for offer in offers]
        arrived = Observations(
            arrived_ns=max(offer.arrived_ns for offer in offers),
            steps=[s for i in found for rows in (i.spans, i.events) for _, s in rows if s],
            changes=[change for items in found for change in items.changes],
            samples=[sample for items in found for sample in items.samples],
        )
        try:
            self._consume(arrived)
        except Exception as error:  # noqa: BLE001  what was committed stays acknowledged
            self._telemetry.failed("judge", error)

    # --- Bytes to items ------------------------------------------------------------------------

    def _decode(self, offer: IngestRequest) -> bool:
        """Fill the offer's items; False where it was answered already."""
        try:
            offer.items = self._read(offer)
        except Unreadable as error:
            self._telemetry.reject(offer.signal, {"unreadable": 1})
            self._answer(offer, Refused(str(error)))
        except Exception as error:  # noqa: BLE001  one hostile body must not hurt the others
            self._telemetry.failed("decode", error)
            self._answer(offer, Refused("internal error", ours=True))
        else:
            return True
        return False

    def _read(self, offer: IngestRequest) -> Batch:
        signal, body, content_type = offer.signal, offer.body, offer.content_type
        if signal is Signal.TRACES:
            spans = decode_traces(body, content_type)
            read = [(span, self._understand(self._read_span, span)) for span in spans.items]
            if read and not offer.judged:
                newest_ns = max(span.ended_at_ns for span in spans.items)
                self._telemetry.lag.observe(max(0, offer.arrived_ns - newest_ns) / _NS)
            items = Batch(spans=read, rejected=spans.rejected)
            trimmed = spans.trimmed
        elif signal is Signal.METRICS:
            samples = decode_metrics(body, content_type)
            items = Batch(samples=samples.items, rejected=samples.rejected)
            trimmed = samples.trimmed
        elif signal is Signal.ALERTS:
            alerts = changes_of_alerts(body, offer.arrived_ns)
            items = Batch(changes=alerts.items, rejected=alerts.rejected)
            trimmed = alerts.trimmed
        else:
            events = decode_logs(body, content_type)
            items = Batch(rejected=events.rejected)
            trimmed = events.trimmed
            for event in events.items:
                self._sort(event, items)
        if not offer.judged:
            self._telemetry.read(signal, len(body), items.count, trimmed)
            self._telemetry.passed_over.inc(items.passed_over)
        return items

    def _sort(self, event: LogEvent, items: Batch) -> None:
        read = self._understand(self._read_event, event)
        if isinstance(read, Change):
            items.changes.append(read)
        elif read is not None:
            items.events.append((event, read))
        else:
            items.passed_over += 1

    def _understand(self, read: Callable[[Any], Read], item: Span | LogEvent) -> Read | None:
        try:
            return read(item)
        except Exception as error:  # noqa: BLE001  kept as it came, for a better reader
            self._telemetry.failed("read", error)
            return None

    # --- Items to the store --------------------------------------------------------------------

    def _commit(self, offers: list[IngestRequest]) -> bool:
        """Store and acknowledge; False where the store cannot write."""
        try:
            self._append_or_split(offers)
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
        self._accept(offers)
        return True

    def _park(self, offers: Sequence[IngestRequest]) -> None:
        """Keep the bytes for a later attempt; decoded they would take ten times the memory."""
        for offer in offers:
            if self._stopping:
                self._answer(offer, self._busy("shutting down"))
                continue
            offer.items, offer.judged = Batch(), True
            self._parked.append(offer)

    def _append_or_split(self, offers: Sequence[IngestRequest]) -> None:
        """All in one transaction; where one spoils it, each alone, and the bad one row by row."""
        found = [offer.items for offer in offers]
        try:
            self._append(
                [span for items in found for span in items.spans],
                [event for items in found for event in items.events],
                [change for items in found for change in items.changes],
                max(offer.arrived_ns for offer in offers),
            )
        except StoreRefused:
            if len(offers) == 1:
                self._append_rows(offers[0])
                return
            for offer in offers:
                self._append_or_split([offer])

    def _append_rows(self, offer: IngestRequest) -> None:
        items, at_ns = offer.items, offer.arrived_ns
        items.spans = [row for row in items.spans if self._took(items, [row], [], [], at_ns)]
        items.events = [row for row in items.events if self._took(items, [], [row], [], at_ns)]
        items.changes = [row for row in items.changes if self._took(items, [], [], [row], at_ns)]

    def _took(self, items: Batch, *rows: Any) -> bool:
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

    def _accept(self, offers: Sequence[IngestRequest]) -> None:
        now_ns = time.time_ns()
        for offer in offers:
            rejected = offer.items.rejected
            self._telemetry.acknowledge.observe(max(0, now_ns - offer.arrived_ns) / _NS)
            self._telemetry.reject(offer.signal, rejected)
            told = (
                f"{reason}: {count}" for reason, count in rejected.most_common(REASONS_TOLD_MAX)
            )
            suspects = self._asked(offer.items.changes, now_ns) if offer.is_alerts else ()
            self._answer(offer, Accepted(rejected.total(), ", ".join(told), suspects))

    def _asked(self, alerts: Sequence[Change], now_ns: int) -> Sequence[Any]:
        try:
            return self._suspects(alerts, now_ns)
        except Exception as error:  # noqa: BLE001  they were committed: that is what was asked
            self._telemetry.failed("suspects", error)
            return ()

    def _answer(self, offer: IngestRequest, answer: Answer) -> None:
        if offer.settled:
            return
        offer.settled = True
        with self._more:
            self._count(offer, -1)
        try:
            offer.answer(answer)
        except RuntimeError as error:  # its event loop is closed: nobody waits any more
            self._telemetry.failed("answer", error)
