"""Slack: one message when a finding opens, one when it closes, through an incoming webhook."""

from __future__ import annotations

import json

import httpx

from aftershock_collector.notify import page, payloads
from aftershock_collector.notify.http_post import Send, post


def sender(url: str) -> Send:
    """Posts blocks. `url` is a secret: whoever knows it can write to the channel."""

    def send(client: httpx.Client, body: str, _now_ns: int) -> None:
        post(client, url, json=payloads.slack(page.from_json(json.loads(body))))

    return send
