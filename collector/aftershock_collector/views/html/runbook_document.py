"""Runbooks as HTML documents: Markdown that ships with this command, without HTML of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from aftershock_collector.config.shipped_files import shipped
from aftershock_collector.views.html import templates

NAME = re.compile(r"[A-Za-z_]{1,80}")  # of an alert, or of its rule


@dataclass(frozen=True, slots=True)
class Link:
    """An address with its words."""

    href: str
    label: str


def names() -> list[str]:
    """Every runbook."""
    return sorted(place.stem for place in shipped("alerts/runbooks").glob("*.md"))


def resolved(name: str) -> str | None:
    """The runbook of an alert or of a rule: `missing_fact` has that of `AgentMissingFact`."""
    if not NAME.fullmatch(name):
        return None
    camel = "".join(word.capitalize() for word in name.split("_"))
    known = names()
    wanted = (name, camel, f"Agent{camel}")
    return next((one for one in wanted if one in known), None)


def render(name: str) -> str:
    """One runbook. `name` is one of `names`."""
    text = (shipped("alerts/runbooks") / f"{name}.md").read_text("utf-8")
    body = Markup(markdown().render(text))  # noqa: S704  (raw HTML is off; the text is ours)
    return templates.render("runbook.html", served=True, headline=name, body=body)


def index() -> str:
    """The list of runbooks."""
    links = [Link(f"/runbooks/{name}", name) for name in names()]
    return message("Runbooks", "What to do, for each alert.", links)


def message(headline: str, text: str, links: list[Link] | None = None) -> str:
    """A document with a sentence and links."""
    return templates.render(
        "message.html", served=True, headline=headline, text=text, links=links or []
    )


@cache
def markdown() -> MarkdownIt:
    """CommonMark and tables; HTML in a text stays text."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")
