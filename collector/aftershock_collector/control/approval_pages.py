"""Approval pages: each group of requests is one page for its receivers, until it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aftershock.model import Report
from aftershock_collector.notify.approval_page import AnswerLinks, compose, subject_of
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.serialization import to_text
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState

OPEN_MAX = 10_000  # pages whose end is awaited

Record = Callable[[Report, Iterable[Delivery], int], object]


class ApprovalPages:
    """Queues pages. Its methods block, and one thread at a time calls them."""

    def __init__(
        self,
        tickets: SqliteTickets,
        record: Record,
        is_queued: Callable[[str], bool],
        receivers: Sequence[str],
        links: AnswerLinks,
    ) -> None:
        """`record` keeps deliveries; `is_queued` says whether a subject was ever opened."""
        self._tickets = tickets
        self._record = record
        self._is_queued = is_queued
        self._receivers = tuple(receivers)
        self._links = links
        self._expires_ns: dict[int, int] = {}  # of requests with an open page

    def resume(self, now_ns: int) -> None:
        """What an earlier process could not queue any more; what was queued is not repeated."""
        self.update(self._tickets.newest(open_only=False, now_ns=now_ns), now_ns)

    def is_due(self, now_ns: int) -> bool:
        """True where a page is over because nobody answered in time."""
        return any(expires_ns <= now_ns for expires_ns in self._expires_ns.values())

    def update(self, changed: Iterable[Ticket], now_ns: int) -> None:
        """Queue what follows from changed requests and from the time."""
        if not self._receivers:
            return
        waiting = self._tickets.newest(open_only=True, now_ns=now_ns)
        over = {ticket.number: ticket for ticket in changed}
        expired = [n for n, expires_ns in self._expires_ns.items() if expires_ns <= now_ns]
        over |= {ticket.number: ticket for ticket in self._tickets.tickets(expired)}
        deliveries = [
            delivery
            for ticket in over.values()
            if (seen := ticket.seen_at(now_ns)).state is not TicketState.ASKED
            for delivery in self._closing(seen)
        ]
        for group in grouped(waiting):
            deliveries += self._opening(group)
        if deliveries:
            self._record(Report(now_ns), deliveries, now_ns)

    def _opening(self, group: Sequence[Ticket]) -> list[Delivery]:
        """The page of the oldest request of a group, which names the others."""
        lead, similar = group[0], group[1:]
        if len(self._expires_ns) < OPEN_MAX:
            self._expires_ns[lead.number] = lead.expires_at_ns
        found = [self._delivery(lead, State.OPENED, 0, ())]
        if similar:
            found.append(self._delivery(lead, State.UPDATED, similar[-1].number, similar))
        return [delivery for deliveries in found for delivery in deliveries]

    def _closing(self, ticket: Ticket) -> list[Delivery]:
        """That a request needs no answer any more, for whoever was sent a page about it."""
        self._expires_ns.pop(ticket.number, None)
        if not self._is_queued(subject_of(ticket)):
            return []
        return self._delivery(ticket, State.CLOSED, 0, ())

    def _delivery(
        self, ticket: Ticket, state: State, revision: int, similar: Sequence[Ticket]
    ) -> list[Delivery]:
        return [
            Delivery(
                subject_of(ticket),
                state,
                receiver,
                to_text(compose(ticket, receiver, self._links, similar)),
                revision,
                urgent=state is State.OPENED,  # an agent waits
            )
            for receiver in self._receivers
        ]


def grouped(waiting: Iterable[Ticket]) -> list[list[Ticket]]:
    """Requests by their group, the oldest first."""
    found: dict[tuple[str, ...], list[Ticket]] = {}
    for ticket in sorted(waiting, key=lambda one: one.number):
        found.setdefault(ticket.group, []).append(ticket)
    return list(found.values())
