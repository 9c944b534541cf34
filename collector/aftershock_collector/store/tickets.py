"""Tickets: requests for a person's approval of one exact call, and orders of people to agents.

Every transition is one conditional update in one transaction, so that two collectors' threads, a
command beside them and a crash in between cannot use one approval twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from aftershock.gate.orders import Order, in_force
from aftershock_collector.store.bypasses import Bypass
from aftershock_collector.store.interface import StoreRefused
from aftershock_collector.store.serialization import from_text, to_text
from aftershock_collector.store.writer import SqliteStore

LISTED_MAX = 500  # tickets and orders of one answer
WAITING_MAX = 500  # of one sender: nobody reads more
UNANSWERED_NS = 600_000_000_000  # that a request counts which expired earlier
ROW_LAST = 2**63 - 1  # of SQLite
BYPASSES = "SELECT body FROM bypasses WHERE until_ns > ? ORDER BY number"


class TicketState(StrEnum):
    """Where a ticket is in its life."""

    ASKED = "asked"
    APPROVED = "approved"
    DENIED = "denied"
    SPENT = "spent"  # its one call has begun
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request for approval, and its answer."""

    digest: str  # of agent, tool, arguments and targets: it covers that action only
    tool: str
    tier: str
    run: str
    asked_at_ns: int
    expires_at_ns: int
    agent: str | None = None
    targets: tuple[str, ...] = ()
    arguments: Mapping[str, Any] | None = None  # redacted; what the person sees
    reasons: tuple[str, ...] = ()
    process: str | None = None  # that waits for the answer
    sender: str = ""
    number: int = 0  # 0: not stored yet
    state: TicketState = TicketState.ASKED
    by: str | None = None
    because: str = ""
    answered_at_ns: int | None = None
    spent_at_ns: int | None = None
    spent_by: str | None = None  # the nonce of the call that used it, and its run
    also: tuple[str, ...] = field(default=())  # further runs that asked for the same
    known: tuple[str, ...] = ()  # what was known of its targets when it was asked
    explanation: str = ""  # of the agent: what it thinks it knows, and why it acts
    dry_run: str = ""  # what the call would do, tried where the agent runs; empty: it was not
    examined: tuple[str, ...] = ()  # what was known of its assumptions when it was asked
    used: tuple[str, ...] = ()  # one-time links and signed requests that have answered it

    @property
    def group(self) -> tuple[str, ...]:
        """Equal for similar requests: one sender's agent, tool and tier, on the same targets."""
        return (self.sender, self.agent or "", self.tool, self.tier, *self.targets)

    def is_of(self, sender: str) -> bool:
        """Whether this sender asked for it; tickets of earlier versions name none."""
        return self.sender in {"", sender}

    def seen_at(self, now_ns: int) -> Ticket:
        """As it stands at a moment: one that nobody used in time has expired."""
        open_states = {TicketState.ASKED, TicketState.APPROVED, TicketState.DENIED}
        if self.state in open_states and now_ns >= self.expires_at_ns:
            return replace(self, state=TicketState.EXPIRED)
        return self


class AnsweredAlready(Exception):  # noqa: N818  (it names what happened before)
    """A one-time link, or a signed request, was used before."""

    def __init__(self, number: int) -> None:
        super().__init__(f"this link has answered request {number} already")


class TooManyWait(StoreRefused):
    """A sender has more requests that wait than people could read."""

    def __init__(self, sender: str) -> None:
        super().__init__(f"{WAITING_MAX} requests of {sender or 'this sender'} wait for an answer")


class DeniedMeanwhile(Exception):  # noqa: N818  (it names what happened before)
    """Somebody denied a request that an answer approves without having seen that."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(f"Request {ticket.number} was denied by {ticket.by} meanwhile.")


class SqliteTickets:
    """Tickets and orders of one store. Methods may be called from any thread."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def ask(self, wanted: Ticket) -> Ticket:
        """The ticket for an action: one of its sender that is still valid, else a new one.

        What another sender asked for is another request, even under the same digest: its tool and
        arguments are that sender's word. A denial is valid as long as an approval: an agent that
        asks again gets the same answer. Where a bypass covers the action, its person's answer
        stands on the new ticket at once. Raises TooManyWait.
        """
        now_ns = wanted.asked_at_ns
        with self._store.transaction() as connection:
            rows = connection.execute(
                "SELECT number, body FROM tickets WHERE digest = ? AND expires_at_ns > ?"
                " AND state IN ('asked', 'approved', 'denied') ORDER BY number DESC LIMIT ?",
                (wanted.digest, now_ns, LISTED_MAX),
            ).fetchall()
            valid = (replace(from_text(Ticket, body), number=number) for number, body in rows)
            known = next((one for one in valid if one.is_of(wanted.sender)), None)
            if known is not None:
                ticket = replace(known, process=wanted.process)
                if ticket.state is TicketState.ASKED:  # who answers sees how it is now
                    ticket = replace(ticket, dry_run=wanted.dry_run, examined=wanted.examined)
                if wanted.run not in (known.run, *known.also):
                    ticket = replace(ticket, also=(*known.also, wanted.run)[-LISTED_MAX:])
                self._update(connection, ticket, now_ns)
                return ticket
            wanted = with_bypass(wanted, bypasses_in(connection, now_ns))
            if wanted.state is TicketState.ASKED:
                refuse_floods(connection, wanted)
            number = connection.execute(
                "INSERT INTO tickets (digest, state, asked_at_ns, expires_at_ns, changed_at_ns,"
                " body) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    wanted.digest,
                    wanted.state,
                    now_ns,
                    wanted.expires_at_ns,
                    now_ns,
                    to_text(wanted),
                ),
            ).lastrowid
        return replace(wanted, number=number or 0)

    def answer(
        self,
        number: int,
        *,
        approve: bool,
        by: str,
        because: str,
        now_ns: int,
        once: str = "",
        saw_denial: bool = True,
    ) -> tuple[bool, Ticket | None]:
        """Keep a person's answer. (True, the ticket), or (False, why not: as it stands or None).

        A denial may be turned into an approval; what was spent or has expired stays as it is.
        `once` identifies a signed link or request, which answers one time only. `saw_denial`:
        whether a person who approves has seen that it is denied, where it is. Raises
        AnsweredAlready or DeniedMeanwhile.
        """
        state = TicketState.APPROVED if approve else TicketState.DENIED
        with self._store.transaction() as connection:
            ticket = self._one(connection, number)
            if ticket is not None and once and once in ticket.used:
                raise AnsweredAlready(number)
            if ticket is None or ticket.seen_at(now_ns).state not in {
                TicketState.ASKED,
                TicketState.APPROVED,
                TicketState.DENIED,
            }:
                return False, None if ticket is None else ticket.seen_at(now_ns)
            if approve and ticket.state is TicketState.DENIED and not saw_denial:
                raise DeniedMeanwhile(ticket)
            used = (*ticket.used, once)[-LISTED_MAX:] if once else ticket.used
            ticket = replace(
                ticket, state=state, by=by, because=because, answered_at_ns=now_ns, used=used
            )
            self._update(connection, ticket, now_ns)
        return True, ticket

    def spend(  # noqa: PLR0917
        self, number: int, digest: str, nonce: str, run: str, now_ns: int, sender: str
    ) -> tuple[bool, Ticket | None]:
        """Use an approval of this sender for one call.

        The same nonce may ask again, if its answer was lost.
        """
        spent_by = f"{nonce}/{run}"
        with self._store.transaction() as connection:
            ticket = self._one(connection, number)
            if ticket is None or ticket.digest != digest or not ticket.is_of(sender):
                return False, None
            seen = ticket.seen_at(now_ns)
            if seen.state is TicketState.SPENT:
                return seen.spent_by == spent_by, seen
            if seen.state is not TicketState.APPROVED:
                return False, seen
            ticket = replace(ticket, state=TicketState.SPENT, spent_at_ns=now_ns, spent_by=spent_by)
            self._update(connection, ticket, now_ns)
        return True, ticket

    def tickets(self, numbers: Sequence[int]) -> list[Ticket]:
        """Tickets by their numbers; unknown ones are left out."""
        chosen = list(numbers)[:LISTED_MAX]
        marks = ",".join("?" * len(chosen))
        rows = self._store.select(
            f"SELECT number, body FROM tickets WHERE number IN ({marks})",  # noqa: S608 (marks)
            tuple(chosen),
        )
        return [replace(from_text(Ticket, body), number=number) for number, body in rows]

    def changed_since(self, changed_at_ns: int) -> list[Ticket]:
        """Tickets that were asked, answered or used since a stamp: all of them."""
        found: list[Ticket] = []
        last = changed_at_ns, ROW_LAST
        while True:
            rows = self._store.select(
                "SELECT number, body, changed_at_ns FROM tickets"
                " WHERE (changed_at_ns, number) > (?, ?)"
                " ORDER BY changed_at_ns, number LIMIT ?",
                (*last, LISTED_MAX),
            )
            found += (replace(from_text(Ticket, body), number=number) for number, body, _ in rows)
            if len(rows) < LISTED_MAX:
                return found
            last = rows[-1][2], rows[-1][0]

    def newest(self, *, open_only: bool, now_ns: int) -> list[Ticket]:
        """The newest tickets, or those that wait for an answer.

        Of those that wait each sender's agents have their share: the many requests of one leave
        out none of another.
        """
        if not open_only:
            rows = self._store.select(
                "SELECT number, body FROM tickets ORDER BY number DESC LIMIT ?", (LISTED_MAX,)
            )
        else:
            rows = self._store.select(
                "SELECT number, body FROM (SELECT number, body, row_number() OVER (PARTITION BY"
                " json_extract(body, '$.sender'), json_extract(body, '$.agent')"
                " ORDER BY number DESC) AS place FROM tickets"
                " WHERE state = 'asked' AND expires_at_ns > ?)"
                " ORDER BY place, number DESC LIMIT ?",
                (now_ns, LISTED_MAX),
            )
            rows = sorted(rows, reverse=True)
        return [replace(from_text(Ticket, body), number=number) for number, body in rows]

    def similar(self, ticket: Ticket, now_ns: int) -> list[Ticket]:
        """Further requests of the same group that wait, oldest first."""
        waiting = self.newest(open_only=True, now_ns=now_ns)
        return [
            one for one in reversed(waiting)
            if one.group == ticket.group and one.number != ticket.number
        ]  # fmt: skip

    def bypass(self, wanted: Bypass) -> Bypass:
        """Keep a bypass, and answer by it what waits already; returns it with its number."""
        with self._store.transaction() as connection:
            number = connection.execute(
                "INSERT INTO bypasses (until_ns, body) VALUES (?, ?)",
                (wanted.until_ns, to_text(wanted)),
            ).lastrowid
            kept = replace(wanted, number=number or 0)
            connection.execute(
                "UPDATE bypasses SET body = ? WHERE number = ?", (to_text(kept), number)
            )
            rows = connection.execute(
                "SELECT number, body FROM tickets WHERE state = 'asked' AND expires_at_ns > ?",
                (wanted.given_at_ns,),
            ).fetchall()
            for row, body in rows:
                waiting = replace(from_text(Ticket, body), number=row)
                answered = with_bypass(waiting, [kept], wanted.given_at_ns)
                if answered is not waiting:
                    self._update(connection, answered, wanted.given_at_ns)
        return kept

    def end_bypass(self, number: int, now_ns: int) -> bool:
        """End a bypass now. False: none of this number is in force."""
        with self._store.transaction() as connection:
            row = connection.execute(
                "SELECT body FROM bypasses WHERE number = ? AND until_ns > ?", (number, now_ns)
            ).fetchone()
            if row is None:
                return False
            ended = replace(from_text(Bypass, row[0]), until_ns=now_ns)
            connection.execute(
                "UPDATE bypasses SET until_ns = ?, body = ? WHERE number = ?",
                (now_ns, to_text(ended), number),
            )
        return True

    def bypasses(self, now_ns: int) -> list[Bypass]:
        """Those in force, oldest first."""
        rows = self._store.select(BYPASSES, (now_ns,))
        return [from_text(Bypass, body) for (body,) in rows]

    def order(self, order: Order) -> Order:
        """Keep an order; returns it with its number."""
        with self._store.transaction() as connection:
            number = connection.execute(
                "INSERT INTO orders (given_at_ns, body) VALUES (?, ?)",
                (order.given_at_ns, to_text(order)),
            ).lastrowid
            kept = replace(order, number=number or 0)
            connection.execute(
                "UPDATE orders SET body = ? WHERE number = ?", (to_text(kept), number)
            )
        return kept

    def orders(self) -> tuple[Order, ...]:
        """Orders in force."""
        rows = self._store.select("SELECT body FROM orders ORDER BY number", ())
        return in_force(from_text(Order, body) for (body,) in rows)

    def stamp(self) -> tuple[int, int]:
        """Different after each change of orders or tickets, whoever made it."""
        ((orders, tickets),) = self._store.select(
            "SELECT (SELECT coalesce(max(number), 0) FROM orders),"
            " (SELECT coalesce(max(changed_at_ns), 0) FROM tickets)",
            (),
        )
        return orders, tickets

    @staticmethod
    def _one(connection: Any, number: int) -> Ticket | None:
        row = connection.execute("SELECT body FROM tickets WHERE number = ?", (number,)).fetchone()
        return None if row is None else replace(from_text(Ticket, row[0]), number=number)

    @staticmethod
    def _update(connection: Any, ticket: Ticket, now_ns: int) -> None:
        connection.execute(
            "UPDATE tickets SET state = ?, changed_at_ns = max(changed_at_ns + 1, ?), body = ?"
            " WHERE number = ?",
            (ticket.state, now_ns, to_text(ticket), ticket.number),
        )


def refuse_floods(connection: Any, wanted: Ticket) -> None:
    """Raises TooManyWait: what nobody answers of one sender is bounded, in number and in time."""
    ((waiting,),) = connection.execute(
        "SELECT count(*) FROM tickets WHERE state = 'asked'"
        " AND max(expires_at_ns, asked_at_ns + ?) > ? AND json_extract(body, '$.sender') = ?",
        (UNANSWERED_NS, wanted.asked_at_ns, wanted.sender),
    )
    if waiting >= WAITING_MAX:
        raise TooManyWait(wanted.sender)


def bypasses_in(connection: Any, now_ns: int) -> list[Bypass]:
    """The bypasses in force, within a transaction."""
    return [from_text(Bypass, body) for (body,) in connection.execute(BYPASSES, (now_ns,))]


def with_bypass(ticket: Ticket, bypasses: Sequence[Bypass], now_ns: int | None = None) -> Ticket:
    """The ticket, answered by the first bypass that covers it: recorded as that person's answer."""
    for bypass in bypasses:
        if bypass.covers(ticket.agent, ticket.tool):
            return replace(
                ticket,
                state=TicketState.APPROVED,
                by=f"{bypass.by} (bypass {bypass.number})",
                because=bypass.because,
                answered_at_ns=ticket.asked_at_ns if now_ns is None else now_ns,
            )
    return ticket
