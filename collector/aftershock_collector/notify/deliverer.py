"""Empties the outbox: one thread for each receiver, so that a slow one delays no other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

from aftershock_collector.notify.http_post import TIMEOUT, Permanent, Retryable
from aftershock_collector.notify.page import parse
from aftershock_collector.notify.receiver import (
    Content,
    Message,
    Receiver,
    Updates,
    after_the_event,
)
from aftershock_collector.notify.summary_page import summary
from aftershock_collector.store.interface import Delivery, Due, Outbox, State, StoreUnavailable
from aftershock_collector.store.serialization import to_text
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.wording import NS

RETRY_FIRST_S = 1.0
RETRY_LAST_S = 300.0
RETRY_FOR_S = 12 * 3_600.0  # a receiver that is down over night still gets what happened
IDLE_S = 60.0  # a wake-up that was lost delays a page by no more than this
CLOSE_S = 3.0  # what a thread gets to finish its request when the collector stops
PAGES_PER_MINUTE_MAX = 20  # to one receiver; Slack's webhooks allow one a second
MINUTE_NS = 60 * NS
SUMMARY_EVERY_NS = 15 * NS  # one for each page that found no room would be no fewer messages
FULL = "the receiver has its pages of this minute"
NOW_MAX = 8  # pages about the store itself, which cannot hold them: openings and closings
BOTH = "the opening named the closing too"  # a receipt: no second message is needed


@dataclass(slots=True)
class _Work:
    """One receiver with what its thread needs."""

    receiver: Receiver
    wake: threading.Event = field(default_factory=threading.Event)
    sent_ns: deque[int] = field(default_factory=deque[int])  # messages of the last minute
    opened_ns: deque[int] = field(default_factory=deque[int])  # openings among them
    summed_up_ns: int = 0  # when openings that found no room were last summed up
    now: deque[Delivery] = field(default_factory=lambda: deque[Delivery](maxlen=NOW_MAX))
    now_attempts: int = 0  # of the first of them
    now_at_s: float = 0.0  # when it is tried next


class Deliverer:
    """Sends what is due while it is open (`with`), and what is left when it is opened again."""

    def __init__(
        self,
        outbox: Outbox,
        telemetry: Telemetry,
        receivers: Sequence[Receiver],
        pages_per_minute_max: int = PAGES_PER_MINUTE_MAX,
    ) -> None:
        self._outbox = outbox
        self._telemetry = telemetry
        self._work = {receiver.name: _Work(receiver) for receiver in receivers}
        self._pages_max = pages_per_minute_max
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._outbox.on_queued(self.wake)
        for name, work in self._work.items():
            thread = threading.Thread(
                target=self._run, args=(work,), name=f"aftershock-{name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self.wake()
        deadline = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Something new is in the outbox. Any thread may call this."""
        for work in self._work.values():
            work.wake.set()

    def send_now(self, delivery: Delivery) -> None:
        """Send past the outbox, which cannot take it now. Any thread may call this."""
        work = self._work[delivery.receiver]
        work.now.append(delivery)
        work.wake.set()

    def _run(self, work: _Work) -> None:
        every_s = work.receiver.renew_every_s
        renew_at = time.monotonic()
        with httpx.Client(timeout=TIMEOUT) as client:
            while not self._over.is_set():
                work.wake.clear()  # before the outbox is read: what comes later wakes again
                wait_s = IDLE_S
                try:
                    self._deliver_now(client, work)
                    self.deliver(client, work.receiver, time.time_ns())
                    if every_s is not None and time.monotonic() >= renew_at:
                        renew_at = time.monotonic() + every_s
                        self._renew(client, work.receiver)
                    wait_s = self._wait_s(work, every_s)
                except StoreUnavailable as error:
                    self._telemetry.store_unavailable(error.reason, str(error))
                    wait_s = RETRY_FIRST_S
                except Exception as error:  # noqa: BLE001  one bad page must not silence the rest
                    self._telemetry.failed(f"deliver {work.receiver.name}", error)
                    wait_s = RETRY_FIRST_S
                work.wake.wait(wait_s)

    def _wait_s(self, work: _Work, every_s: float | None) -> float:
        """Seconds until there is something to do, if nothing new comes."""
        waits = [IDLE_S if every_s is None else min(every_s, IDLE_S)]
        if work.now:
            waits.append(max(0.0, work.now_at_s - time.monotonic()))
        due_ns = self._outbox.next_ns(work.receiver.name)
        if due_ns is not None:
            wait_s = (due_ns - time.time_ns()) / NS
            # What is due and was not sent waits for its opening, or for the next minute.
            waits.append(max(wait_s, 0.0) if wait_s > 0 else RETRY_FIRST_S)
        return min(waits)

    def deliver(self, client: httpx.Client, receiver: Receiver, now_ns: int) -> int:
        """Send what is due to one receiver; returns how many messages were confirmed."""
        confirmed = 0
        work = self._work[receiver.name]
        while found := self._outbox.due(now_ns, receiver=receiver.name):
            for due in found:
                if self._over.is_set():
                    return confirmed
                free_ns = self._free_ns(work, due.state, now_ns)
                if free_ns > now_ns and due.state is not State.OPENED:
                    self._outbox.postpone(due.id, free_ns, FULL)
                    continue
                if free_ns > now_ns:
                    confirmed += self._summarize(client, work, now_ns, free_ns)
                    break  # what else was found may be among those that were summed up
                work.sent_ns.append(now_ns)
                if due.state is State.OPENED:
                    work.opened_ns.append(now_ns)
                confirmed += self._attempt(client, receiver, due, now_ns)
        return confirmed

    def _deliver_now(self, client: httpx.Client, work: _Work) -> None:
        while work.now and time.monotonic() >= work.now_at_s:
            first = work.now[0]
            message = Message(first.state, first.body, time.time_ns())
            _, why = self._sent(client, work.receiver, message)
            if isinstance(why, Retryable):
                wait_s = back_off_s(work.now_attempts, why.retry_after_s)
                work.now_at_s, work.now_attempts = time.monotonic() + wait_s, work.now_attempts + 1
                self._telemetry.delivered(first.receiver, "retried", str(why))
                return
            work.now.popleft()
            work.now_attempts = 0
            outcome = "delivered" if why is None else "given_up"
            self._telemetry.delivered(first.receiver, outcome, "" if why is None else str(why))

    def _free_ns(self, work: _Work, state: State, now_ns: int) -> int:
        """When a receiver takes the next message: it gets so many in a minute.

        Openings count by themselves, so that updates of known incidents take no room from a new
        one. A receiver is sent twice the limit at most.
        """
        if work.receiver.content is not Content.PAGES or work.receiver.renew_every_s is not None:
            return now_ns  # a store of telemetry, or an Alertmanager that groups by itself
        for times_ns in (work.sent_ns, work.opened_ns):
            while times_ns and times_ns[0] <= now_ns - MINUTE_NS:
                times_ns.popleft()
        counted = work.opened_ns if state is State.OPENED else work.sent_ns
        return now_ns if len(counted) < self._pages_max else counted[0] + MINUTE_NS

    def _summarize(self, client: httpx.Client, work: _Work, now_ns: int, free_ns: int) -> int:
        """One page in the place of all openings that wait, now or soon."""
        name = work.receiver.name
        waiting = self._outbox.due(now_ns, limit=1_000, receiver=name)
        openings = [due for due in waiting if due.state is State.OPENED]
        next_ns = work.summed_up_ns + SUMMARY_EVERY_NS
        incidents = [due for due in openings if due.incident]
        if now_ns < next_ns or not incidents:
            for due in openings:
                self._outbox.postpone(
                    due.id, min(next_ns, free_ns) if due.incident else free_ns, FULL
                )
            return 0
        page = summary([parse(due.body) for due in incidents], now_ns)
        message = Message(State.OPENED, to_text(page), now_ns)
        error = self._sent(client, work.receiver, message)[1]
        for due in openings:
            if error is None and due.incident:
                self._outbox.delivered(due.id, now_ns)
            else:
                self._outbox.postpone(due.id, free_ns, FULL if error is None else str(error))
        work.sent_ns.append(now_ns)
        work.summed_up_ns = now_ns
        self._telemetry.delivered(name, "summarized" if error is None else "retried", str(error))
        return int(error is None)

    def _attempt(self, client: httpx.Client, receiver: Receiver, due: Due, now_ns: int) -> bool:
        if not self._follows(receiver, due):
            self._outbox.give_up(due.id, "its opening was never delivered")
            self._telemetry.delivered(due.receiver, "given_up")
            return False
        receipt = None
        if due.state is not State.OPENED:
            receipt = self._outbox.receipt(due.subject, due.receiver)
        if receipt == BOTH:
            self._outbox.delivered(due.id, now_ns)
            return True
        message = message_of(receiver, due, now_ns, receipt)
        answer, why = self._sent(client, receiver, message)
        if due.closing is not None and receiver.updates is Updates.MESSAGE:
            answer = BOTH
        if why is None:
            self._telemetry.delivered(due.receiver, "delivered", "")
            self._outbox.delivered(due.id, now_ns, answer)
            return True
        waited_s = (now_ns - due.queued_at_ns) / NS
        if isinstance(why, Retryable) and waited_s < RETRY_FOR_S:
            self._telemetry.delivered(due.receiver, "retried", str(why))
            wait_s = back_off_s(due.attempts, why.retry_after_s)
            self._outbox.postpone(due.id, now_ns + int(wait_s * NS), str(why))
        else:
            self._telemetry.delivered(due.receiver, "given_up", str(why))
            self._outbox.give_up(due.id, str(why))
        return False

    @staticmethod
    def _sent(
        client: httpx.Client, receiver: Receiver, message: Message
    ) -> tuple[str | None, Exception | None]:
        """The receipt, or what went wrong."""
        try:
            return receiver.send(client, message), None
        except (Retryable, Permanent) as error:
            return None, error
        except (KeyError, ValueError) as error:
            words = f"the outbox holds what this version cannot read: {type(error).__name__}"
            return None, Permanent(words)

    def _follows(self, receiver: Receiver, due: Due) -> bool:
        """An update or a closing means something only to whoever got the opening."""
        if due.state is State.OPENED or receiver.content is Content.FINDINGS:
            return True
        return self._outbox.confirmed(due.subject, due.receiver)

    def _renew(self, client: httpx.Client, receiver: Receiver) -> None:
        try:
            receiver.renew(client, time.time_ns())
        except (Retryable, Permanent) as error:
            self._telemetry.delivered(receiver.name, "renewal_failed", str(error))
        else:
            self._telemetry.delivered(receiver.name, "renewed", "")


def message_of(receiver: Receiver, due: Due, now_ns: int, receipt: str | None) -> Message:
    """The message of a delivery. A page that is over already says how it ended, in one message."""
    body, overtaken = due.body, due.closing is not None
    if due.closing is not None and receiver.content is Content.PAGES:
        with contextlib.suppress(ValueError, KeyError):  # another version's: sent as it is
            body = to_text(after_the_event(parse(due.body), parse(due.closing)))
    return Message(due.state, body, now_ns, receipt, overtaken)


def back_off_s(attempts: int, asked_s: float | None) -> float:
    """Doubling, bounded; never sooner than the receiver asked for."""
    ours = min(RETRY_FIRST_S * 2.0 ** min(attempts, 30), RETRY_LAST_S)
    return max(ours, asked_s or 0.0)
