"""What a store does for the rooms above it: SQLite today, a server when collectors have replicas.

`Store` writes, `Outbox` holds what receivers must still get. Reading is `reader.Reader`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from aftershock.model import Change, Claim, Report, Step
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.store.incidents import Incident, Mute, Response


class StoreUnavailable(Exception):  # noqa: N818  (it names the store's state)
    """The store cannot write now (`reason`: full, locked, …); the same write may work later."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreRefused(ValueError):  # noqa: N818  (it names what the store did)
    """The given values can never be stored."""


class State(StrEnum):
    """Where a page is in the life of its incident; receivers translate it to their own words."""

    OPENED = "opened"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Appended(NamedTuple):
    """Rows that one append added; `duplicates` were stored before."""

    spans: int
    events: int
    changes: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one receiver. `subject`, `state`, `revision` and `receiver` identify it."""

    subject: str  # an incident's key, a finding's id, or an alert's ranking
    state: State
    receiver: str
    body: str
    revision: int = 0  # of an update; the opening and the closing have one each
    incident: int | None = None  # number, where the message is an incident's page
    urgent: bool = False  # sent before messages that are not
    wait_ns: int = 0  # before the first attempt, for findings that belong to the same incident


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come."""

    id: int
    subject: str
    state: State
    receiver: str
    body: str
    attempts: int  # made before this one
    queued_at_ns: int
    incident: int | None = None
    closing: str | None = None  # body of the closing, where an opening's closing waits too


class Pruned(NamedTuple):
    """Rows that were removed, by table; `more` where another call has work left."""

    rows: Mapping[str, int]
    more: bool


class Store(Protocol):
    """The only writer. Methods may be called from any thread; each is one transaction.

    Every method raises StoreUnavailable or StoreRefused.
    """

    @property
    def trouble(self) -> str | None:
        """Why the newest write failed; None after one that worked."""
        ...

    def check_file(self) -> None:
        """Raise StoreUnavailable if what is stored was removed under us."""
        ...

    def append(
        self,
        spans: Sequence[tuple[Span, Step | None]],
        events: Sequence[tuple[LogEvent, Step | None]],
        changes: Sequence[Change],
        arrived_ns: int,
    ) -> Appended:
        """Keep what arrived, each with the step that it was read as (None: no agent's step)."""
        ...

    def record(  # noqa: PLR0917
        self,
        report: Report,
        deliveries: Iterable[Delivery],
        arrived_ns: int,
        suspects: Iterable[Suspects] = (),
        feedback: Iterable[int] = (),
        incidents: Iterable[Incident] = (),
        responses: Iterable[int] = (),
    ) -> int:
        """Keep a report with the pages about it; returns how many deliveries are new."""
        ...

    def feedback(self, over: Claim, arrived_ns: int) -> None:
        """Keep a person's feedback, and the finding that it closed."""
        ...

    def respond(self, response: Response) -> None:
        """Keep an acknowledgement or a snooze; the collector applies it at its next tick."""
        ...

    def mute(self, mute: Mute) -> int:
        """Keep a mute; returns its number."""
        ...

    def unmute(self, number: int, by: str, at_ns: int) -> bool:
        """End a mute early; False where there is no such mute or it had ended."""
        ...

    def save_snapshot(self, name: str, body: bytes, at_ns: int) -> None:
        """Replace what a part of the collector needs to continue after a restart."""
        ...

    def size_bytes(self) -> int:
        """Bytes that rows use."""
        ...

    def prune(self, before_ns: int, bytes_max: int) -> Pruned:
        """Remove a bounded number of old rows."""
        ...


class Outbox(Protocol):
    """Deliveries of one store. Methods may be called from any thread."""

    def on_queued(self, listener: Callable[[], None]) -> None:
        """Call something after each report whose deliveries were queued, in the writer's thread."""
        ...

    def due(self, now_ns: int, limit: int = 32, receiver: str | None = None) -> list[Due]:
        """Deliveries to send now: urgent first, then oldest first."""
        ...

    def next_ns(self, receiver: str) -> int | None:
        """When the next delivery to a receiver is due; None where none waits."""
        ...

    def confirmed(self, subject: str, receiver: str) -> bool:
        """True where the receiver confirmed the opening."""
        ...

    def receipt(self, subject: str, receiver: str) -> str | None:
        """What the receiver answered to the opening, where an update needs it."""
        ...

    def delivered(self, delivery: int, at_ns: int, receipt: str | None = None) -> None:
        """The receiver confirmed it."""
        ...

    def postpone(self, delivery: int, next_attempt_ns: int, error: str) -> None:
        """The attempt failed; the next one is at `next_attempt_ns`."""
        ...

    def give_up(self, delivery: int, error: str) -> None:
        """No attempt will follow; the row stays with its error."""
        ...

    def counts(self) -> Counter[str]:
        """Deliveries by outcome: delivered, waiting, given_up."""
        ...
