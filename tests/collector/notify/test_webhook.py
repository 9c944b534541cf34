"""What a webhook is sent: versioned JSON, signed."""

from __future__ import annotations

import hashlib
import hmac

from aftershock_collector.config.on_call import OnCall
from tests.collector.notify.pages import NOW, impact_page, one, send
from tests.support.receiver import Receiver


def test_a_webhook_gets_the_page_as_versioned_json(receiver: Receiver) -> None:
    page = impact_page()
    send(one(OnCall(webhook_url=receiver.url + "/page")), page)
    (request,) = receiver.requests

    assert request.path == "/page"
    assert request.headers["Content-Type"] == "application/json"
    assert request.json["version"] == 2
    assert request.json["incident"] == 1
    assert request.json["title"] == page.title
    assert "Aftershock-Signature" not in request.headers


def test_a_webhook_with_a_secret_is_signed_over_its_time_and_body(receiver: Receiver) -> None:
    send(one(OnCall(webhook_url=receiver.url, webhook_secret="hush")), impact_page())
    (request,) = receiver.requests
    timestamp = request.headers["Aftershock-Timestamp"]
    signed = timestamp.encode() + b"." + request.content
    digest = hmac.new(b"hush", signed, hashlib.sha256).hexdigest()

    assert request.headers["Aftershock-Signature"] == f"sha256={digest}"
    assert int(timestamp) == NOW // 10**9
