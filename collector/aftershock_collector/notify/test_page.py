"""The page that only proves that pages arrive: no incident, nothing to do."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator

import httpx

from aftershock_collector.notify.http_post import TIMEOUT, Permanent, Retryable
from aftershock_collector.notify.page import Page, PageFinding, PageLink, Section
from aftershock_collector.notify.receiver import Message, Receiver
from aftershock_collector.store.incidents import Severity
from aftershock_collector.store.interface import State
from aftershock_collector.store.serialization import to_text
from aftershock_collector.wording import clean, instant, zoned_time

KIND = "test_page"


def compose(host: str, link: str, now_ns: int) -> Page:
    """A page as receivers get it. Critical, so that no receiver's filter holds it back.

    Args:
        host: of the collector whose way to people is tried.
        link: the collector's own pages, to see whether a phone reaches them.
        now_ns: our clock.
    """
    title = clean(f"Test page from Aftershock on {host}: nothing has happened", 150)
    sections = (
        Section("What this is", (f"A test of the way from {host} to you, {zoned_time(now_ns)}",)),
        Section("What to do", ("Nothing. Close it here if it stays open.",)),
    )
    key = f"aftershock-test-{secrets.token_hex(8)}"
    return Page(
        key=key,
        state=State.OPENED,
        title=title,
        severity=Severity.CRITICAL.value,
        kind=KIND,
        finding=key,
        run="",
        agent="aftershock",
        began_at_ns=now_ns,
        began_at=instant(now_ns),
        sections=sections,
        body=tuple(line for section in sections for line in section.text_lines),
        findings=(PageFinding(key, KIND, title, now_ns),),
        kinds=(KIND,),
        agents=("aftershock",),
        links=(PageLink("Aftershock", link),),
        link=link,
    )


def send(page: Page, receivers: Iterable[Receiver]) -> Iterator[tuple[str, str | None]]:
    """Send to one receiver after the other: its name, and what went wrong, or None."""
    body = to_text(page)
    with httpx.Client(timeout=TIMEOUT) as client:
        for receiver in receivers:
            problem = None
            try:
                receiver.send(client, Message(State.OPENED, body, time.time_ns()))
            except Retryable as error:
                problem = f"not now, a page would be sent again for hours: {error}"
            except Permanent as error:
                problem = f"refused, a page would be lost: {error}"
            yield receiver.name, problem
