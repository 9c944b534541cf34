"""Page: the one message that a person on call gets about an incident, whatever the receiver.

Its fields are the generic webhook's JSON, and what the outbox keeps. Never raw content: only names,
numbers, classes and probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

from aftershock_collector.store.interface import State
from aftershock_collector.store.serialization import from_text

PAGE_VERSION = 2  # of the webhook's JSON; grows when a key changes its meaning


@dataclass(frozen=True, slots=True)
class Section:
    """One answer of a page, such as "How sure"."""

    label: str
    lines: tuple[str, ...]

    @property
    def text_lines(self) -> tuple[str, ...]:
        """With its label; a single line stands beside it."""
        if not self.label:
            return self.lines
        if len(self.lines) == 1:
            return (f"{self.label}: {self.lines[0]}",)
        return (f"{self.label}:", *(f"  - {line}" for line in self.lines))


@dataclass(frozen=True, slots=True)
class PageLink:
    """Where a person can go from a page, or what they can do with one tap."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PageAction:
    """What a button does in a receiver that posts to us, signed, what was pressed."""

    label: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PageFinding:
    """One finding of the incident, for receivers that keep one alert for each."""

    id: str
    kind: str
    summary: str
    began_at_ns: int
    entity: str | None = None  # what degraded
    closed_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What every receiver's payload is made from. Times are ns, and ISO 8601 in UTC."""

    key: str  # the same for the life of an incident: receivers fold updates under it
    state: State
    title: str
    severity: str
    kind: str  # the rule that the title is about
    finding: str  # id of the finding that the title is about
    run: str
    agent: str
    began_at_ns: int
    began_at: str
    sections: tuple[Section, ...]
    body: tuple[str, ...]  # the sections as lines of text
    findings: tuple[PageFinding, ...] = ()
    kinds: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    links: tuple[PageLink, ...] = ()
    actions: tuple[PageAction, ...] = ()
    incident: int | None = None
    revision: int = 0
    trace: str | None = None
    probability: float | None = None
    service: str | None = None
    team: str | None = None
    environment: str | None = None
    entity: str | None = None
    closed_at_ns: int | None = None
    closed_at: str | None = None
    link: str | None = None  # the first of `links`
    version: int = PAGE_VERSION
    source: str = "aftershock"

    @property
    def text(self) -> str:
        """The body as one text."""
        return "\n".join(self.body)

    def url_of(self, label: str) -> str | None:
        """Where a link leads; None where the page has no such link."""
        return next((link.url for link in self.links if link.label == label), None)


def parse(text: str) -> Page:
    """A page that the outbox kept.

    Raises:
        ValueError: it is no page, or another version wrote it.
    """
    page = from_text(Page, text)
    if page.version != PAGE_VERSION:
        raise ValueError(f"a page of version {page.version}, this is {PAGE_VERSION}")
    return page
