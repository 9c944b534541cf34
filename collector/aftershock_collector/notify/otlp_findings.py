"""Findings as OTLP: log events to /v1/logs, verdicts and incidents to /v1/traces."""

from __future__ import annotations

import base64
import json

import httpx

from aftershock_collector.notify.http_post import Send, post

HEADERS = {"Content-Type": "application/x-protobuf"}


def body_of(logs: bytes | None, spans: bytes | None) -> str:
    """Two serialized requests as one text for the outbox."""
    signals = {"logs": logs, "traces": spans}
    return json.dumps({k: base64.b64encode(v).decode() for k, v in signals.items() if v})


def sender(url: str) -> Send:
    """Posts to the base URL of an OTLP/HTTP receiver; sending again sends the same ids."""
    base = url.rstrip("/")

    def send(client: httpx.Client, body: str, _now_ns: int) -> None:
        for signal, content in json.loads(body).items():
            place = f"{base}/v1/{signal}"
            post(client, place, content=base64.b64decode(content), headers=HEADERS)

    return send
