"""Fullness → Page: what a person reads when the collector itself cannot hold what it is sent."""

from __future__ import annotations

from hashlib import blake2b

from aftershock.grade import percent
from aftershock_collector.access.senders import is_authenticated
from aftershock_collector.impact.fair_shares import Holding
from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.notify.fullness import Bound, Full, FullnessPage
from aftershock_collector.notify.page import Page, PageFinding, PageLink, Section
from aftershock_collector.store.interface import State
from aftershock_collector.wording import clean, counted, instant, zoned_clock

KIND = "collector_full"
AGENT = "aftershock"  # whose page it is, where receivers ask for an agent: our own
TITLE_CHARS_MAX = 150
FLOODS_FROM = 0.5  # of what is held: below it nobody is to blame, and more room is the answer

# What each loss means, and what helps; `{}` is a number of things with their noun.
LOST = {
    Bound.STORE: ("tick", "nothing is kept or acknowledged: {} without a write"),
    Bound.QUEUE: ("request", "{} had to wait outside and be sent again"),
    Bound.MEMORY: ("run", "{} at work left memory: stalls and loops in them are found late"),
    Bound.ACTIONS: ("action", "{} will not be judged for what they degraded"),
    Bound.SERIES: ("sample", "{} of metrics were not kept: damage there is not seen"),
    Bound.LABELS: ("count", "{} went to the label set (other) on /metrics"),
}
HELP = {
    Bound.STORE: "Free disk space in the collector's home, or lower collector.store_bytes_max.",
    Bound.QUEUE: "Ask agents to send less often or less at once; raise collector.queue_bytes_max.",
    Bound.MEMORY: "Raise collector.memory_max, or run a second collector.",
    Bound.ACTIONS: "Declare in aftershock.yaml which tools only read: they are not observed.",
    Bound.SERIES: "Send fewer series, or raise collector.series_max.",
    Bound.LABELS: "Give tools and agents names that do not change from call to call.",
}


def title_of(bounds: tuple[Full, ...]) -> str:
    """What is full, and who fills the gravest of it."""
    names = ", ".join(one.bound.value for one in bounds)
    flooder = next((one.holding for one in bounds if one.holding and floods(one.holding)), None)
    who = "" if flooder is None else f": {described(flooder)}"
    return clean(f"Aftershock itself is full ({names}){who}", TITLE_CHARS_MAX)


def floods(holding: Holding) -> bool:
    """Whether one sender holds so much that it is what fills the collector."""
    return holding.share >= FLOODS_FROM


def described(holding: Holding) -> str:
    """Sender ci holds 83 %, most of it agent clerk of service shop."""
    sender = f"sender {clean(holding.sender, 80)}" if holding.sender else "one sender"
    agent = f"agent {clean(holding.agent, 60)}" if holding.agent else ""
    service = f"service {clean(holding.service, 60)}" if holding.service else ""
    most = " of ".join(part for part in (agent, service) if part)
    return f"{sender} holds {percent(holding.share)}" + (f", most of it {most}" if most else "")


def line(full: Full) -> str:
    """Observed actions, since 10:04 UTC: 40 actions will not be judged."""
    noun, says = LOST[full.bound]
    why = f" ({clean(full.why, 120)})" if full.why else ""
    lost = says.format(counted(full.count, noun))
    return f"{full.bound.value}, since {zoned_clock(full.since_ns)}: {lost}{why}"


def compose(about: FullnessPage, base: str | None = None, team: str | None = None) -> Page:
    """The page about the collector itself.

    Args:
        about: what is full; of a closing: what was.
        base: of the collector's own pages, as receivers reach them.
        team: who owns the collector, where a route says so.
    """
    critical = any(one.bound is Bound.STORE for one in about.bounds)
    title = title_of(about.bounds) if about.bounds else "Aftershock itself was full"
    holders = {one.bound: one.holding for one in about.bounds if one.holding is not None}
    sections = [Section("What is full", tuple(map(line, about.bounds)))]
    if holders:
        lines = [f"{bound.value}: {described(holding)}" for bound, holding in holders.items()]
        sections.append(Section("Who holds most", tuple(lines)))
    sections.append(Section("What to do", tuple(advice(about.bounds))))
    if about.state is State.CLOSED:
        sections.append(Section("Closed", ("nothing was lost for five minutes",)))
    shown = tuple(section for section in sections if section.lines)
    key = "aftershock-" + blake2b(about.subject.encode(), digest_size=16).hexdigest()
    last_ns = max((one.last_ns for one in about.bounds), default=about.began_ns)
    over = last_ns if about.state is State.CLOSED else None
    links = () if base is None else (
        PageLink("Runbook", f"{base}/runbooks/{alert_name(KIND)}"),
        PageLink("Runs", f"{base}/"),
    )  # fmt: skip
    return Page(
        key=key,
        state=about.state,
        title=title,
        severity="critical" if critical else "warning",
        kind=KIND,
        finding=about.subject,
        run="",
        agent=AGENT,
        began_at_ns=about.began_ns,
        began_at=instant(about.began_ns),
        sections=shown,
        body=tuple(text for section in shown for text in section.text_lines),
        findings=(PageFinding(about.subject, KIND, title, about.began_ns, closed_at_ns=over),),
        kinds=(KIND,),
        agents=(AGENT,),
        links=links,
        revision=about.revision,
        team=team,
        closed_at_ns=over,
        closed_at=None if over is None else instant(over),
        link=links[0].url if links else None,
    )


def advice(bounds: tuple[Full, ...]) -> list[str]:
    """What helps: against whoever floods, then for each bound."""
    found: list[str] = []
    for holding in dict.fromkeys(one.holding for one in bounds if one.holding is not None):
        if not floods(holding) or not holding.sender:
            continue
        name = clean(holding.sender, 80)
        if is_authenticated(holding.sender):
            found.append(f"aftershock token list, then revoke what {name} sends with")
        else:
            found.append(f"{name} sends without a token: give each sender one of its own")
    return list(dict.fromkeys(found)) + [HELP[one.bound] for one in bounds]
