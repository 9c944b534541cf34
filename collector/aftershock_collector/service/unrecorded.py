"""What was concluded, until the store has it: bounded in number and in what it holds."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from aftershock.model import Report
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.notify.notifications import Notified

REPORTS_MAX = 1_000  # that wait for a store that is full or locked: hours of incidents, ...
ITEMS_MAX = 10_000  # ... and claims, changes and pages in all of them; 20 MB


class Unrecorded(NamedTuple):
    """What one conclusion changed, until the store has it."""

    report: Report
    notified: Notified
    suspects: tuple[Suspects, ...] = ()
    feedback: tuple[int, ...] = ()  # rows of people's feedback that this report acts on
    responses: tuple[int, ...] = ()  # rows of acknowledgements and snoozes, likewise

    @property
    def items(self) -> int:
        """What takes memory in it: some two kilobytes each."""
        report, notified = self.report, self.notified
        claims = len(report.opened) + len(report.updated) + len(report.closed)
        changes = len(report.impacts) + len(report.changes) + len(self.suspects)
        return 1 + claims + changes + len(notified.deliveries) + len(notified.incidents)


class UnrecordedReports:
    """Reports in the order in which they were made. Of one thread."""

    def __init__(self) -> None:
        self._waiting: deque[Unrecorded] = deque()
        self._items = 0

    def append(self, unrecorded: Unrecorded) -> int:
        """Add the newest; returns how many of the oldest gave way. One always stays."""
        self._waiting.append(unrecorded)
        self._items += unrecorded.items
        dropped = 0
        while len(self._waiting) > 1 and (
            len(self._waiting) > REPORTS_MAX or self._items > ITEMS_MAX
        ):
            self.popleft()
            dropped += 1
        return dropped

    def popleft(self) -> None:
        """Remove the oldest: the store has it."""
        self._items -= self._waiting.popleft().items

    @property
    def oldest(self) -> Unrecorded:
        """The next one to record."""
        return self._waiting[0]

    def __len__(self) -> int:
        return len(self._waiting)
