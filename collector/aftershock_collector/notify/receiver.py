"""Receiver: what one service that reaches people does with pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import httpx

from aftershock_collector.notify.page import Page, parse
from aftershock_collector.store.interface import State
from aftershock_collector.wording import shortened

OpenPages = Callable[[], Sequence[Page]]  # pages of every incident that is open now

STATE_WORDS = {
    State.OPENED: "",
    State.UPDATED: "Update: ",
    State.ACKNOWLEDGED: "Acknowledged: ",
    State.CLOSED: "Closed: ",
}


class Content(StrEnum):
    """What a receiver is sent."""

    PAGES = "pages"  # incidents that page someone
    FINDINGS = "findings"  # every finding, warnings too, for stores of telemetry
    ANNOTATIONS = "annotations"  # lines and regions on dashboards


class Updates(StrEnum):
    """What a receiver does with an update of a page that it has."""

    FOLD = "fold"  # under the same key, without a new message to people
    MESSAGE = "message"  # another message: sent only where the incident became worse


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery as a receiver gets it."""

    state: State
    body: str  # JSON of a `Page`, where the receiver's content is pages
    now_ns: int
    receipt: str | None = None  # what this receiver answered to the opening
    overtaken: bool = False  # an opening whose closing follows: its page is the closing's


class Receiver(Protocol):
    """One service. `send` runs in the receiver's own thread."""

    @property
    def name(self) -> str:
        """What the outbox and the routes call it."""
        ...

    @property
    def content(self) -> Content:
        """What it is sent."""
        ...

    @property
    def updates(self) -> Updates:
        """What it does with updates."""
        ...

    @property
    def renew_every_s(self) -> float | None:
        """How often open pages are sent again; None where the receiver remembers them."""
        ...

    def send(self, client: httpx.Client, message: Message) -> str | None:
        """Deliver; returns what `Message.receipt` of later messages shall be.

        Raises:
            Retryable: it may work later.
            Permanent: it will never work.
            ValueError: the body is not one that this version wrote.
        """
        ...

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Send the open pages again. Raises what `send` raises."""
        ...


@dataclass(frozen=True, slots=True)
class PageReceiver:
    """A receiver of pages, made from the one function in which services differ."""

    name: str
    post: Callable[[httpx.Client, Page, Message], str | None]
    updates: Updates = Updates.MESSAGE
    content: Content = Content.PAGES
    renew_every_s: float | None = None

    def send(self, client: httpx.Client, message: Message) -> str | None:
        """Read the page and post it."""
        return self.post(client, parse(message.body), message)

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Nothing: the service remembers its pages."""


def headline(page: Page, state: State, chars_max: int) -> str:
    """The title with what became of the incident, for receivers that show one line first."""
    return shortened(f"{STATE_WORDS[state]}{page.title}", chars_max)


def after_the_event(opening: Page, closing: Page) -> Page:
    """The page of an incident that was over before the receiver got it: all of it in one message.

    It keeps the opening's place in the incident's life, so that repetitions are recognised.
    """
    return replace(
        closing,
        state=opening.state,
        revision=opening.revision,
        title=f"Already over: {closing.title}",
    )
