"""Alertmanager v2: open findings as alerts, sent again before they would resolve by themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import httpx

from aftershock_collector.notify import page, payloads
from aftershock_collector.notify.http_post import Send, post
from aftershock_collector.notify.page import Page

Open = Callable[[], Sequence[Page]]  # pages of every finding that is open now


def sender(url: str, open_pages: Open) -> Send:
    """Posts one finding's alert, merged with the open ones that carry the same labels."""
    place = address(url)

    def send(client: httpx.Client, body: str, now_ns: int) -> None:
        about = page.from_json(json.loads(body))
        labels = payloads.alert_labels(about)
        alike = [p for p in open_pages() if payloads.alert_labels(p) == labels]
        others = [p for p in alike if p.finding_id != about.finding_id]
        post(client, place, json=payloads.alertmanager([about, *others], now_ns))

    return send


def renewer(url: str, open_pages: Open) -> Callable[[httpx.Client, int], None]:
    """Says again which findings are open; nothing where none is."""
    place = address(url)

    def renew(client: httpx.Client, now_ns: int) -> None:
        alerts = payloads.alertmanager(open_pages(), now_ns)
        if alerts:
            post(client, place, json=alerts)

    return renew


def address(url: str) -> str:
    """Where alerts are posted to."""
    return url.rstrip("/") + "/api/v2/alerts"
