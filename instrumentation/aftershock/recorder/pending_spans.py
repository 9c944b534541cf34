"""Pending spans: what is known of each span between its begin and its export.

One table for the attributes that are computed off the app's thread, for what the export changes,
and for the heartbeats of spans that last. One bound, one lock, emptied in a forked child.

Fingerprints cost tens of microseconds. The app's thread only leaves a function here; the thread of
the start events, or the one that exports, calls it, whichever is first. Where our exporter is not
in place, it is called at once and its attributes are set on the span itself.
"""

from __future__ import annotations

import os
import time
import weakref
from collections import OrderedDict
from contextvars import ContextVar
from threading import Lock, RLock
from typing import TYPE_CHECKING

from aftershock.recorder.drop_counters import count_drop, record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span
    from opentelemetry.trace import Span as ApiSpan
    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AttributeValue

    Attributes = dict[str, AttributeValue]
    Describe = Callable[[], Attributes]

PENDING_MAX = 10_000  # spans between begin and export: more than both of OpenTelemetry's queues


class PendingSpan:
    """One span on its way."""

    __slots__ = ("beat_at_s", "deferred", "known", "left_out", "parent", "span")

    def __init__(self) -> None:
        self.span: weakref.ref[Span] | None = None  # None: it has ended, or was never tracked
        self.beat_at_s: float | None = None  # of the last heartbeat, or the begin. None: no beats
        self.deferred: list[Describe] = []  # attributes still to be computed
        self.known: Attributes = {}
        self.left_out = False  # the export leaves this span out
        self.parent: SpanContext | None = None  # named instead of a parent that is left out


class PendingSpans:
    """Span id → what is known of that span. Bounded; safe for threads and forks."""

    def __init__(self) -> None:
        self.exported_by_us = False  # True once our exporter collects what is deferred here
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Begin with nothing and with locks that are free: what is open is the parent's."""
        self._spans: OrderedDict[int, PendingSpan] = OrderedDict()
        self._lock = RLock()  # held for moments; garbage collection may end a span meanwhile
        self._computing = Lock()  # held while attributes are computed, never by the app's thread

    def began(self, span: Span, *, beats: bool) -> None:
        """A step has begun. `beats`: it sends heartbeats while it lasts."""
        pending = self._entry(span.get_span_context().span_id)
        pending.span = weakref.ref(span)
        pending.beat_at_s = time.monotonic() if beats else None

    def ended(self, span_id: int) -> None:
        """A span has ended; what the export needs of it stays until then."""
        pending = self._spans.get(span_id)
        if pending is None:
            return
        pending.span = pending.beat_at_s = None
        if not self.exported_by_us:
            with self._lock:
                self._spans.pop(span_id, None)

    def live(self, span_id: int) -> Span | None:
        """The span of a step that has not ended."""
        pending = self._spans.get(span_id)
        return None if pending is None or pending.span is None else pending.span()

    def due(self, every_s: float) -> list[Span]:
        """Steps that have lasted, or sent no heartbeat, for `every_s`; each is asked for once."""
        now_s = time.monotonic()
        found: list[Span] = []
        with self._lock:
            for span_id, pending in list(self._spans.items()):
                if pending.beat_at_s is None or now_s - pending.beat_at_s < every_s:
                    continue
                span = None if pending.span is None else pending.span()
                if span is None:  # abandoned: no code holds it, so it can never end
                    del self._spans[span_id]
                    continue
                pending.beat_at_s = now_s
                found.append(span)
        return found

    def leave_out(self, span_id: int, parent: SpanContext | None) -> None:
        """Do not export this span; its children name `parent` instead."""
        pending = self._entry(span_id)
        pending.left_out, pending.parent = True, parent

    def reparent(self, span_id: int, parent: SpanContext | None) -> None:
        """Export this span with another parent."""
        self._entry(span_id).parent = parent

    def get(self, span_id: int) -> PendingSpan | None:
        """What is known of a span, left in place."""
        return self._spans.get(span_id)

    def defer(self, span: ApiSpan, describe: Describe) -> None:
        """Add the attributes that `describe` returns to a span by the time it is exported."""
        if not self.exported_by_us:
            span.set_attributes(computed(describe))
            return
        self._entry(span.get_span_context().span_id).deferred.append(describe)

    def attributes(self, span_id: int) -> Attributes:
        """The deferred attributes of a span so far, computed now; they stay for the export."""
        pending = self._spans.get(span_id)
        return {} if pending is None else self._compute(pending)

    def pop(self, span_id: int) -> PendingSpan | None:
        """What is known of a span, all of it computed, for its export."""
        with self._lock:
            pending = self._spans.pop(span_id, None)
        if pending is not None:
            self._compute(pending)
        return pending

    def _entry(self, span_id: int) -> PendingSpan:
        """A span's entry. Only its own code adds to it before its end, so it needs no lock."""
        pending = self._spans.get(span_id)
        if pending is not None:
            return pending
        with self._lock:
            if len(self._spans) >= PENDING_MAX:
                self._spans.popitem(last=False)
                count_drop("pending_spans")
            pending = self._spans[span_id] = PendingSpan()
        return pending

    def _compute(self, pending: PendingSpan) -> Attributes:
        with self._computing:
            while pending.deferred:
                pending.known |= computed(pending.deferred.pop(0))
            return dict(pending.known)


class ExpectedCall:
    """A tool call that is about to get its span: how to describe it, and then the span."""

    __slots__ = ("describe", "span", "tool")

    def __init__(self, tool: str, describe: Describe) -> None:
        self.tool = tool
        self.describe = describe
        self.span: ApiSpan | None = None


# Set by the code that wraps an execution, claimed by the first `execute_tool` span of that name
# that begins in the same context.
EXPECTED: ContextVar[ExpectedCall | None] = ContextVar("aftershock_expected_call", default=None)


def claim_expected(tool: object, span: ApiSpan) -> ExpectedCall | None:
    """The expected call that a tool span which has just begun belongs to."""
    call = EXPECTED.get()
    if call is None or call.span is not None or call.tool != tool:
        return None
    call.span = span
    return call


def computed(describe: Describe) -> Attributes:
    """The attributes that a function returns; none, where it fails."""
    try:
        return describe()
    except Exception:  # noqa: BLE001 (ours: a call stays undescribed)
        record_failure("describing a call")
        return {}


PENDING = PendingSpans()  # one for the process: code that begins a span knows no pipeline
