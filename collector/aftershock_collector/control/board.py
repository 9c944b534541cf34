"""The board: orders in force, the processes that obey them, and who waits for what.

Lives on the event loop; the store is read and written in threads. A process has acknowledged an
order once it polls with the order's revision, because its calls obey what it polled with.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from aftershock.guard.protocol import POLL_S, order_json
from aftershock_collector.control.day_counts import DayCounts, wanted_in
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState

if TYPE_CHECKING:
    from collections.abc import Generator

    from aftershock.gate.orders import Order
    from aftershock_collector.control.approval_pages import ApprovalPages

PROCESSES_MAX = 10_000  # each holds one connection while it polls
GONE_S = 5.0  # without a poll: a process polls again at once, or has ended
COUNTS_S = 1.0  # between two answers of a poll that only bring what is used up today
REFRESH_S = 0.2  # between two queries for what commands beside this collector wrote
TEXT_CHARS_MAX = 200  # of what a process says of itself

Found = TypeVar("Found")
log = logging.getLogger("aftershock")


@dataclass(eq=False, slots=True)
class Process:
    """One process of an agent, as it described itself."""

    id: str
    host: str
    pid: int
    service: str
    sender: str
    revision: int | None = None  # that it has applied
    polls: int = 0  # open now
    seen_s: float = field(default_factory=time.monotonic)
    follows_more: bool = False  # of what is used up today than its open poll says
    answered: set[int] = field(default_factory=set[int])  # tickets whose answer it must get
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_connected(self) -> bool:
        """True while it polls, and for a moment after."""
        return self.polls > 0 or time.monotonic() - self.seen_s < GONE_S


class Board:
    """Shared by every route of one collector. Its methods run on the event loop."""

    def __init__(
        self,
        tickets: SqliteTickets,
        policy: Mapping[str, Any],
        counts: DayCounts,
        pages: ApprovalPages | None = None,
    ) -> None:
        """`policy`: the operator's document, which every process is sent. `pages`: who is asked."""
        self.counts = counts
        self.store = tickets
        self._pages = pages
        self.policy = policy
        self.orders: tuple[Order, ...] = tickets.orders()
        self.revision = secrets.randbits(40) << 12  # equal to none of an earlier process
        self.closing = False
        self._processes: OrderedDict[tuple[str, str], Process] = OrderedDict()  # by sender, id
        self._acknowledged = asyncio.Event()
        self._refreshing = asyncio.Lock()
        self._awaited: dict[int, set[asyncio.Event]] = {}  # requests whose answer is waited for
        # A stop must not wait behind the questions of agents, which share the loop's threads.
        self._own = ThreadPoolExecutor(1, "aftershock-orders")
        self._stamp = tickets.stamp()

    @property
    def processes(self) -> list[Process]:
        """Those that are connected."""
        return [one for one in self._processes.values() if one.is_connected]

    async def order(self, wanted: Order) -> Order:
        """Keep an order and push it."""
        kept = await self._done(self.store.order, wanted)
        await self.refresh()
        return kept

    async def refresh(self) -> None:
        """Read what changed in the store, whoever changed it, and push it.

        One at a time: who waits for its own order must not find it read but not pushed yet.
        """
        async with self._refreshing:
            await self._refresh()

    async def _refresh(self) -> None:
        stamp = await self._done(self.store.stamp)
        if stamp == self._stamp:
            if self._pages is not None and self._pages.is_due(time.time_ns()):
                await self._ask_people(())
            return
        before = self._stamp
        if stamp[0] != before[0]:
            self.orders = await self._done(self.store.orders)
            self.revision += 1
        if stamp[1] != before[1]:
            changed = await self._done(self.store.changed_since, before[1])
            for ticket in changed:
                if ticket.state is TicketState.ASKED:
                    continue
                for event in self._awaited.get(ticket.number, ()):
                    event.set()
                process = self._processes.get((ticket.sender, ticket.process or ""))
                if process is not None:
                    process.answered.add(ticket.number)
            await self._ask_people(changed)
        self._stamp = stamp  # only now: what could not be read is read again
        for process in self._processes.values():
            process.wake.set()

    @contextmanager
    def awaiting(self, number: int) -> Generator[asyncio.Event]:
        """An event that is set once a request has been answered; nothing is read meanwhile."""
        event = asyncio.Event()
        self._awaited.setdefault(number, set()).add(event)
        try:
            yield event
        finally:
            waiting = self._awaited[number]
            waiting.discard(event)
            if not waiting:
                del self._awaited[number]

    async def _done(self, function: Callable[..., Found], *arguments: Any) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._own, function, *arguments)

    async def _ask_people(self, changed: Iterable[Ticket]) -> None:
        """Queue pages; where that fails, orders and answers are pushed all the same."""
        if self._pages is None:
            return
        try:
            await asyncio.to_thread(self._pages.update, changed, time.time_ns())
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("requests for approval are not sent to people")

    async def acknowledged(self, revision: int, timeout_s: float) -> tuple[list[Process], ...]:
        """(Processes that applied a revision, those that did not in time)."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            known = self.processes
            missing = [one for one in known if (one.revision or 0) < revision]
            left_s = deadline_s - time.monotonic()
            if not missing or left_s <= 0:
                return [one for one in known if one not in missing], missing
            self._acknowledged.clear()
            try:
                await asyncio.wait_for(self._acknowledged.wait(), left_s)
            except TimeoutError:
                continue

    async def poll(
        self,
        described: Mapping[str, Any],
        revision: int | None,
        waiting: Iterable[int],
        sender: str,
        spending: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What changed for a process since a revision, as soon as something did.

        `spending`: what it follows of what is used up today; new counts are a change, too, at most
        every COUNTS_S.
        """
        process = self._known(described, sender)
        process.revision, process.follows_more = revision, False
        process.seen_s = time.monotonic()
        self._acknowledged.set()
        numbers = set(waiting)
        followed: Mapping[str, Any] = {} if spending is None else spending
        with polling(process):
            began_s = time.monotonic()
            deadline_s = began_s + POLL_S
            while True:
                process.wake.clear()
                tickets = await self._tickets(numbers | process.answered, sender)
                done = [t for t in tickets if t.state is not TicketState.ASKED]
                left_s = deadline_s - time.monotonic()
                counted_in_s = self._counted_in(followed, began_s)
                changed = revision != self.revision or process.follows_more
                if changed or done or min(left_s, counted_in_s) <= 0:
                    process.answered -= {ticket.number for ticket in done}
                    return self._answer(done, first=revision is None) | self._counts(followed)
                if self.closing:
                    return self._answer(done, first=revision is None)
                try:
                    wait_s = min(left_s, counted_in_s)
                    await asyncio.wait_for(process.wake.wait(), wait_s)
                except TimeoutError:
                    continue

    def follow_more(self, identity: str, sender: str) -> None:
        """A process follows further counts: have it poll again, with them."""
        process = self._processes.get((sender, identity[:TEXT_CHARS_MAX]))
        if process is not None:
            process.follows_more = True
            process.wake.set()

    def close(self) -> None:
        """Let every poll go: the collector ends."""
        self.closing = True
        self._own.shutdown(wait=False)
        for process in self._processes.values():
            process.wake.set()

    def _counted_in(self, followed: Mapping[str, Any], began_s: float) -> float:
        """Seconds until a poll is answered because counts that it follows have changed."""
        if not followed:
            return POLL_S
        left_s = began_s + COUNTS_S - time.monotonic()
        changed = followed.get("version") != self.counts.version
        return left_s if changed else max(left_s, COUNTS_S)

    def _counts(self, followed: Mapping[str, Any]) -> dict[str, Any]:
        wanted = wanted_in(followed)
        return {"spending": self.counts.answer(wanted, time.time_ns())} if wanted else {}

    async def _tickets(self, numbers: set[int], sender: str) -> list[Ticket]:
        if not numbers:
            return []
        now_ns = time.time_ns()
        found = await asyncio.to_thread(self.store.tickets, sorted(numbers))
        return [ticket.seen_at(now_ns) for ticket in found if ticket.is_of(sender)]

    def _answer(self, tickets: Iterable[Ticket], *, first: bool) -> dict[str, Any]:
        changes: dict[str, Any] = {
            "revision": self.revision,
            "orders": [order_json(order) for order in self.orders],
            "tickets": [ticket_json(ticket, time.time_ns()) for ticket in tickets],
        }
        return changes | ({"policy": self.policy} if first else {})

    def _known(self, described: Mapping[str, Any], sender: str) -> Process:
        """The process that polls. Another sender's of the same id is another process."""
        identity = str(described.get("id") or "")[:TEXT_CHARS_MAX]
        key = sender, identity
        process = self._processes.get(key)
        if process is None:
            pid = described.get("pid")
            process = self._processes[key] = Process(
                identity,
                str(described.get("host") or "")[:TEXT_CHARS_MAX],
                pid if isinstance(pid, int) else 0,
                str(described.get("service") or "")[:TEXT_CHARS_MAX],
                sender,
            )
            if len(self._processes) > PROCESSES_MAX:
                self._make_room(process)
        else:
            self._processes.move_to_end(key)
        return process

    def _make_room(self, new: Process) -> None:
        """Forget those that are gone; else the oldest of the sender that has most processes.

        A process that is forgotten while it polls is pushed nothing, and is missing from no answer
        to an order: one sender's must not be forgotten because another one's are many.
        """
        for key in [key for key, one in self._processes.items() if not one.is_connected]:
            del self._processes[key]
        if len(self._processes) <= PROCESSES_MAX:
            return
        counts = Counter(sender for sender, _ in self._processes)
        most = max(counts.values())
        sender = new.sender if counts[new.sender] == most else counts.most_common(1)[0][0]
        oldest = next(key for key in self._processes if key[0] == sender)
        del self._processes[oldest]


@contextmanager
def polling(process: Process) -> Generator[None]:
    """Count a process's open poll; one that is cancelled was cut off, as by the process's end."""
    process.polls += 1
    try:
        yield
        process.seen_s = time.monotonic()
    except asyncio.CancelledError:
        process.seen_s = -GONE_S
        raise
    finally:
        process.polls -= 1


def ticket_json(ticket: Ticket, now_ns: int) -> dict[str, Any]:
    """A ticket for whoever waits for it."""
    return {
        "number": ticket.number,
        "state": str(ticket.state),
        "tool": ticket.tool,
        "by": ticket.by,
        "because": ticket.because,
        "reasons": [{"text": text} for text in ticket.reasons],
        "expires_in_s": max(0.0, (ticket.expires_at_ns - now_ns) / 1e9),
    }
