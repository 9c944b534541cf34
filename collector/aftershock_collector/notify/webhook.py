"""The generic on-call webhook: the page as versioned JSON."""

from __future__ import annotations

import json

import httpx

from aftershock_collector.notify.http_post import Send, post


def sender(url: str) -> Send:
    """Posts the body as it was kept; `key` and `state` let a receiver tell repetitions."""

    def send(client: httpx.Client, body: str, _now_ns: int) -> None:
        post(client, url, json=json.loads(body))

    return send
