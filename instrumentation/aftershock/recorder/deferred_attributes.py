"""Late attributes: what is told about a call, worked out off the app's thread.

Fingerprints cost tens of microseconds. The app's thread only leaves a snapshot here; the thread
that tells start events, or the one that exports spans, works it out, whoever needs it first.
Where our exporter is not in place, it is worked out at once and put on the span itself.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock, RLock
from typing import TYPE_CHECKING

from aftershock.recorder.drop_counters import count_drop, record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    Attributes = dict[str, AttributeValue]
    Describe = Callable[[], Attributes]

ENTRIES_MAX = 10_000  # spans between their begin and their export; each holds its snapshots


class Entry:
    """What is known of one span, and what is still to be worked out."""

    __slots__ = ("known", "todo")

    def __init__(self) -> None:
        self.known: Attributes = {}
        self.todo: list[Describe] = []


class DeferredAttributes:
    """Span id → what will be said of it. Bounded; safe for threads."""

    def __init__(self) -> None:
        self.enabled = False  # True once our exporter takes what is put here
        self.forget()

    def forget(self) -> None:
        """Begin with nothing and with locks that nobody holds."""
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._lock = RLock()  # held for moments, also by the app's thread
        self._work = Lock()  # held while working out, never by the app's thread

    def add(self, span: Span, describe: Describe) -> None:
        """Say this of a span by the time it is exported."""
        if not self.enabled:
            span.set_attributes(worked_out(describe))
            return
        span_id = span.get_span_context().span_id
        with self._lock:
            entry = self._entries.get(span_id)
            if entry is None:
                if len(self._entries) >= ENTRIES_MAX:
                    self._entries.popitem(last=False)
                    count_drop("late_attributes")
                entry = self._entries[span_id] = Entry()
            entry.todo.append(describe)

    def known(self, span_id: int) -> Attributes:
        """Everything said of a span so far, worked out now; it stays for the export."""
        entry = self._entries.get(span_id)
        return {} if entry is None else self._worked_out(entry)

    def take(self, span_id: int) -> Attributes:
        """Everything said of a span, for its export."""
        with self._lock:
            entry = self._entries.pop(span_id, None)
        return {} if entry is None else self._worked_out(entry)

    def _worked_out(self, entry: Entry) -> Attributes:
        with self._work:
            while entry.todo:
                entry.known |= worked_out(entry.todo.pop(0))
        return dict(entry.known)


def worked_out(describe: Describe) -> Attributes:
    """What a description says; nothing, where it fails."""
    try:
        return describe()
    except Exception:  # noqa: BLE001 (ours: a call stays undescribed)
        record_failure("describing a call")
        return {}


DEFERRED = DeferredAttributes()  # one process, one place: whoever makes spans knows no pipeline
