"""PagerDuty Events v2: trigger, update and resolve one incident per finding."""

from __future__ import annotations

import json

import httpx

from aftershock_collector.notify import page, payloads
from aftershock_collector.notify.http_post import Send, post


def sender(url: str, routing_key: str) -> Send:
    """Posts events; the routing key is added here, so that the outbox never holds it."""
    place = url.rstrip("/") + "/v2/enqueue"

    def send(client: httpx.Client, body: str, _now_ns: int) -> None:
        post(client, place, json=payloads.pagerduty(page.from_json(json.loads(body)), routing_key))

    return send
