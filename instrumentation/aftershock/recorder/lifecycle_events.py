"""Start events and heartbeats: a step is told when it begins, and while it lasts.

A span leaves the process only when it ends, so a hung tool would be silence. The app's thread does
no more than put the step into a bounded queue; one daemon thread says it, and says again every
half minute that the step still lasts.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import OrderedDict, deque
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
from aftershock.recorder.deferred_attributes import DEFERRED
from aftershock.recorder.drop_counters import count_drop, record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import Logger
    from opentelemetry.sdk.trace import Span

HEARTBEAT_S = 30.0  # a quarter of the silence after which a run counts as stalled
TICK_S = 1.0  # how often the thread looks for steps that became old enough
WAITING_MAX = 4_096  # start events not yet said: the thread was starved for seconds
LIVE_MAX = 10_000  # steps watched at once
HEARTBEAT_KEYS = (OPERATION, RUN_ID, AGENT_NAME, TOOL_NAME)  # what a heartbeat repeats
# What belongs to the end of a step, and must not be told as its beginning.
ENDINGS = frozenset(
    {
        ERROR_CLASS, ERROR_TYPE, RESULT_DIGEST, RESULT_OUTCOME, RESULT_SIZE, RESULT_SKETCH,
        TOOL_RESULT,
    }
)  # fmt: skip
EMPTY = Context()  # an event belongs to its span and to nothing else that is current


class Said(NamedTuple):
    """One event to be said."""

    name: str
    context: Context
    time_ns: int
    attributes: dict[str, Any]


class LifecycleEvents:
    """Says when steps begin and that they last. Safe for threads and forks."""

    def __init__(
        self,
        logger: Callable[[], Logger],
        *,
        heartbeat_s: float = HEARTBEAT_S,
        tick_s: float = TICK_S,
        tidy: Callable[[int], None] = lambda _now_ns: None,
    ) -> None:
        """`logger` is asked for when the first event is said; `tidy` is called at every tick."""
        self._logger = logger
        self._heartbeat_s = heartbeat_s
        self._tick_s = tick_s
        self._tidy = tidy
        self._closed = False
        self._fresh()
        os.register_at_fork(after_in_child=self._fresh)

    def _fresh(self) -> None:
        """Begin with nothing: what the parent process watches is the parent's to tell."""
        self._lock = RLock()  # garbage collection may end a step on a thread that holds it
        self._waiting: deque[Span] = deque()
        self._live: OrderedDict[int, tuple[weakref.ref[Span], float]] = OrderedDict()
        self._wake = Event()
        self._thread: Thread | None = None

    def began(self, span: Span, *, beats: bool = True) -> None:
        """A step has begun: say it at once, and, if it beats, again and again while it lasts."""
        if self._closed:
            return
        new: Thread | None = None
        with self._lock:
            if len(self._waiting) >= WAITING_MAX:
                self._waiting.popleft()
                count_drop("start_events_waiting")
            self._waiting.append(span)
            if beats:
                if len(self._live) >= LIVE_MAX:
                    self._live.popitem(last=False)
                    count_drop("live_steps_watched")
                span_id = span.get_span_context().span_id
                self._live[span_id] = (weakref.ref(span), time.monotonic())
            if self._thread is None:
                new = self._thread = Thread(
                    target=self._work, name="aftershock-events", daemon=True
                )
        if new is not None:
            new.start()  # waits for a thread that may want the lock before it runs
        if not self._wake.is_set():
            self._wake.set()

    def ended(self, span_id: int) -> None:
        """A step has ended: its span speaks for itself."""
        with self._lock:
            self._live.pop(span_id, None)

    def live(self, span_id: int) -> Span | None:
        """The span of a step that has not ended."""
        with self._lock:
            found = self._live.get(span_id)
        return None if found is None else found[0]()

    def flush(self) -> None:
        """Say everything that waits, now, on this thread."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                span = self._waiting.popleft()
            self._say(started(span))

    def close(self) -> None:
        """Say what waits and stop."""
        self._closed = True
        self.flush()
        self._wake.set()

    def _work(self) -> None:
        next_beat = time.monotonic() + self._tick_s
        while not self._closed:
            self._wake.wait(max(0.0, next_beat - time.monotonic()))
            self._wake.clear()
            try:
                self.flush()
                if time.monotonic() >= next_beat:
                    next_beat = time.monotonic() + self._tick_s
                    self._beat()
                    self._tidy(time.time_ns())
            except Exception:  # noqa: BLE001 (the thread must outlive one bad event)
                record_failure("telling that steps last")

    def _beat(self) -> None:
        """Say of every step that is old enough that it still lasts."""
        now, due = time.monotonic(), list[Said]()
        with self._lock:
            for span_id, (reference, since) in list(self._live.items()):
                if now - since < self._heartbeat_s:
                    continue
                span = reference()
                if span is None:  # abandoned: nobody holds it, so it can never end
                    self._live.pop(span_id, None)
                    continue
                self._live[span_id] = (reference, now)
                due.append(heartbeat(span))
        for said in due:
            self._say(said)

    def _say(self, said: Said) -> None:
        try:
            self._logger().emit(
                context=said.context,
                timestamp=said.time_ns,
                event_name=said.name,
                attributes=said.attributes,
            )
        except Exception:  # noqa: BLE001 (ours: an event is lost, the app goes on)
            record_failure("telling an event")


def started(span: Span) -> Said:
    """What a step says of itself when it begins; a quick one may have ended since."""
    attributes: dict[str, Any] = dict(span.attributes or {})
    attributes |= DEFERRED.known(span.get_span_context().span_id)
    if span.parent is not None:
        attributes[STEP_PARENT] = format_span_id(span.parent.span_id)
    at_ns = span.start_time or time.time_ns()
    kept = {key: value for key, value in attributes.items() if key not in ENDINGS}
    return Said(EVENT_STARTED, set_span_in_context(span, EMPTY), at_ns, kept)


def heartbeat(span: Span) -> Said:
    """What a step that lasts says of itself."""
    own = span.attributes or {}
    kept = {key: own[key] for key in HEARTBEAT_KEYS if key in own}
    return Said(EVENT_HEARTBEAT, set_span_in_context(span, EMPTY), time.time_ns(), kept)
