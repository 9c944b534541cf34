"""Opsgenie alerts: one alert for each incident, by alias; updates replace what it says.

Limits: https://docs.opsgenie.com/docs/alert-api (message 130 characters, alias 512, description
15,000, tags 20 of 50, details 8,000 in all, note 25,000).
"""

from __future__ import annotations

import contextlib
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
from aftershock_collector.wording import shortened

URL = "https://api.opsgenie.com"
MESSAGE_CHARS_MAX = 130
ALIAS_CHARS_MAX = 512
DESCRIPTION_CHARS_MAX = 15_000
TAGS_MAX = 20
TAG_CHARS_MAX = 50
DETAIL_CHARS_MAX = 1_000
DETAILS_CHARS_MAX = 8_000  # keys and values together
PRIORITIES = {"critical": "P1", "error": "P3"}


def alert(page: Page) -> dict[str, Any]:
    """The body of Create Alert; the same alias again updates the alert."""
    tags = dict.fromkeys(["aftershock", *page.kinds, *page.entities])
    found = {
        "incident": str(page.incident or ""),
        "run": page.run,
        "trace": page.trace or "",
        "service": page.service or "",
        "environment": page.environment or "",
        **{shortened(link.label, TAG_CHARS_MAX): link.url for link in page.links},
    }
    details: dict[str, str] = {}
    room = DETAILS_CHARS_MAX
    for key, value in found.items():  # a link that is cut leads nowhere: it is left out
        if value and len(value) <= DETAIL_CHARS_MAX and len(key) + len(value) <= room:
            details[key] = value
            room -= len(key) + len(value)
    return {
        "message": shortened(page.title, MESSAGE_CHARS_MAX),
        "alias": page.key[:ALIAS_CHARS_MAX],
        "description": description(page),
        "tags": [tag[:TAG_CHARS_MAX] for tag in tags][:TAGS_MAX],
        "details": details,
        "entity": (page.entity or page.agent)[:512],
        "source": "aftershock",
        "priority": PRIORITIES.get(page.severity, "P3"),
    }


def description(page: Page) -> str:
    """The page's text, and above it the title where the message had no room for it."""
    cut = len(page.title) > MESSAGE_CHARS_MAX
    return shortened(f"{page.title}\n{page.text}" if cut else page.text, DESCRIPTION_CHARS_MAX)


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
        comment = {"source": "aftershock", "note": shortened(page.text, DESCRIPTION_CHARS_MAX)}
        if message.state is State.OPENED:
            post(client, base, json=alert(page), headers=headers)
            return None
        with contextlib.suppress(Gone):
            for method, what, body in changes(page, message.state, comment):
                url = f"{base}/{alias}/{what}?identifierType=alias"
                _send_to_known(client, method, url, body, headers)
        return None

    return PageReceiver(name, send, Updates.FOLD)


def changes(
    page: Page, state: State, comment: dict[str, Any]
) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    """(method, what, body) of each request that brings the alert up to date.

    Creating an alert again under its alias only counts it: what it says must be replaced.
    """
    if state is State.CLOSED:
        return (("POST", "close", comment),)
    if state is State.ACKNOWLEDGED:
        return (("POST", "acknowledge", comment),)
    replaced = alert(page)
    parts = [(key, {key: replaced[key]}) for key in ("message", "description", "priority")]
    return (
        *(("PUT", key, body) for key, body in parts),
        ("POST", "notes", {**comment, "note": page.title}),
    )


class Gone(Exception):  # noqa: N818  (it names what was found)
    """Somebody deleted the alert there: it needs no closing."""


def _send_to_known(
    client: httpx.Client, method: str, url: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    try:
        post(client, url, json=body, headers=headers, method=method)
    except Permanent as error:
        if str(error).startswith("HTTP 404"):
            raise Gone from error
        raise
