"""The flush at exit: everything that waits is sent, for as long as the collector answers.

OpenTelemetry waits for an export in progress, which a hanging collector stretches to the request's
timeout, twice. Here the flush runs on a thread of its own, and the exit waits for it only while it
makes progress.
"""

from __future__ import annotations

import os
import time
from threading import Thread
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from aftershock.recorder.delivery import Outage

STALL_S = 0.35  # without progress: a collector that takes longer for one request at exit loses it
FLUSH_MAX_S = 10.0  # with progress: a full queue is sent in less
POLL_S = 0.02
WORK_S = 0.01  # of the process's CPU time: a flush that works is starved of time, and does not hang
GIVEN_UP_MS = 10  # for the worker of a processor whose export hangs


def stall_s() -> float:
    """Seconds without progress after which the exit goes on; AFTERSHOCK_EXIT_STALL_S."""
    try:
        return max(0.0, float(os.environ.get("AFTERSHOCK_EXIT_STALL_S", STALL_S)))
    except ValueError:
        return STALL_S


def flush_at_exit(flush: Callable[[], object], outage: Outage) -> bool:
    """Run `flush` until it is done, or stalls. False: it was given up."""
    if outage.given_up:
        return False

    def work() -> None:
        try:
            flush()
        except Exception:  # noqa: BLE001 (ours)
            record_failure("flushing at exit")

    thread = Thread(target=work, name="aftershock-exit", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter starts no more threads
        work()
        return True
    patience, ends_s = stall_s(), time.monotonic() + FLUSH_MAX_S
    since_s, known = time.monotonic(), (-1, -1)
    while time.monotonic() < ends_s:
        thread.join(POLL_S)
        if not thread.is_alive():
            return True
        progress = outage.progress, int(time.process_time() / WORK_S)
        if progress != known:
            since_s, known = time.monotonic(), progress
        elif time.monotonic() - since_s >= patience:
            break
    outage.give_up()
    return False


class SpanQueue(BatchSpanProcessor):
    """OpenTelemetry's span processor, whose shutdown does not wait for an export that hangs."""

    def __init__(self, exporter: object, outage: Outage) -> None:
        super().__init__(exporter)  # pyright: ignore[reportArgumentType]
        self._outage = outage

    def shutdown(self) -> None:
        """Stop; wait for the last export for as long as it makes progress."""
        flush_at_exit(self.force_flush, self._outage)
        self._batch_processor.shutdown(GIVEN_UP_MS if self._outage.given_up else 30_000)


class LogQueue(BatchLogRecordProcessor):
    """The same for log records."""

    def __init__(self, exporter: object, outage: Outage) -> None:
        super().__init__(exporter)  # pyright: ignore[reportArgumentType]
        self._outage = outage

    def shutdown(self) -> None:
        """Stop; wait for the last export for as long as it makes progress."""
        flush_at_exit(self.force_flush, self._outage)
        self._batch_processor.shutdown(GIVEN_UP_MS if self._outage.given_up else 30_000)
