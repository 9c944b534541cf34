"""A collector's outgoing side by hand: record reports, send what is due, look at the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import httpx

from aftershock.model import Claim, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.deliverer import Deliverer
from aftershock_collector.notify.notifications import Notifications, Notified, Settings
from aftershock_collector.notify.page import Page, parse
from aftershock_collector.notify.page_links import Links
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.store.incidents import Response
from aftershock_collector.store.interface import State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support import incident

NOW = incident.at(64)
LINK = "http://collector:4318"
CLIENT = httpx.Client(timeout=2)
CONTEXT = RunContext(service="sre-bot-app", process="pid/web-1/4711", environment="prod")


def settings(on_call: OnCall) -> Settings:
    return Settings(on_call, Links(LINK), lambda _finding: CONTEXT)


class Desk:
    """Notifications with a real store, outbox and deliverer."""

    def __init__(self, path: Path, on_call: OnCall) -> None:
        self.path = path / "aftershock.db"
        self.store = SqliteStore.open(self.path)
        self.outbox = SqliteOutbox(self.store)
        self.telemetry = Telemetry()
        self.notifications = Notifications(settings(on_call))
        with Reader.open(self.path) as reader:
            open_incidents = [
                (i, reader.claims_of(i.number)) for i in reader.incidents(open_only=True)
            ]
            self.notifications.resume(
                reader.claims(open_only=True), reader.newest_incident(), open_incidents
            )
        self.receivers = self.notifications.receivers
        self.deliverer = Deliverer(
            self.outbox, self.telemetry, self.receivers, on_call.pages_per_minute_max
        )

    def record(self, report: Report, *responses: Response) -> int:
        notified = self.notifications.notify(report, responses)
        return self.keep(report, notified)

    def keep(self, report: Report, notified: Notified) -> int:
        deliveries, incidents = notified.deliveries, notified.incidents
        return self.store.record(report, deliveries, report.now_ns, incidents=incidents)

    def send(self, at_ns: int = NOW) -> int:
        return sum(self.deliverer.deliver(CLIENT, receiver, at_ns) for receiver in self.receivers)

    def counted(self, receiver: str, outcome: str) -> float:
        labels = {"receiver": receiver, "outcome": outcome}
        name = "aftershock_deliveries_total"
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


def opened(*claims: Claim, at_ns: int = NOW) -> Report:
    return Report(at_ns, opened=claims)


def updated(*claims: Claim, at_ns: int = NOW) -> Report:
    return Report(at_ns, updated=claims)


def over(claim: Claim, seconds: float = 140) -> Report:
    return Report(incident.at(seconds), closed=(incident.closed(claim, seconds),))


def page_of(*claims: Claim, state: State = State.OPENED, context: RunContext = CONTEXT) -> Page:
    """The page of an incident with these findings, as the outbox gets it."""
    found = Notifications(
        Settings(OnCall(webhook_url="http://nowhere"), Links(LINK), lambda _finding: context)
    )
    notified = found.notify(opened(*claims))
    if state is State.CLOSED:
        closed = Report(incident.at(140), closed=tuple(incident.closed(c) for c in claims))
        notified = found.notify(closed)
    pages: Sequence[Page] = [parse(delivery.body) for delivery in notified.deliveries]
    return pages[-1]
