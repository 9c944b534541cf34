"""Empties the outbox: one thread per receiver, so that a slow one delays nobody else's page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx

from aftershock_collector.config.model import OnCall
from aftershock_collector.notify import (
    alertmanager,
    grafana_api,
    otlp_findings,
    pagerduty,
    slack,
    webhook,
)
from aftershock_collector.notify.alertmanager import Open
from aftershock_collector.notify.grafana_annotations import GRAFANA
from aftershock_collector.notify.http_post import TIMEOUT, Permanent, Retryable, Send
from aftershock_collector.notify.notifications import OTLP
from aftershock_collector.notify.page import State
from aftershock_collector.store.interface import Due, Outbox, StoreUnavailable
from aftershock_collector.telemetry import Telemetry
from aftershock_collector.wording import NS

POLL_S = 0.2  # a page leaves within this of its commit; one indexed read of an empty table
RETRY_FIRST_S = 1.0
RETRY_LAST_S = 300.0
ATTEMPTS_MAX = 20  # an hour and a quarter: a page that is older helps nobody
RENEW_S = 60.0  # a tenth of how long an alert lasts
CLOSE_S = 3.0  # what a thread gets to finish its request when we stop

Renew = Callable[[httpx.Client, int], None]


def senders(on_call: OnCall, open_pages: Open) -> dict[str, Send]:
    """How to reach every receiver that is configured, by the name that the outbox knows."""
    found: dict[str, Send] = {}
    if on_call.webhook_url:
        found["webhook"] = webhook.sender(on_call.webhook_url)
    if on_call.slack_url:
        found["slack"] = slack.sender(on_call.slack_url)
    if on_call.pagerduty_routing_key:
        key = on_call.pagerduty_routing_key
        found["pagerduty"] = pagerduty.sender(on_call.pagerduty_url, key)
    if on_call.alertmanager_url:
        found["alertmanager"] = alertmanager.sender(on_call.alertmanager_url, open_pages)
    if on_call.grafana_url:
        found[GRAFANA] = grafana_api.annotator(on_call.grafana_url, on_call.grafana_token)
    if on_call.otlp_url:
        found["otlp"] = otlp_findings.sender(on_call.otlp_url)
    return found


def receivers_of(on_call: OnCall) -> tuple[str, ...]:
    """The names of the receivers that are configured."""
    return tuple(senders(on_call, list))


def renewals(on_call: OnCall, open_pages: Open) -> dict[str, Renew]:
    """Receivers that forget what is not said again."""
    if not on_call.alertmanager_url:
        return {}
    return {"alertmanager": alertmanager.renewer(on_call.alertmanager_url, open_pages)}


class Deliverer:
    """Sends what is due while it is open (`with`), and what is left when it is opened again."""

    def __init__(
        self,
        outbox: Outbox,
        telemetry: Telemetry,
        sending: Mapping[str, Send],
        renewing: Mapping[str, Renew] | None = None,
    ) -> None:
        self._outbox = outbox
        self._telemetry = telemetry
        self._sending = sending
        self._renewing = renewing or {}
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for receiver, send in self._sending.items():
            thread = threading.Thread(
                target=self._work,
                args=(receiver, send),
                name=f"aftershock-{receiver}",
                daemon=True,
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
        deadline = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, receiver: str, send: Send) -> None:
        renew = self._renewing.get(receiver)
        renew_at = time.monotonic()
        with httpx.Client(timeout=TIMEOUT) as client:
            while not self._over.is_set():
                try:
                    self.deliver(client, receiver, send, time.time_ns())
                    if renew is not None and time.monotonic() >= renew_at:
                        renew_at = time.monotonic() + RENEW_S
                        self._renew(client, receiver, renew)
                except StoreUnavailable as error:
                    self._telemetry.store_unavailable(error.reason, str(error))
                except Exception as error:  # noqa: BLE001  one bad page must not silence the rest
                    self._telemetry.failed(f"deliver {receiver}", error)
                self._over.wait(POLL_S)

    def deliver(self, client: httpx.Client, receiver: str, send: Send, now_ns: int) -> int:
        """Send what is due to one receiver; returns how much of it was confirmed."""
        confirmed = 0
        while found := self._outbox.due(now_ns, receiver=receiver):
            for due in found:
                if self._over.is_set():
                    return confirmed
                confirmed += self._attempt(client, send, due, now_ns)
        return confirmed

    def _attempt(self, client: httpx.Client, send: Send, due: Due, now_ns: int) -> bool:
        if not self._follows(due):
            self._outbox.give_up(due.id, "its opening was never delivered")
            self._telemetry.delivered(due.receiver, "given_up")
            return False
        outcome, error = "given_up", ""
        wait_s: float | None = None
        try:
            send(client, due.body, now_ns)
            outcome = "delivered"
        except Retryable as why:
            error = str(why)
            if due.attempts + 1 < ATTEMPTS_MAX:
                outcome, wait_s = "retried", back_off_s(due.attempts, why.retry_after_s)
        except Permanent as why:
            error = str(why)
        except (KeyError, ValueError) as why:
            error = f"the outbox holds what this version cannot read: {type(why).__name__}"
        self._telemetry.delivered(due.receiver, outcome, error)
        if outcome == "delivered":
            self._outbox.delivered(due.id, now_ns)
        elif wait_s is not None:
            self._outbox.postpone(due.id, now_ns + int(wait_s * NS), error)
        else:
            self._outbox.give_up(due.id, error)
        return outcome == "delivered"

    def _follows(self, due: Due) -> bool:
        """What comes later makes sense only to somebody who was told of the opening."""
        if due.state == State.OPENED or due.receiver == OTLP:
            return True
        return self._outbox.confirmed(due.subject, due.receiver)

    def _renew(self, client: httpx.Client, receiver: str, renew: Renew) -> None:
        try:
            renew(client, time.time_ns())
        except (Retryable, Permanent) as why:
            self._telemetry.delivered(receiver, "renewal_failed", str(why))
        else:
            self._telemetry.delivered(receiver, "renewed", "")


def back_off_s(attempts: int, asked_s: float | None) -> float:
    """Doubling, bounded; never sooner than the receiver asked for."""
    ours = min(RETRY_FIRST_S * 2.0 ** min(attempts, 30), RETRY_LAST_S)
    return max(ours, asked_s or 0.0)
