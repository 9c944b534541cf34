"""Microsoft Teams: an adaptive card through a workflow's webhook.

Limits: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors (28 kB for the
whole message); https://adaptivecards.io/explorer (schema 1.4, six actions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.page import Page, Section
from aftershock_collector.notify.receiver import Message, OpenPages, PageReceiver, Receiver
from aftershock_collector.store.interface import State

MESSAGE_BYTES_MAX = 28_000
ACTIONS_MAX = 6
STYLES = {"critical": "attention", "error": "warning"}
WORDS = {
    State.OPENED: "",
    State.UPDATED: "Update: ",
    State.ACKNOWLEDGED: "Acknowledged: ",
    State.CLOSED: "Closed: ",
}


def card(page: Page, state: State) -> dict[str, Any]:
    """The message with its card; sections are left out from the end until it fits."""
    sections = list(page.sections)
    while True:
        content = _content(page, state, sections)
        if len(json.dumps(content).encode()) <= MESSAGE_BYTES_MAX or not sections:
            return content
        sections.pop()


def _content(page: Page, state: State, sections: list[Section]) -> dict[str, Any]:
    title = _text(f"{WORDS[state]}{page.title}", weight="bolder", size="medium")
    style = "good" if state is State.CLOSED else STYLES.get(page.severity, "default")
    body: list[dict[str, Any]] = [
        {"type": "Container", "style": style, "items": [title]},
    ]
    for section in sections:
        if section.label:
            body.append(_text(section.label, weight="bolder", spacing="medium"))
        body += [_text(line, spacing="small") for line in section.lines]
    actions = [
        {"type": "Action.OpenUrl", "title": link.label[:40], "url": link.url}
        for link in page.links[:ACTIONS_MAX]
    ]
    inner: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": inner}]}


def _text(text: str, **style: str) -> dict[str, Any]:
    """A block of text without markup: a TextBlock reads Markdown, a RichTextBlock does not."""
    spacing = {"spacing": style.pop("spacing")} if "spacing" in style else {}
    run = {"type": "TextRun", "text": text or " ", **style}
    return {"type": "RichTextBlock", "inlines": [run], **spacing}


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The workflows that are configured."""
    if on_call.teams_url:
        yield _receiver("teams", on_call.teams_url)
    for named in on_call.named("teams"):
        yield _receiver(named.name, named.text("url"))


def _receiver(name: str, url: str) -> PageReceiver:
    def send(client: httpx.Client, page: Page, message: Message) -> str | None:
        post(client, url, json=card(page, message.state))
        return None

    return PageReceiver(name, send)
