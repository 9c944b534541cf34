"""Delivery: batches to the collector, or kept for a while, or dropped and counted. Never a hang.

One outage is shared by spans and logs: the first failure is one line on stderr, then nothing is
tried until a pause has passed, and what is newest is kept, up to a bound, for when it is over.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aftershock.exporting import careful_log, careful_spans
from aftershock.losses import count_loss, note_failure
from aftershock.redact import redact_text
from aftershock.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from aftershock.tracking import Amendments

Item = TypeVar("Item")

CONNECT_S = 0.5  # to see whether anybody listens on this machine
PAUSE_S, PAUSE_MAX_S = 1.0, 30.0  # between attempts while the collector cannot be reached
HELD_MAX = 4_096  # items of each kind kept during an outage: the start of a run, or its last minute
BATCH_MAX = 512  # items in one request; with the cap on a span's bytes it stays below 64 MB
# OpenTelemetry's own words about failed exports, each with a stack trace or once per batch.
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
        """`url`: where the collector should be; `write`: where to say that it is not."""
        self._url = url
        self._write = write
        self._said = False
        self._lock = Lock()
        self._pause_s = PAUSE_S
        self.retry_at = 0.0
        self._confirmed = False  # it has taken something since the last failure
        self.failing = False
        self.closing = False
        self.reason = ""
        os.register_at_fork(after_in_child=self._renew_lock)

    def may_try(self) -> bool:
        """False while it is not worth an attempt: it failed just now, or the process ends."""
        if not self.failing:
            return True
        return not self.closing and time.monotonic() >= self.retry_at

    def nobody_listens(self) -> bool:
        """True where the collector is on this machine and is not there: known in no time."""
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
        """An attempt failed: pause longer each time, say so the first time."""
        with self._lock:
            self.failing, self._confirmed = True, False
            self.retry_at = time.monotonic() + self._pause_s
            self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S)
            say, self._said = not self._said, True
        if say:
            self._say()

    def ended(self) -> None:
        """An attempt succeeded."""
        with self._lock:
            self.failing, self._confirmed, self._pause_s = False, True, PAUSE_S

    def quiet(self) -> None:
        """Take OpenTelemetry's messages about exports as the reason, and keep them off stderr."""
        for name in CHATTER:
            log = logging.getLogger(name)
            log.filters = [one for one in log.filters if not isinstance(one, Listener)]
            log.addFilter(Listener(self))

    def _renew_lock(self) -> None:
        """In a forked child: a lock that nobody holds."""
        self._lock = Lock()

    def _say(self) -> None:
        why = f" ({redact_text(self.reason)[:160]})" if self.reason else ""
        line = (
            f"aftershock: no collector at {without_credentials(self._url or '')}{why}; "
            "your program goes on without being recorded. `aftershock up` starts one.\n"
        )
        try:
            (self._write or sys.stderr.write)(line)
        except Exception:  # noqa: BLE001 (stderr may be closed)
            note_failure("saying that there is no collector")


class Listener(logging.Filter):
    """Hears what an exporter says of a failure, and says it to nobody."""

    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage

    def filter(self, record: logging.LogRecord) -> bool:
        """Let nothing above INFO through."""
        if record.levelno <= logging.INFO:
            return True
        message = record.getMessage()
        if "Queue full" in message:
            count_loss("export_queue_full")
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

    def deliver(self, items: Sequence[Item]) -> bool:
        """Send what is held and these; False where they could not be sent now."""
        self._held.extend(items)
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

    def forget(self) -> None:
        """In a forked child: what is held is the parent's to send."""
        self._held.clear()

    def _attempt(self, batch: Sequence[Item]) -> bool:
        try:
            return not self._outage.nobody_listens() and self._send(batch)
        except Exception as error:  # noqa: BLE001 (whatever an exporter raises, it did not send)
            self._outage.reason = repr(error)
            return False

    def _bound(self) -> None:
        excess = len(self._held) if self._outage.closing else len(self._held) - HELD_MAX
        for _ in range(max(0, excess)):
            self._held.popleft()
        if excess > 0:
            count_loss(f"undelivered_{self._kind}", excess)


class CarefulSpanExporter(SpanExporter):
    """Prepares spans and delivers them through an exporter that is made when first needed."""

    def __init__(
        self, make: Callable[[], SpanExporter], outage: Outage, amendments: Amendments
    ) -> None:
        self._make = make
        self._amendments = amendments
        self._delivery: Delivery[ReadableSpan] = Delivery("spans", self._send, outage)
        self._inner: SpanExporter | None = None
        os.register_at_fork(after_in_child=self._forget)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver, or hold for later: either way nothing for the caller to do."""
        self._delivery.deliver(careful_spans(spans, self._amendments))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Let the inner exporter go."""
        if self._inner is not None:
            self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try what is held once more."""
        del timeout_millis
        return self._delivery.deliver(())

    def _send(self, spans: Sequence[ReadableSpan]) -> bool:
        if self._inner is None:
            self._inner = self._make()
        return self._inner.export(spans) is SpanExportResult.SUCCESS

    def _forget(self) -> None:
        self._inner = None  # its connections are shared with the parent
        self._delivery.forget()


class CarefulLogExporter(LogRecordExporter):
    """The same for log records."""

    def __init__(self, make: Callable[[], LogRecordExporter], outage: Outage) -> None:
        self._make = make
        self._delivery: Delivery[ReadableLogRecord] = Delivery("logs", self._send, outage)
        self._inner: LogRecordExporter | None = None
        os.register_at_fork(after_in_child=self._forget)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Deliver, or hold for later: either way nothing for the caller to do."""
        self._delivery.deliver([fit for one in batch if (fit := careful_log(one)) is not None])
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Let the inner exporter go."""
        if self._inner is not None:
            self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try what is held once more."""
        del timeout_millis
        return self._delivery.deliver(())

    def _send(self, batch: Sequence[ReadableLogRecord]) -> bool:
        if self._inner is None:
            self._inner = self._make()
        return self._inner.export(batch) is LogRecordExportResult.SUCCESS

    def _forget(self) -> None:
        self._inner = None
        self._delivery.forget()


def without_credentials(url: str) -> str:
    """A URL as it may be printed."""
    parts = urlsplit(url)
    host = parts.hostname or url
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
