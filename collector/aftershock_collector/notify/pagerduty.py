"""PagerDuty Events v2: one incident there for each incident here.

Limits: https://developer.pagerduty.com/docs/events-api-v2/trigger-events (summary 1,024 characters,
dedup_key 255, the whole event 512 kB).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.page import Page
from aftershock_collector.notify.receiver import (
    Message,
    OpenPages,
    PageReceiver,
    Receiver,
    Updates,
)
from aftershock_collector.store.interface import State
from aftershock_collector.wording import shortened

SUMMARY_CHARS_MAX = 1_024
BODY_CHARS_MAX = 20_000
LINKS_MAX = 8
ACTIONS = {
    State.OPENED: "trigger",
    State.UPDATED: "trigger",  # the same dedup_key: folded into the incident, no one is paged
    State.ACKNOWLEDGED: "acknowledge",
    State.CLOSED: "resolve",
}


def event(page: Page, state: State, routing_key: str, *, over: bool = False) -> dict[str, Any]:
    """An Events v2 event; `over` marks a trigger whose resolve follows at once."""
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": ACTIONS[state],
        "dedup_key": page.key[:255],
    }
    if found["event_action"] != "trigger":
        return found
    found["client"] = "Aftershock"
    found["payload"] = {
        "summary": shortened(page.title, SUMMARY_CHARS_MAX),
        "source": page.service or page.agent or "aftershock",
        "severity": "warning" if over else page.severity,  # critical | error, as PagerDuty has them
        "timestamp": page.began_at,
        "component": page.agent,
        "group": page.team or page.environment or "agents",
        "class": page.kind,
        "custom_details": {
            "body": shortened(page.text, BODY_CHARS_MAX),
            "incident": page.incident,
            "run": page.run,
            "trace": page.trace,
            "finding": page.finding,
        },
    }
    if page.links:
        found["client_url"] = page.links[0].url
        found["links"] = [{"href": one.url, "text": one.label} for one in page.links[:LINKS_MAX]]
    return found


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The routing keys that are configured. The outbox never holds a key."""
    if on_call.pagerduty_routing_key:
        yield _receiver("pagerduty", on_call.pagerduty_url, on_call.pagerduty_routing_key)
    for named in on_call.named("pagerduty"):
        url = named.optional("url") or on_call.pagerduty_url
        yield _receiver(named.name, url, named.text("routing_key"))


def _receiver(name: str, url: str, routing_key: str) -> PageReceiver:
    place = url.rstrip("/") + "/v2/enqueue"

    def send(client: httpx.Client, page: Page, message: Message) -> str | None:
        content = event(page, message.state, routing_key, over=message.overtaken)
        post(client, place, json=content)
        return None

    return PageReceiver(name, send, Updates.FOLD)
