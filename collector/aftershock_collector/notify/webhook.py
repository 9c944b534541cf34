"""The generic on-call webhook: the page as versioned JSON, signed where a secret is configured."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.receiver import Content, Message, OpenPages, Receiver, Updates

SIGNATURE_HEADER = "Aftershock-Signature"
TIMESTAMP_HEADER = "Aftershock-Timestamp"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts the text that the outbox has; `key`, `state` and `revision` identify repetitions."""

    name: str
    url: str
    secret: str | None = None
    headers: Mapping[str, str] | None = None
    content: Content = Content.PAGES
    updates: Updates = Updates.FOLD
    renew_every_s: float | None = None

    def send(self, client: httpx.Client, message: Message) -> str | None:
        """Post one page."""
        content = message.body.encode()
        headers = {"Content-Type": "application/json", **(self.headers or {})}
        if self.secret:
            timestamp = str(message.now_ns // 1_000_000_000)
            headers[TIMESTAMP_HEADER] = timestamp
            headers[SIGNATURE_HEADER] = signature(self.secret, timestamp, content)
        post(client, self.url, content=content, headers=headers)
        return None

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Nothing: whoever receives the page remembers it."""


def signature(secret: str, timestamp: str, content: bytes) -> str:
    """`sha256=` and the HMAC-SHA256, in hex, of the timestamp, a dot, and the body."""
    signed = timestamp.encode() + b"." + content
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The webhooks that are configured."""
    if on_call.webhook_url:
        yield Webhook("webhook", on_call.webhook_url, on_call.webhook_secret)
    for named in on_call.named("webhook"):
        yield Webhook(named.name, named.text("url"), named.optional("secret"), named.headers)
