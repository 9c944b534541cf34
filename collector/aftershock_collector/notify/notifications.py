"""Report → deliveries: who must be told what, once.

A finding pages when it is first seen at level alarm: at its opening, or when it escalates. What
changes later is told only to receivers that fold it into the same incident, and not too often.
The outbox refuses what it has seen before, so saying it again after a restart pages nobody.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from urllib.parse import quote

from aftershock.model import Claim, Finding, Report
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.notify import otlp_findings, page, suspects_page
from aftershock_collector.notify.otlp_encoding import encode_logs, encode_spans, encode_suspects
from aftershock_collector.notify.page import Page, State, compose, pages_someone
from aftershock_collector.store.interface import Delivery
from aftershock_collector.wording import NS

OTLP = "otlp"  # hears of every finding, warnings too
FOLDING = frozenset({"pagerduty"})  # take updates under the same key without paging again
HINTED = frozenset({"webhook"})  # told of an alert's suspects: whoever sent the alert pages people
UPDATE_EVERY_S = 300  # of one finding to one receiver; a loop would tell each of its rounds
OPEN_MAX = 10_000  # claims kept for pages and renewals: five for each run that the engine holds

# Run id → service.name, process, environment.
HomeOf = Callable[[str], tuple[str | None, str | None, str | None]]


class Messages:
    """What is open, and what must be told of what changed. Any thread may ask what is open."""

    def __init__(
        self, receivers: Iterable[str], link: str | None = None, home_of: HomeOf | None = None
    ) -> None:
        self._receivers = tuple(receivers)
        self._link = link.rstrip("/") if link else None
        self._home_of: HomeOf = home_of or unknown_home
        self._open: OrderedDict[str, Claim] = OrderedDict()
        # Alert → the suspect that was told first.
        self._accused: OrderedDict[str, str] = OrderedDict()
        self._turn = threading.Lock()

    def resume(self, claims: Iterable[Claim]) -> None:
        """What was open when an earlier process ended."""
        for claim in claims:
            self._keep(claim)

    def tell(self, report: Report) -> list[Delivery]:
        """What must be told of one report; the same report again gives the same deliveries."""
        for claim in (*report.opened, *report.updated, *report.closed):
            self._keep(claim)
        found: list[Delivery] = []
        for claim in report.opened:
            found += self._pages(claim, State.OPENED)
        for claim in report.updated:
            found += self._pages(claim, State.OPENED)
            found += self._pages(claim, State.UPDATED)
        for claim in report.closed:
            found += self._pages(claim, State.CLOSED)
        if OTLP in self._receivers:
            found += self._events(report)
        return found

    def rank_suspects(self, suspects: Suspects) -> list[Delivery]:
        """What must be told of an alert's suspects: nothing while none stands out."""
        top = suspects.top
        if top is None:
            return []
        about = suspects_page.compose(suspects, self._link_to(top.run_id))
        body = json.dumps(page.as_json(about), ensure_ascii=False)
        # Told once for each suspect that comes out on top; the first opens, for the outbox.
        told = self._accused.get(about.finding_id)
        first = told in {None, top.span_id}
        state = State.OPENED if first else State.UPDATED
        revision = 0 if first else int(blake2b(top.span_id.encode(), digest_size=6).hexdigest(), 16)
        self._accused.setdefault(about.finding_id, top.span_id)
        if len(self._accused) > OPEN_MAX:
            self._accused.popitem(last=False)
        found = [
            Delivery(about.finding_id, state, r, body, revision)
            for r in self._receivers
            if r in HINTED
        ]
        if OTLP in self._receivers:
            logs = otlp_findings.body_of(encode_suspects(suspects), None)
            found.append(Delivery(about.finding_id, state, OTLP, logs, revision))
        return found

    def open_pages(self) -> list[Page]:
        """The pages of every alarm that is open, for receivers that want to hear it again."""
        with self._turn:
            claims = list(self._open.values())
        return [self._page(claim, State.OPENED) for claim in claims if pages_someone(claim)]

    def _keep(self, claim: Claim) -> None:
        with self._turn:
            if claim.closed_at_ns is not None:
                self._open.pop(claim.finding.id, None)
                return
            self._open[claim.finding.id] = claim
            if len(self._open) > OPEN_MAX:
                self._open.popitem(last=False)

    def _page(self, claim: Claim, state: State) -> Page:
        run_id = claim.finding.run_id
        with self._turn:
            related: list[Finding] = [
                c.finding for c in self._open.values() if c.finding.run_id == run_id
            ]
        link = self._link_to(run_id)
        service, process, _ = self._home_of(run_id)
        return compose(claim, state, related=related, service=service, process=process, link=link)

    def _link_to(self, run_id: str) -> str | None:
        return None if self._link is None else f"{self._link}/runs/{quote(run_id, safe='')}"

    def _pages(self, claim: Claim, state: State) -> list[Delivery]:
        told = [name for name in self._receivers if name != OTLP]
        if state is State.UPDATED:
            told = [name for name in told if name in FOLDING]
        if not told or not pages_someone(claim):
            return []
        body = json.dumps(page.as_json(self._page(claim, state)), ensure_ascii=False)
        finding_id, revision = claim.finding.id, revision_of(claim, state)
        return [Delivery(finding_id, state, receiver, body, revision) for receiver in told]

    def _events(self, report: Report) -> list[Delivery]:
        found: list[Delivery] = []
        for state, claims in (
            (State.OPENED, report.opened),
            (State.UPDATED, report.updated),
            (State.CLOSED, report.closed),
        ):
            for claim in claims:
                alone = only(report.now_ns, state, claim)
                service, _, environment = self._home_of(claim.finding.run_id)
                logs = encode_logs(alone, service=service, environment=environment)
                body = otlp_findings.body_of(logs, encode_spans(alone))
                found.append(
                    Delivery(claim.finding.id, state, OTLP, body, revision_of(claim, state))
                )
        return found


def unknown_home(_run_id: str) -> tuple[None, None, None]:
    """Where nobody can say which process an agent lives in."""
    return None, None, None


def only(now_ns: int, state: State, claim: Claim) -> Report:
    """A report about one claim."""
    if state is State.OPENED:
        return Report(now_ns, opened=(claim,))
    return (
        Report(now_ns, updated=(claim,))
        if state is State.UPDATED
        else Report(now_ns, closed=(claim,))
    )


def revision_of(claim: Claim, state: State) -> int:
    """Updates of one finding are told apart by the stretch of time that they fall into."""
    return 0 if state is not State.UPDATED else claim.finding.as_of_ns // (UPDATE_EVERY_S * NS)
