"""Pages that the tests of receivers send, and how they send them."""

from __future__ import annotations

from dataclasses import replace

import httpx

from aftershock_collector.config.on_call import Mail, OnCall
from aftershock_collector.notify.page import Page, PageLink, Section
from aftershock_collector.notify.receiver import Message, Receiver
from aftershock_collector.notify.receivers import receivers_of
from aftershock_collector.store.interface import State
from aftershock_collector.store.serialization import to_text
from tests.support import incident
from tests.support.desk import page_of

CLIENT = httpx.Client(timeout=2)
NOW = incident.at(64)
STATES = (State.OPENED, State.UPDATED, State.ACKNOWLEDGED, State.CLOSED)


def impact_page() -> Page:
    return page_of(incident.missing_fact(), incident.blamed())


def huge_page() -> Page:
    """Longer than any service allows, with every character that one treats specially."""
    text = '<!channel> *bold* _under_ `code` & <http://evil|click> "quoted" ü ' * 40
    return replace(
        impact_page(),
        title=text,
        sections=tuple(Section(f"label {n}", (text,) * 25) for n in range(20)),
        body=(text,) * 300,
        agent=text,
        service=text,
        entity=text,
        kinds=(text,) * 40,
        entities=(text,) * 40,
        links=tuple(PageLink(text, f"http://x/{text}") for _ in range(40)),
    )


def one(on_call: OnCall) -> Receiver:
    (found,) = receivers_of(on_call)
    return found


def send(receiver: Receiver, page: Page, state: State = State.OPENED, **more: object) -> str | None:
    message = Message(state, to_text(replace(page, state=state)), NOW, **more)  # pyright: ignore[reportArgumentType]
    return receiver.send(CLIENT, message)


def mail(port: int) -> Mail:
    return Mail(
        "127.0.0.1", "Aftershock <a@example.org>", ("On Call <b@example.org>",), port, "none"
    )
