"""Slack: a message in blocks. By an incoming webhook, or by a bot that edits its message.

Limits: https://api.slack.com/reference/block-kit (50 blocks, header 150 characters, button text 75,
url 3,000) and https://api.slack.com/methods/chat.postMessage (text 40,000).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import Permanent, Retryable, answer_to, post
from aftershock_collector.notify.page import Page, PageAction, PageLink, Section
from aftershock_collector.notify.receiver import (
    Message,
    OpenPages,
    PageReceiver,
    Receiver,
    Updates,
    headline,
)
from aftershock_collector.store.interface import State
from aftershock_collector.wording import shortened, zoned_clock

API = "https://slack.com/api"
HEADER_CHARS_MAX = 150
BUTTON_CHARS_MAX = 75
BUTTONS_MAX = 5  # of one actions block that a phone shows in two rows; Slack allows 25
CLOSED_BUTTONS_MAX = 1  # the incident
ENDING = frozenset({"Still happening", "Closed"})
LINKS_MAX = 6  # beside the buttons
URL_CHARS_MAX = 3_000
TEXT_CHARS_MAX = 3_000  # of one rich text block: far below what a message may hold


def message_of(page: Page, state: State) -> dict[str, Any]:
    """Text and blocks. Rich text has no markup: `<!channel>` or `*` in a name is plain text."""
    title = headline(page, state, HEADER_CHARS_MAX)
    closed = state is State.CLOSED
    sections = ending(page.sections) if closed else page.sections
    links = [link for link in page.links if 0 < len(link.url) <= URL_CHARS_MAX]
    room = CLOSED_BUTTONS_MAX if closed else max(0, BUTTONS_MAX - len(page.actions))
    buttons, more = links[:room], () if closed else tuple(links[room:])
    number = f"incident {page.incident} · " if page.incident else ""
    context = f"{number}{page.severity} · {page.kind} · since {zoned_clock(page.began_at_ns)}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain(title, HEADER_CHARS_MAX)},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": rich(sections, more)}],
        },
        {"type": "context", "elements": [plain(context, HEADER_CHARS_MAX)]},
    ]
    pressable = [] if closed else [pressed(one) for one in page.actions]
    elements = [*pressable, *(button(link.label, link.url) for link in buttons)]
    if elements:
        blocks.insert(2, {"type": "actions", "elements": elements})
    return {"text": escaped(title), "blocks": blocks}


def ending(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """What the message about a closing repeats; the channel has the rest above it."""
    return tuple(one for one in sections if one.label in ENDING) or sections[-1:]


def rich(sections: tuple[Section, ...], more: tuple[PageLink, ...] = ()) -> list[dict[str, Any]]:
    """Labels in bold, their lines plain, within Slack's length; then links without a button."""
    found: list[dict[str, Any]] = []
    room = TEXT_CHARS_MAX
    for section in sections:
        label = f"{section.label}: " if section.label else ""
        listed = "".join(f"\n• {line}" for line in section.lines)
        text = f"{section.lines[0] if len(section.lines) == 1 else listed}\n"
        if room <= len(label) + 1:
            break
        if label:
            found.append(bold(label))
        found.append({"type": "text", "text": shortened(text, room - len(label))})
        room -= len(label) + len(text)
    for number, link in enumerate(more[:LINKS_MAX]):
        found.append({"type": "text", "text": " · "} if number else bold("More: "))
        found.append(
            {"type": "link", "text": shortened(link.label, BUTTON_CHARS_MAX), "url": link.url}
        )
    return found or [{"type": "text", "text": " "}]


def bold(text: str) -> dict[str, Any]:
    """A label."""
    return {"type": "text", "text": text, "style": {"bold": True}}


def plain(text: str, chars_max: int) -> dict[str, Any]:
    """A text object without markup; Slack refuses an empty one."""
    return {"type": "plain_text", "text": shortened(text, chars_max) or " ", "emoji": False}


def button(label: str, url: str) -> dict[str, Any]:
    """A button that opens a link."""
    return {"type": "button", "text": plain(label, BUTTON_CHARS_MAX), "url": url}


def pressed(action: PageAction) -> dict[str, Any]:
    """A button that Slack posts to the request URL of the app, signed."""
    return {
        "type": "button",
        "text": plain(action.label, BUTTON_CHARS_MAX),
        "action_id": action.name,
        "value": action.value,
    }


def escaped(text: str) -> str:
    """The notification's text, with Slack's three special characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The webhooks and bots that are configured."""
    if on_call.slack_url:
        yield by_webhook("slack", on_call.slack_url)
    for named in on_call.named("slack"):
        if token := named.optional("token"):
            url = named.optional("url") or API
            yield by_bot(named.name, token, named.text("channel"), url)
        else:
            yield by_webhook(named.name, named.text("url"))


def by_webhook(name: str, url: str) -> PageReceiver:
    """Posts; cannot edit. `url` is a secret: whoever knows it can write to the channel."""

    def send(client: httpx.Client, page: Page, message: Message) -> str | None:
        post(client, url, json=message_of(page, message.state))
        return None

    return PageReceiver(name, send)


def by_bot(name: str, token: str, channel: str, url: str = API) -> PageReceiver:
    """Posts once for an incident, then edits that message. The receipt is channel and timestamp."""
    headers = {"Authorization": f"Bearer {token}"}

    def send(client: httpx.Client, page: Page, message: Message) -> str | None:
        body = message_of(page, message.state) | {"channel": channel}
        method = "chat.postMessage"
        if message.receipt and message.state is not State.OPENED:
            posted: dict[str, str] = json.loads(message.receipt)
            method, body = "chat.update", body | posted
        answer = answer_to(client, f"{url}/{method}", json=body, headers=headers)
        if not answer.get("ok"):
            error = str(answer.get("error", "no reason given"))[:80]
            if error in {"ratelimited", "service_unavailable", "internal_error", "fatal_error"}:
                raise Retryable(f"Slack: {error}")
            raise Permanent(f"Slack: {error}")
        return json.dumps({"channel": answer.get("channel", channel), "ts": answer.get("ts")})

    return PageReceiver(name, send, Updates.FOLD)
