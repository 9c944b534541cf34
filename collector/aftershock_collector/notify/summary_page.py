"""One page about many incidents, for a receiver that got as many pages as it gets in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from aftershock_collector.notify.page import Page, PageFinding, PageLink, Section
from aftershock_collector.store.interface import State
from aftershock_collector.wording import counted, instant

LISTED_MAX = 10
KIND = "summary"


def summary(pages: Sequence[Page], now_ns: int) -> Page:
    """The page that stands for all of these; critical incidents are listed first."""
    ordered = sorted(pages, key=lambda page: (page.severity != "critical", page.began_at_ns))
    first = ordered[0]
    title = f"{counted(len(pages), 'more incident')} in one minute: {first.title}"
    shown = [f"#{page.incident} {page.title}" for page in ordered[:LISTED_MAX]]
    if len(ordered) > LISTED_MAX:
        shown.append(f"and {len(ordered) - LISTED_MAX} more")
    sections = (
        Section("Incidents", tuple(shown)),
        Section("What to do", ("aftershock incidents --open",)),
    )
    identity = " ".join(page.key for page in ordered).encode()
    link = None if first.link is None else first.link.rpartition("/incidents/")[0]
    return Page(
        key="aftershock-" + blake2b(identity, digest_size=16).hexdigest(),
        state=State.OPENED,
        title=title[:150],
        severity=first.severity,
        kind=KIND,
        finding=first.finding,
        run=first.run,
        agent=first.agent,
        began_at_ns=first.began_at_ns,
        began_at=instant(first.began_at_ns),
        sections=sections,
        body=tuple(line for section in sections for line in section.text_lines),
        findings=(PageFinding(first.finding, KIND, title[:150], now_ns),),
        kinds=(KIND,),
        agents=tuple(dict.fromkeys(page.agent for page in ordered))[:LISTED_MAX],
        links=(PageLink("Incidents", f"{link}/incidents"),) if link else (),
        link=f"{link}/incidents" if link else None,
    )
