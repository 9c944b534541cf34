"""Start events and heartbeats: a step is reported when it begins, and while it lasts.

A span leaves the process only when it ends, so a hung tool would send nothing. The app's thread
only puts the step into a bounded queue. One daemon thread sends its start event a moment later, and
a heartbeat every half minute while it lasts. A step that has ended by then sends its span instead,
which says more and leaves as soon: most calls of tools are that short.
"""

from __future__ import annotations

import os
import time
from collections import deque
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import format_span_id, set_span_in_context

from aftershock.attributes import (
    AGENT_NAME,
    ERROR_CLASS,
    ERROR_TYPE,
    EVENT_HEARTBEAT,
    EVENT_STARTED,
    OPERATION,
    RESULT_DIGEST,
    RESULT_OUTCOME,
    RESULT_SIZE,
    RESULT_SKETCH,
    RUN_ID,
    STEP_PARENT,
    TOOL_NAME,
    TOOL_RESULT,
)
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.pending_spans import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import Logger
    from opentelemetry.sdk.trace import Span

HEARTBEAT_S = 30.0  # a quarter of the silence after which a run counts as stalled
TICK_S = 1.0  # between searches for steps that are due for a heartbeat
# Until start events are sent: a step that ends meanwhile needs none. With the delay of the batch of
# log events (settings.DEFAULTS) it is as long as a span waits for its batch.
GRACE_S = 0.05
WAITING_MAX = 4_096  # start events not yet sent: the thread got no time for seconds
HEARTBEAT_KEYS = (OPERATION, RUN_ID, AGENT_NAME, TOOL_NAME)  # attributes that a heartbeat repeats
# Attributes of the end of a step, which its start event must not have.
ENDINGS = frozenset(
    {
        ERROR_CLASS, ERROR_TYPE, RESULT_DIGEST, RESULT_OUTCOME, RESULT_SIZE, RESULT_SKETCH,
        TOOL_RESULT,
    }
)  # fmt: skip
EMPTY = Context()  # an event belongs to its span and to no other that is current


class LifecycleEvent(NamedTuple):
    """One event, ready to be sent."""

    name: str
    context: Context
    time_ns: int
    attributes: dict[str, Any]


class LifecycleEvents:
    """Sends start events and heartbeats. Safe for threads and forks."""

    def __init__(
        self,
        logger: Callable[[], Logger],
        *,
        heartbeat_s: float = HEARTBEAT_S,
        tick_s: float = TICK_S,
        grace_s: float = GRACE_S,
        on_tick: Callable[[int], None] = lambda _now_ns: None,
    ) -> None:
        """`logger` is called for each event; `on_tick` every `tick_s`, with the time in ns."""
        self._logger = logger
        self._heartbeat_s = heartbeat_s
        self._tick_s = tick_s
        self._grace_s = grace_s
        self._on_tick = on_tick
        self._closed = False
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Begin with nothing: the steps of the parent process are reported by the parent."""
        self._lock = RLock()  # garbage collection may begin a step on a thread that holds it
        self._waiting: deque[Span] = deque(maxlen=WAITING_MAX)
        self._wake = Event()
        self._thread: Thread | None = None

    def began(self, span: Span) -> None:
        """A step has begun: send its start event soon."""
        if self._closed:
            return
        if len(self._waiting) == WAITING_MAX:
            count_drop("start_events_waiting")
        self._waiting.append(span)  # the oldest makes room
        if self._thread is None:
            self._start_thread()
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Send the start event of every step that waits and still lasts, now, on this thread."""
        while self._waiting:
            try:
                span = self._waiting.popleft()
            except IndexError:  # another thread was faster
                return
            if not is_reported_by_its_span(span):
                self._send(started(span))

    def close(self) -> None:
        """Send what waits and stop."""
        self._closed = True
        self.flush()
        self._wake.set()

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = Thread(target=self._work, name="aftershock-events", daemon=True)
            self._thread = thread
        thread.start()  # outside the lock: it waits until the new thread runs

    def _work(self) -> None:
        next_tick_s = time.monotonic() + self._tick_s
        while not self._closed:
            if self._wake.wait(max(0.0, next_tick_s - time.monotonic())) and not self._closed:
                time.sleep(self._grace_s)
            self._wake.clear()
            try:
                self.flush()
                if time.monotonic() >= next_tick_s:
                    next_tick_s = time.monotonic() + self._tick_s
                    self._beat()
                    self._on_tick(time.time_ns())
            except Exception:  # noqa: BLE001 (the thread must outlive one bad event)
                record_failure("sending lifecycle events")

    def _beat(self) -> None:
        """Send the heartbeats that are due. Apart, so that no span is held until the next ones."""
        for span in PENDING.due(self._heartbeat_s):
            self._send(heartbeat(span))

    def _send(self, event: LifecycleEvent) -> None:
        try:
            self._logger().emit(
                context=event.context,
                timestamp=event.time_ns,
                event_name=event.name,
                attributes=event.attributes,
            )
        except Exception:  # noqa: BLE001 (ours: an event is lost, the app goes on)
            record_failure("sending a lifecycle event")


def is_reported_by_its_span(span: Span) -> bool:
    """True for a step that has ended and whose span our exporter sends: a start event is late."""
    has_ended, context = span.end_time is not None, span.get_span_context()
    return has_ended and PENDING.exported_by_us and context.trace_flags.sampled


def started(span: Span) -> LifecycleEvent:
    """The start event of a step; a quick one may have ended since."""
    attributes: dict[str, Any] = dict(span.attributes or {})
    attributes |= PENDING.attributes(span.get_span_context().span_id)
    if span.parent is not None:
        attributes[STEP_PARENT] = format_span_id(span.parent.span_id)
    at_ns = span.start_time or time.time_ns()
    kept = {key: value for key, value in attributes.items() if key not in ENDINGS}
    return LifecycleEvent(EVENT_STARTED, set_span_in_context(span, EMPTY), at_ns, kept)


def heartbeat(span: Span) -> LifecycleEvent:
    """The heartbeat of a step that lasts."""
    own = span.attributes or {}
    kept = {key: own[key] for key in HEARTBEAT_KEYS if key in own}
    context = set_span_in_context(span, EMPTY)
    return LifecycleEvent(EVENT_HEARTBEAT, context, time.time_ns(), kept)
