"""Microsoft Teams: an adaptive card through a workflow's webhook.

Limits: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors (28 kB for the
whole message, which Teams keeps in UTF-16); https://adaptivecards.io/explorer (schema 1.4, six
actions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.page import Page, PageLink, Section
from aftershock_collector.notify.receiver import (
    Message,
    OpenPages,
    PageReceiver,
    Receiver,
    headline,
)
from aftershock_collector.store.interface import State
from aftershock_collector.wording import shortened

MESSAGE_BYTES_MAX = 28_000
TITLE_CHARS_MAX = 300
ACTIONS_MAX = 6
LINKS_MAX = 6  # beside the actions
URL_CHARS_MAX = 2_000
STYLES = {"critical": "attention", "error": "warning"}


def card(page: Page, state: State) -> dict[str, Any]:
    """The message with its card; the longest sections lose their last lines until it fits."""
    sections = list(page.sections)
    links = [link for link in page.links if len(link.url) <= URL_CHARS_MAX]
    while True:
        content = _content(page, state, sections, links)
        if size_of(content) <= MESSAGE_BYTES_MAX:
            return content
        longest = max(range(len(sections)), key=lambda n: _length(sections[n]), default=None)
        if longest is None:
            links.pop()
        elif len(sections[longest].lines) > 1:
            shorter = (*sections[longest].lines[:-2], "…")
            sections[longest] = replace(sections[longest], lines=shorter)
        else:
            del sections[longest]


def size_of(content: dict[str, Any]) -> int:
    """Bytes as Teams counts them: it keeps messages in UTF-16."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-16-le", "surrogatepass"))


def _length(section: Section) -> int:
    return sum(map(len, section.lines))


def _content(
    page: Page, state: State, sections: list[Section], links: list[PageLink]
) -> dict[str, Any]:
    title = _text(headline(page, state, TITLE_CHARS_MAX), weight="bolder", size="medium")
    style = "good" if state is State.CLOSED else STYLES.get(page.severity, "default")
    body: list[dict[str, Any]] = [
        {"type": "Container", "style": style, "items": [title]},
    ]
    for section in sections:
        if section.label:
            body.append(_text(section.label, weight="bolder", spacing="medium"))
        body += [_text(line, spacing="small") for line in section.lines]
    if more := links[ACTIONS_MAX:]:
        body.append(_links(more))
    actions = [{**_open(link), "title": shortened(link.label, 40)} for link in links[:ACTIONS_MAX]]
    inner: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
        "msteams": {"width": "Full"},
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": inner}]}


def _open(link: PageLink) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "url": link.url}


def _links(links: list[PageLink]) -> dict[str, Any]:
    """Links for which there is no button, on one line."""
    inlines: list[dict[str, Any]] = [{"type": "TextRun", "text": "More: ", "weight": "bolder"}]
    for link in links[:LINKS_MAX]:
        text = f"{shortened(link.label, 40)}  "
        inlines.append({"type": "TextRun", "text": text, "selectAction": _open(link)})
    return {"type": "RichTextBlock", "inlines": inlines, "spacing": "medium"}


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
