"""Report → incidents and deliveries: which receivers must get what, once.

An incident pages when its first alarm opens. A page is updated under the same key, not repeated:
receivers that fold updates get each one that says something new, the others only what is worse.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from aftershock.model import Claim, Closing, Finding, Report, Step
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.impact.suspects import SAME, Suspects
from aftershock_collector.notify import fullness_page, otlp_receiver, suspects_page
from aftershock_collector.notify.fullness import FullnessPage
from aftershock_collector.notify.grafana_annotations import GrafanaAnnotations
from aftershock_collector.notify.incident_book import (
    IncidentBook,
    IncidentChange,
    leading,
)
from aftershock_collector.notify.page import Page, PageFinding
from aftershock_collector.notify.page_links import Links
from aftershock_collector.notify.page_text import is_about_action, sections_of
from aftershock_collector.notify.receiver import Content, Receiver, Updates
from aftershock_collector.notify.receivers import receivers_of
from aftershock_collector.notify.routing import Routing, route_of, team_of
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.store.incidents import Incident, Mute, Response, ResponseAction, Severity
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.serialization import to_text
from aftershock_collector.wording import NS, clean, instant, who

UPDATE_EVERY_S = 300.0  # of one incident, where only counts and times differ
CLAIMS_MAX = 10_000  # open findings kept for pages: five for each run that the engine holds
RANKINGS_MAX = 10_000  # alerts whose first suspect is remembered
ID_CHARS_MAX = 400
PAGE_FINDINGS_MAX = 50  # listed in the JSON of a page

ContextOf = Callable[[Finding], RunContext]  # of the run that a finding is about


@dataclass(frozen=True, slots=True)
class Notified:
    """What one report makes of incidents, and the messages about it."""

    deliveries: tuple[Delivery, ...] = ()
    incidents: tuple[Incident, ...] = ()

    def __add__(self, other: Notified) -> Notified:
        return Notified(self.deliveries + other.deliveries, self.incidents + other.incidents)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where pages go and what they link to."""

    on_call: OnCall = field(default_factory=OnCall)
    links: Links = field(default_factory=Links)
    context_of: ContextOf = field(default=lambda _finding: RunContext())


class Notifications:
    """Belongs to the thread that judges; any thread may call `open_pages`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._book = IncidentBook()
        self._claims: OrderedDict[str, Claim] = OrderedDict()  # open, warnings too
        self._suspected: OrderedDict[str, str] = OrderedDict()  # alert → first suspect
        self._updated_ns: dict[str, int] = {}  # incident's key → when receivers got its page
        self._mutes: Sequence[Mute] = ()
        self._own: tuple[Page, ...] = ()  # the open page about the collector itself
        self._turn = threading.Lock()
        self._pages: Sequence[Page] = ()
        self.receivers: tuple[Receiver, ...] = receivers_of(settings.on_call, self.open_pages)
        self._routing = Routing(settings.on_call, self.receivers)
        draws = any(r.content is Content.ANNOTATIONS for r in self.receivers)
        self._annotations = GrafanaAnnotations() if draws else None

    # --- In ----------------------------------------------------------------------------------

    def resume(
        self,
        claims: Iterable[Claim],
        newest: int = 0,
        incidents: Iterable[tuple[Incident, Sequence[Claim]]] = (),
        recent: Iterable[Incident] = (),
    ) -> None:
        """Continue with what an earlier process had open.

        Args:
            claims: open findings, warnings too.
            newest: the highest number that an incident ever had.
            incidents: open incidents with their findings.
            recent: incidents of the last day, open or closed.
        """
        for claim in claims:
            self._keep(claim)
        self._book.resume(newest, incidents, recent)
        self._draw_up()

    def set_mutes(self, mutes: Sequence[Mute]) -> None:
        """The mutes that are in force."""
        self._mutes = mutes

    def notify(self, report: Report, responses: Sequence[Response] = ()) -> Notified:
        """Sort a report into incidents and queue what receivers must get."""
        for claim in (*report.opened, *report.updated, *report.closed):
            self._keep(claim)
        changes = [self._book.respond(response, report.now_ns) for response in responses]
        found = [change for change in changes if change is not None]
        found += self._book.apply(report, self._mutes)
        found += self._book.wake(report.now_ns)
        notified = self._queued(found, report.now_ns)
        stores = [r for r in self.receivers if r.content is Content.FINDINGS]
        if stores:
            known = [claim.finding for claim in self._claims.values()]
            events = otlp_receiver.deliveries(report, self._settings.context_of, stores, known)
            notified += Notified(tuple(events))
        if self._annotations is not None:
            notified += Notified(tuple(self._annotations.findings(report)))
        if found:
            self._draw_up()
        return notified

    def draw(self, steps: Iterable[Step], now_ns: int) -> Notified:
        """Annotations of actions that have ended; nothing where no Grafana is configured."""
        if self._annotations is None:
            return Notified()
        return Notified(tuple(self._annotations.actions(steps, now_ns)))

    def dropped(self) -> dict[str, int]:
        """What found no room since the last time, by reason."""
        found = Counter(incident_unfollowed=self._book.dropped)
        self._book.dropped = 0
        if self._annotations is not None:
            found.update(self._annotations.dropped)
            self._annotations.dropped.clear()
        return {reason: count for reason, count in found.items() if count}

    def closings(
        self, judged: Sequence[Claim], responses: Sequence[Response], now_ns: int
    ) -> list[Claim]:
        """Findings that are over because a person looked at their incident, or by their age."""
        acknowledged = [
            response.incident
            for response in responses
            if response.action is ResponseAction.ACKNOWLEDGE
        ]
        expiry_s = self._settings.on_call.action_expiry_s
        found = self._book.closings(judged, acknowledged, now_ns, expiry_s)
        known = {claim.finding.id for claim in (*found, *judged)}
        found += [
            replace(claim, closed_at_ns=now_ns, closing=Closing.EXPIRED)
            for claim in self._claims.values()
            if claim.finding.id not in known
            and is_about_action(claim.finding)
            and now_ns - claim.opened_at_ns > expiry_s * NS
        ]
        return found

    def rank_suspects(self, suspects: Suspects) -> Notified:
        """What an alert changes: the incident it belongs to; a message where a suspect stands out.

        It belongs to an incident of a run that acted on what the alert is about.
        """
        top, alert, now_ns = suspects.top, suspects.alert, suspects.judged_at_ns
        runs = {one.run_id for one in suspects.ranked if one == top or one.relation == SAME}
        linked = self._book.link(alert, runs, now_ns)
        found = Notified() if linked is None else self._queued([linked], now_ns)
        if top is None:
            return found
        about = suspects_page.compose(suspects, self._settings.links.run(top.run_id))
        # One message for each suspect that comes out on top.
        first = self._suspected.setdefault(about.key, top.span_id)
        if len(self._suspected) > RANKINGS_MAX:
            self._suspected.popitem(last=False)
        opens = first == top.span_id
        state = State.OPENED if opens else State.UPDATED
        revision = 0 if opens else _number(top.span_id)
        body = to_text(about)
        messages = [
            Delivery(about.finding, state, receiver.name, body, revision)
            for receiver in self.receivers
            if receiver.content is Content.PAGES and receiver.name == "webhook"
        ]
        messages += [
            Delivery(about.finding, state, r.name, otlp_receiver.of_suspects(suspects), revision)
            for r in self.receivers
            if r.content is Content.FINDINGS
        ]
        return found + Notified(tuple(messages))

    def report_fullness(self, about: FullnessPage, now_ns: int) -> Notified:
        """The page about the collector itself, when it is full."""
        on_call = self._settings.on_call
        route = route_of(on_call.routes, (fullness_page.AGENT,))
        team = None if route is None else route.team
        page = fullness_page.compose(about, self._settings.links.base, team)
        self._own = () if about.state is State.CLOSED else (page,)
        self._draw_up()
        opens = about.state is State.OPENED
        body, severity = to_text(page), page.severity
        messages = [
            Delivery(
                about.subject, about.state, receiver.name, body,
                revision=about.revision if about.state is State.UPDATED else 0,
                urgent=severity == Severity.CRITICAL,
                wait_ns=self._routing.wait_ns(receiver.name, severity, now_ns) if opens else 0,
            )
            for receiver in self._routing.receivers_for((fullness_page.AGENT,), severity)
            if about.state is not State.UPDATED
            or about.worse
            or receiver.updates is Updates.FOLD
        ]  # fmt: skip
        return Notified(tuple(messages))

    # --- Out ---------------------------------------------------------------------------------

    def open_pages(self) -> Sequence[Page]:
        """The pages of every open incident, for receivers that must be sent them again."""
        with self._turn:
            return self._pages

    def page(self, incident: Incident, claims: Sequence[Claim], state: State) -> Page:
        """The page of an incident as it stands."""
        lead = leading(claims)
        finding, impact = lead.finding, lead.finding.impact
        context = self._settings.context_of(finding)
        team = context.team or team_of(self._settings.on_call.routes, incident)
        context = replace(context, team=team)
        related = [
            claim.finding
            for claim in self._claims.values()
            if claim.finding.run_id in incident.runs
        ]
        known = {claim.finding.id: claim.finding for claim in claims}
        known |= {one.id: one for one in related}
        sections = sections_of(
            lead,
            list(known.values()),
            context,
            number=incident.number,
            alerts=incident.alerts,
            closing=incident.closing,
        )
        links = self._settings.links.of(
            incident, finding.run_id, incident.updated_at_ns, finding.trace_id
        )
        began_ns = min(claim.finding.began_at_ns for claim in claims)
        return Page(
            key=incident.key,
            state=state,
            title=incident.title,
            severity=incident.severity.value,
            kind=finding.kind,
            finding=clean(finding.id, ID_CHARS_MAX),
            run=clean(finding.run_id, ID_CHARS_MAX),
            agent=clean(who(finding.agent), 200),
            began_at_ns=began_ns,
            began_at=instant(began_ns),
            sections=sections,
            body=tuple(line for section in sections for line in section.text_lines),
            findings=tuple(page_finding(claim) for claim in claims[-PAGE_FINDINGS_MAX:]),
            kinds=incident.kinds,
            agents=incident.agents,
            entities=incident.entities,
            links=links,
            incident=incident.number,
            revision=incident.revision,
            trace=clean(finding.trace_id, ID_CHARS_MAX) or None,
            probability=None if impact is None else impact.probability,
            service=None if context.service is None else clean(context.service, 200),
            team=context.team,
            environment=None if context.environment is None else clean(context.environment, 200),
            entity=None if impact is None else clean(impact.entity, 200),
            closed_at_ns=incident.closed_at_ns,
            closed_at=None if incident.closed_at_ns is None else instant(incident.closed_at_ns),
            link=links[0].url if links else None,
        )

    # --- Inside ------------------------------------------------------------------------------

    def _keep(self, claim: Claim) -> None:
        if claim.closed_at_ns is not None:
            self._claims.pop(claim.finding.id, None)
            return
        self._claims[claim.finding.id] = claim
        if len(self._claims) > CLAIMS_MAX:
            self._claims.popitem(last=False)

    def _draw_up(self) -> None:
        """The open pages, for threads that must not read the book."""
        pages = [
            self.page(incident, claims, State.UPDATED)
            for incident, claims in self._book.open_incidents()
            if incident.muted is None and claims
        ]
        with self._turn:
            self._pages = [*self._own, *pages]

    def _queued(self, changes: Iterable[IncidentChange], now_ns: int) -> Notified:
        deliveries: list[Delivery] = []
        incidents: dict[int, Incident] = {}
        for change in changes:
            incidents[change.incident.number] = change.incident
            if change.incident.muted is not None or not self._is_due(change, now_ns):
                continue
            deliveries += self._messages(change, now_ns)
        return Notified(tuple(deliveries), tuple(incidents.values()))

    def _is_due(self, change: IncidentChange, now_ns: int) -> bool:
        """False for an update that says little, too soon after the last one, or while snoozed."""
        key = change.incident.key
        if change.state is State.CLOSED:
            self._updated_ns.pop(key, None)
            return True
        if change.state is State.UPDATED and not change.worse:
            if change.incident.snoozed_at(now_ns):
                return False
            last_ns = self._updated_ns.get(key)
            recent = last_ns is not None and now_ns - last_ns < UPDATE_EVERY_S * NS
            if not change.material and recent:
                return False
        self._updated_ns[key] = now_ns
        return True

    def _messages(self, change: IncidentChange, now_ns: int) -> list[Delivery]:
        incident = change.incident
        claims = change.claims
        if not claims:
            return []
        body = to_text(self.page(incident, claims, change.state))
        revision = incident.revision if change.state in REVISED else 0
        found: list[Delivery] = []
        for receiver in self._routing.receivers_for(incident.agents, incident.severity):
            updates = change.state in REVISED
            if updates and receiver.updates is Updates.MESSAGE and not change.worse:
                continue
            delivery = Delivery(
                subject=incident.key,
                state=change.state,
                receiver=receiver.name,
                body=body,
                revision=revision,
                incident=incident.number,
                urgent=incident.severity is Severity.CRITICAL,
            )
            if updates and change.worse:
                # A receiver that wants only what is critical may not have the opening yet. Where
                # it has, this is known already; where it has not, the update is folded into it.
                found.append(replace(delivery, state=State.OPENED, revision=0))
            if change.state is State.OPENED:
                wait_ns = self._routing.wait_ns(receiver.name, incident.severity, now_ns)
                delivery = replace(delivery, wait_ns=wait_ns)
            found.append(delivery)
        return found


REVISED = frozenset({State.UPDATED, State.ACKNOWLEDGED})


def page_finding(claim: Claim) -> PageFinding:
    """A finding as a page lists it."""
    finding: Finding = claim.finding
    impact = finding.impact
    return PageFinding(
        id=clean(finding.id, ID_CHARS_MAX),
        kind=finding.kind,
        summary=clean(finding.summary),
        began_at_ns=finding.began_at_ns,
        entity=None if impact is None else clean(impact.entity, 200),
        closed_at_ns=claim.closed_at_ns,
    )


def _number(text: str) -> int:
    return int(blake2b(text.encode(), digest_size=6).hexdigest(), 16)
