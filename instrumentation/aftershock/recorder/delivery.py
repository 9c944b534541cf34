"""Delivery: batches are sent to the collector, held for a while, or dropped and counted.

Spans and logs share one outage. Its first failure is one line on stderr. The next attempt waits for
a pause, and the newest items are held, up to a bound, until it is over.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.redaction import redact_text
from aftershock.recorder.sanitizer import sanitize_log, sanitize_spans
from aftershock.recorder.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

Item = TypeVar("Item")
Exporter = TypeVar("Exporter", SpanExporter, LogRecordExporter)
SPANS_SENT, LOGS_SENT = SpanExportResult.SUCCESS, LogRecordExportResult.SUCCESS

CONNECT_S = 0.5  # to find out whether a collector on this machine is running
PAUSE_S, PAUSE_MAX_S = 1.0, 30.0  # between attempts while the collector cannot be reached
HELD_MAX = 4_096  # items of each kind kept during an outage: the start of a run, or its last minute
BATCH_MAX = 512  # items in one request; with the cap on a span's bytes it stays below 64 MB
# OpenTelemetry's own loggers about failed exports, each with a stack trace or once per batch.
CHATTER = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.sdk._shared_internal",
)


class Outage:
    """Whether the collector can be reached: one state for everything that is sent."""

    def __init__(
        self, url: str | None = None, write: Callable[[str], object] | None = None
    ) -> None:
        """`url`: of the collector; `write`: prints the line about an outage (default: stderr)."""
        self._url = url
        self._write = write
        self._reported = False
        self._lock = RLock()
        self.lines: list[Delivery[Any]] = []  # everything that waits for its end
        self._pause_s = PAUSE_S
        self.retry_at = 0.0
        self._confirmed = False  # a send has succeeded since the last failure
        self.failing = False
        self.closing = False
        self.given_up = False  # the process ends, and an export hangs
        self.progress = 0  # grows with each batch that is prepared or sent
        self.reason = ""
        os.register_at_fork(after_in_child=self._renew_lock)

    def may_try(self) -> bool:
        """False while it is not worth an attempt: it failed just now, or the process ends."""
        if not self.failing:
            return True
        return not self.closing and time.monotonic() >= self.retry_at

    def is_closed(self) -> bool:
        """True where the collector's port on this machine is closed, which is known at once."""
        if self._confirmed or self._url is None:
            return False
        parts = urlsplit(self._url)
        if parts.hostname not in LOOPBACK:
            return False  # it may be reached by a proxy only
        try:
            socket.create_connection((parts.hostname, parts.port or 80), CONNECT_S).close()
        except OSError as error:
            self.reason = error.strerror or str(error)
            return True
        return False

    def failed(self) -> None:
        """An attempt failed: pause longer each time, print a line the first time."""
        with self._lock:
            self.failing, self._confirmed = True, False
            self.retry_at = time.monotonic() + self._pause_s
            self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S)
            first, self._reported = not self._reported, True
        if first:
            self._report()

    def give_up(self) -> None:
        """The process ends and the collector does not answer: nothing more is tried."""
        self.given_up = self.closing = self.failing = True

    def ended(self) -> None:
        """An attempt succeeded."""
        with self._lock:
            self.progress += 1
            self.failing, self._confirmed, self._pause_s = False, True, PAUSE_S

    def quiet(self) -> None:
        """Keep OpenTelemetry's messages about exports as the reason, and off stderr."""
        for name in CHATTER:
            log = logging.getLogger(name)
            log.filters = [one for one in log.filters if not isinstance(one, ReasonFilter)]
            log.addFilter(ReasonFilter(self))

    def _renew_lock(self) -> None:
        """In a forked child: a lock that is free."""
        self._lock = RLock()

    def _report(self) -> None:
        why = f" ({redact_text(self.reason)[:160]})" if self.reason else ""
        line = (
            f"aftershock: no collector at {without_credentials(self._url or '')}{why}; "
            "your program goes on without being recorded. `aftershock up` starts one.\n"
        )
        try:
            (self._write or sys.stderr.write)(line)
        except Exception:  # noqa: BLE001 (stderr may be closed)
            record_failure("reporting an outage")


class ReasonFilter(logging.Filter):
    """Keeps the reason of an exporter's failure, and keeps its messages off stderr."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage

    def filter(self, record: logging.LogRecord) -> bool:
        """Let nothing above INFO through."""
        if record.levelno <= logging.INFO:
            return True
        message = record.getMessage()
        if "Queue full" in message:
            count_drop("export_queue_full")
        elif "Failed to export" in message:
            self._outage.reason = message.partition("reason: ")[2] or message
        return False


class Delivery(Generic[Item]):
    """Sends items of one kind in order, holding the newest while it cannot."""

    def __init__(self, kind: str, send: Callable[[Sequence[Item]], bool], outage: Outage) -> None:
        self._kind = kind
        self._send = send
        self._outage = outage
        self._held: deque[Item] = deque()
        self._lock = RLock()
        outage.lines.append(self)

    def deliver(self, items: Sequence[Item]) -> bool:
        """Send what is held and these; False where they could not be sent now."""
        with self._lock:
            is_sent = self._deliver(items)
        if is_sent and items:
            for other in self._outage.lines:
                other.catch_up()
        return is_sent

    def catch_up(self) -> None:
        """Send what is held, once something else got through: it may be the last for long.

        Spans that an outage held back would otherwise wait for the next span, which a process that
        hangs never ends.
        """
        if not self._held or not self._lock.acquire(blocking=False):
            return  # nothing waits, or another thread is at it
        try:
            self._deliver(())
        finally:
            self._lock.release()

    def _deliver(self, items: Sequence[Item]) -> bool:
        self._held.extend(items)
        self._outage.progress += 1
        if not self._outage.may_try():
            self._bound()
            return False
        while self._held:
            batch = [self._held.popleft() for _ in range(min(BATCH_MAX, len(self._held)))]
            if not self._attempt(batch):
                self._held.extendleft(reversed(batch))
                self._outage.failed()
                self._bound()
                return False
            self._outage.ended()
        return True

    def _attempt(self, batch: Sequence[Item]) -> bool:
        try:
            return not self._outage.is_closed() and self._send(batch)
        except Exception as error:  # noqa: BLE001 (whatever an exporter raises, it did not send)
            self._outage.reason = repr(error)
            return False

    def _bound(self) -> None:
        excess = len(self._held) if self._outage.closing else len(self._held) - HELD_MAX
        for _ in range(max(0, excess)):
            self._held.popleft()
        if excess > 0:
            count_drop(f"undelivered_{self._kind}", excess)


class Line(Delivery[Item], Generic[Item, Exporter]):
    """A delivery through one exporter, which is made when the first batch is sent."""

    def __init__(
        self,
        kind: str,
        make: Callable[[], Exporter],
        send: Callable[[Exporter, Sequence[Item]], bool],
        outage: Outage,
    ) -> None:
        super().__init__(kind, self._through, outage)
        self._make = make
        self._send_through = send
        self._inner: Exporter | None = None
        os.register_at_fork(after_in_child=self.forget)

    def _through(self, batch: Sequence[Item]) -> bool:
        if self._inner is None:
            self._inner = self._make()
        return self._send_through(self._inner, batch)

    def close(self) -> None:
        """Let the exporter go."""
        if self._inner is not None:
            self._inner.shutdown()

    def forget(self) -> None:
        """In a forked child: what is held and every connection is the parent's."""
        self._inner = None
        self._held.clear()
        self._lock = RLock()


class SanitizingSpanExporter(SpanExporter):
    """Prepares spans and delivers them through exporters that are made when first needed."""

    def __init__(self, makers: Sequence[tuple[Callable[[], SpanExporter], Outage]]) -> None:
        self._lines: list[Line[ReadableSpan, SpanExporter]] = [
            Line("spans", make, lambda inner, batch: inner.export(batch) is SPANS_SENT, outage)
            for make, outage in makers
        ]

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver, or hold for later: either way nothing for the caller to do."""
        safe = sanitize_spans(spans)
        for line in self._lines:
            line.deliver(safe)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Let the inner exporters go."""
        for line in self._lines:
            line.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try what is held once more."""
        del timeout_millis
        tried = [line.deliver(()) for line in self._lines]  # every one of them
        return all(tried)


class SanitizingLogExporter(LogRecordExporter):
    """The same for log records."""

    def __init__(self, makers: Sequence[tuple[Callable[[], LogRecordExporter], Outage]]) -> None:
        self._lines: list[Line[ReadableLogRecord, LogRecordExporter]] = [
            Line("logs", make, lambda inner, batch: inner.export(batch) is LOGS_SENT, outage)
            for make, outage in makers
        ]

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Deliver, or hold for later: either way nothing for the caller to do."""
        safe = [fit for one in batch if (fit := sanitize_log(one)) is not None]
        for line in self._lines:
            line.deliver(safe)
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Let the inner exporters go."""
        for line in self._lines:
            line.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try what is held once more."""
        del timeout_millis
        tried = [line.deliver(()) for line in self._lines]  # every one of them
        return all(tried)


def without_credentials(url: str) -> str:
    """A URL as it may be printed."""
    parts = urlsplit(url)
    host = parts.hostname or url
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
