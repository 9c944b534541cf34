"""The channel: one long-lived connection of a process, on which orders and answers are pushed.

One daemon thread polls; the collector holds each poll until something changed. The next poll names
the revision that it has applied, which is the acknowledgement.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from aftershock.guard.connection import Connection, Refused, Unreachable
from aftershock.guard.protocol import POLL_PATH, POLL_S, read_order
from aftershock.policy.policy import Policy, PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aftershock.gate.orders import Order
    from aftershock.guard.day_counts import DayCounts

PAUSE_S, PAUSE_MAX_S = 0.1, 5.0  # between attempts while the collector cannot be reached
TICKETS_MAX = 1_000  # waiting calls of one process
Answered = Mapping[str, Any]  # a ticket as the collector describes it


class State(NamedTuple):
    """What the collector last sent. Replaced as a whole, so that readers need no lock."""

    orders: tuple[Order, ...] = ()
    policy: Policy | None = None  # the operator's; None: none was sent
    revision: int | None = None  # None: nothing was received yet
    reachable: bool = False


class Channel:
    """Keeps `state` up to date. Safe for threads and forks."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        identity: Callable[[], Mapping[str, Any]],
        failed: Callable[[str], None],
        counts: DayCounts,
    ) -> None:
        """`identity` describes this process to people; `failed` counts a failure of our own.

        `counts`: what is used up of a day's budgets; kept up to date by the poll.
        """
        self._connect = connect
        self.counts = counts
        self.identity = identity
        self._failed = failed
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self.state = State()
        self.tickets: dict[int, Answered] = {}  # waited for, as last described
        self.tried = threading.Event()  # the first poll was answered, or failed
        self._lock = threading.RLock()
        self._waiters: set[Future[None]] = set()
        self._waits_for: dict[int, int] = {}  # ticket → calls that wait for it
        self._thread: threading.Thread | None = None
        self._local = threading.local()

    def start(self) -> None:
        """Begin to listen, once."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(
                target=self._listen, args=(self.tried,), name="aftershock-guard", daemon=True
            )
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, once the poll that is open has ended."""
        self.tried = threading.Event()

    def post(self, path: str, body: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """Ask the collector on this thread's own connection. Raises Unreachable or Refused."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection.post(path, body, timeout_s)

    @property
    def process(self) -> str:
        """The id of this process, by which the collector knows whom to answer."""
        return str(self.identity()["id"])

    def changed(self) -> Future[None]:
        """Completes with the next change of orders, tickets or reachability."""
        waiter: Future[None] = Future()
        with self._lock:
            self._waiters.add(waiter)
        return waiter

    def forget(self, waiter: Future[None]) -> None:
        """Stop waiting."""
        with self._lock:
            self._waiters.discard(waiter)

    def wait_for(self, ticket: int, described: Answered) -> None:
        """Follow a ticket until `release`."""
        with self._lock:
            self._waits_for[ticket] = self._waits_for.get(ticket, 0) + 1
            self.tickets.setdefault(ticket, described)
            if len(self.tickets) > TICKETS_MAX:
                self._failed("too many calls wait for approval")

    def release(self, ticket: int) -> None:
        """A call no longer waits for a ticket."""
        with self._lock:
            left = self._waits_for.get(ticket, 1) - 1
            if left > 0:
                self._waits_for[ticket] = left
            else:
                self._waits_for.pop(ticket, None)
                self.tickets.pop(ticket, None)

    def _listen(self, mine: threading.Event) -> None:
        connection: Connection | None = None
        pause_s = PAUSE_S
        while self.tried is mine:  # in a forked child it is another one
            try:
                connection = connection or self._connect()
                answer = connection.post(POLL_PATH, self._poll(), POLL_S * 2)
                self._apply(answer)
                pause_s = PAUSE_S
                continue
            except (Unreachable, Refused):
                self._replace(reachable=False)
            except Exception:  # noqa: BLE001 (the thread must outlive one bad answer)
                self._failed("listening to the collector")
                self._replace(reachable=False)
            if connection is not None:
                connection.close()
                connection = None
            mine.set()
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def _poll(self) -> dict[str, Any]:
        with self._lock:
            waiting = sorted(self._waits_for)
        state = self.state
        return {
            "process": dict(self.identity()),
            "revision": state.revision if state.reachable else None,
            "waiting": waiting,
        } | self._counts_wanted(reachable=state.reachable)

    def _counts_wanted(self, *, reachable: bool) -> dict[str, Any]:
        """What is to be counted; nothing for a process without budgets of a day."""
        wanted = self.counts.wanted()
        known = self.counts.version if reachable else None
        return {"spending": {"of": wanted, "version": known}} if wanted else {}

    def _apply(self, answer: Mapping[str, Any]) -> None:
        """Everything that changed, at once: a call that passes afterwards obeys it."""
        orders = tuple(read_order(one) for one in answer.get("orders") or ())
        policy = self.state.policy
        if (document := answer.get("policy")) is not None:
            try:
                policy = Policy.from_mapping(document)
            except PolicyError:
                self._failed("reading the collector's policy")
        if (spending := answer.get("spending")) is not None:
            try:
                self.counts.apply(spending)
            except (KeyError, TypeError, ValueError):
                self._failed("reading what was used up today")
        with self._lock:
            for ticket in answer.get("tickets") or ():
                if int(ticket["number"]) in self._waits_for:
                    self.tickets[int(ticket["number"])] = ticket
        self._replace(
            orders=orders, policy=policy, revision=int(answer["revision"]), reachable=True
        )

    def _replace(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)
        self.tried.set()
        with self._lock:
            waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)
