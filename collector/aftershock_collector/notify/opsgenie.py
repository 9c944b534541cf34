"""Opsgenie alerts: one alert for each incident, by alias.

Limits: https://docs.opsgenie.com/docs/alert-api (message 130 characters, alias 512, description
15,000, tags 20 of 50, details 8,000 in all, note 25,000).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import Permanent, post
from aftershock_collector.notify.page import Page
from aftershock_collector.notify.receiver import (
    Message,
    OpenPages,
    PageReceiver,
    Receiver,
    Updates,
)
from aftershock_collector.store.interface import State

URL = "https://api.opsgenie.com"
MESSAGE_CHARS_MAX = 130
ALIAS_CHARS_MAX = 512
DESCRIPTION_CHARS_MAX = 15_000
TAGS_MAX = 20
TAG_CHARS_MAX = 50
DETAIL_CHARS_MAX = 1_000
PRIORITIES = {"critical": "P1", "error": "P3"}


def alert(page: Page) -> dict[str, Any]:
    """The body of Create Alert; the same alias again updates the alert."""
    tags = dict.fromkeys(["aftershock", *page.kinds, *page.entities])
    details = {
        "incident": str(page.incident or ""),
        "run": page.run,
        "trace": page.trace or "",
        "service": page.service or "",
        "environment": page.environment or "",
        **{link.label: link.url for link in page.links[:4]},
    }
    return {
        "message": page.title[:MESSAGE_CHARS_MAX],
        "alias": page.key[:ALIAS_CHARS_MAX],
        "description": page.text[:DESCRIPTION_CHARS_MAX],
        "tags": [tag[:TAG_CHARS_MAX] for tag in tags][:TAGS_MAX],
        "details": {key: value[:DETAIL_CHARS_MAX] for key, value in details.items() if value},
        "entity": (page.entity or page.agent)[:512],
        "source": "aftershock",
        "priority": PRIORITIES.get(page.severity, "P3"),
    }


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The API keys that are configured."""
    if on_call.opsgenie_api_key:
        yield _receiver("opsgenie", on_call.opsgenie_url, on_call.opsgenie_api_key)
    for named in on_call.named("opsgenie"):
        url = named.optional("url") or on_call.opsgenie_url
        yield _receiver(named.name, url, named.text("api_key"))


def _receiver(name: str, url: str, api_key: str) -> PageReceiver:
    base = url.rstrip("/") + "/v2/alerts"
    headers = {"Authorization": f"GenieKey {api_key}"}

    def send(client: httpx.Client, page: Page, message: Message) -> str | None:
        alias = quote(page.key[:ALIAS_CHARS_MAX], safe="")
        comment = {"source": "aftershock", "note": page.text[:DESCRIPTION_CHARS_MAX]}
        match message.state:
            case State.CLOSED:
                _post_to_known(
                    client, f"{base}/{alias}/close?identifierType=alias", comment, headers
                )
            case State.ACKNOWLEDGED:
                place = f"{base}/{alias}/acknowledge?identifierType=alias"
                _post_to_known(client, place, comment, headers)
            case State.UPDATED:
                place = f"{base}/{alias}/notes?identifierType=alias"
                _post_to_known(client, place, comment, headers)
            case State.OPENED:
                post(client, base, json=alert(page), headers=headers)
        return None

    return PageReceiver(name, send, Updates.FOLD)


def _post_to_known(
    client: httpx.Client, url: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    """An alert that somebody deleted there needs no closing."""
    try:
        post(client, url, json=body, headers=headers)
    except Permanent as error:
        if not str(error).startswith("HTTP 404"):
            raise
