"""Alertmanager v2: one alert for each kind of finding of an incident, renewed while it is open.

Alertmanager keeps the later of two `endsAt` that lie in the future, so that an alert is closed only
by an `endsAt` in the past. The incident's number is a label: a second incident of the same agent is
another alert, and grouping by `incident` makes one page of one incident.
Format: https://prometheus.io/docs/alerting/latest/clients/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from aftershock.grade import percent
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.notify.fullness_page import KIND as COLLECTOR
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.page import Page, PageFinding, parse
from aftershock_collector.notify.receiver import (
    Content,
    Message,
    OpenPages,
    Receiver,
    Updates,
)
from aftershock_collector.reading.alerts import OURS
from aftershock_collector.store.interface import State
from aftershock_collector.wording import NS, instant, shortened

RENEW_EVERY_S = 60.0
LASTS_S = 600.0  # without renewal an alert resolves by itself: ten renewals may be lost
MEANWHILE_S = 60.0  # an incident that is over already fires this long, or no one would read of it
LABEL_CHARS_MAX = 200
ANNOTATION_CHARS_MAX = 8_000  # Alertmanager sets no limit; what it sends on must stay small


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Posts the alerts of an incident, and of all that are open every minute."""

    name: str
    url: str  # of the API
    open_pages: OpenPages
    content: Content = Content.PAGES
    updates: Updates = Updates.FOLD
    renew_every_s: float | None = RENEW_EVERY_S

    def send(self, client: httpx.Client, message: Message) -> str | None:
        """Post the alerts of one incident."""
        page = parse(message.body)
        post(client, self.url, json=alerts(page, message.state, message.now_ns, message.overtaken))
        return None

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Post every open incident again."""
        found = [a for page in self.open_pages() for a in alerts(page, page.state, now_ns)]
        if found:
            post(client, self.url, json=found)


def alerts(page: Page, state: State, now_ns: int, overtaken: bool = False) -> list[dict[str, Any]]:
    """One alert for each kind of finding, and for each thing that degraded.

    Args:
        page: the incident's page.
        state: CLOSED ends all of them; otherwise those end whose findings are closed.
        now_ns: our clock.
        overtaken: the incident is over; Alertmanager tells people only of what has fired.
    """
    grouped: dict[tuple[str, str], list[PageFinding]] = {}
    for finding in page.findings:
        grouped.setdefault((finding.kind, finding.entity or ""), []).append(finding)
    found: list[dict[str, Any]] = []
    for group in grouped.values():
        fires = state is not State.CLOSED and any(one.closed_at_ns is None for one in group)
        began_ns = min(one.began_at_ns for one in group)
        ends_ns = now_ns + int(LASTS_S * NS) if fires else max(began_ns, now_ns - 1_000_000)
        if overtaken:
            ends_ns = now_ns + int(MEANWHILE_S * NS)
        found.append(alert(page, group, began_ns, ends_ns))
    return found


def alert(page: Page, group: list[PageFinding], began_ns: int, ends_ns: int) -> dict[str, Any]:
    """One alert as Alertmanager's API has it."""
    newest = max(group, key=lambda one: (one.closed_at_ns is None, one.began_at_ns, one.id))
    annotations = {
        "summary": page.title if newest.id == page.finding else newest.summary,
        "description": shortened(page.text, ANNOTATION_CHARS_MAX),
        "run": page.run,
        "trace": page.trace or "",
        "finding": newest.id,
        "findings": str(len(group)),
        "runbook_url": page.url_of("Runbook") or "",
        "dashboard_url": page.url_of("Grafana") or "",
        "acknowledge_url": page.url_of("Acknowledge") or "",
        "probability": "" if page.probability is None else percent(page.probability),
    }
    found: dict[str, Any] = {
        "labels": labels(page, newest),
        "annotations": {key: value for key, value in annotations.items() if value},
        "startsAt": instant(began_ns),
        "endsAt": instant(ends_ns),
    }
    if page.link:
        found["generatorURL"] = page.link
    return found


def labels(page: Page, finding: PageFinding) -> dict[str, str]:
    """What identifies an alert; they never change while the incident is open."""
    found = {
        "alertname": alert_name(finding.kind),
        "agent": page.agents[0] if page.agents else page.agent,
        "incident": str(page.incident or ""),
        "kind": finding.kind,
        "severity": "critical",  # a label may not rise; the annotations say how bad it is
        "source": OURS,
        "team": "platform" if page.kind == COLLECTOR else "agents",
        "entity": finding.entity or "",
    }
    return {key: value[:LABEL_CHARS_MAX] for key, value in found.items() if value}


def address(url: str) -> str:
    """The endpoint that alerts are posted to."""
    return url.rstrip("/") + "/api/v2/alerts"


def receivers(on_call: OnCall, open_pages: OpenPages) -> Iterator[Receiver]:
    """The Alertmanagers that are configured."""
    places: Iterable[tuple[str, str]] = [
        *([("alertmanager", on_call.alertmanager_url)] if on_call.alertmanager_url else []),
        *((named.name, named.text("url")) for named in on_call.named("alertmanager")),
    ]
    for name, url in places:
        yield Alertmanager(name, address(url), open_pages)
