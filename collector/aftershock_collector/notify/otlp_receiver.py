"""The OTLP receiver of findings: what leaves for a store of telemetry, and how often.

A finding leaves when it opens, closes or has something new to say, and every five minutes. The
series behind an attribution leaves twice a minute while somebody who was paged looks at it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import httpx

from aftershock.grade import Grade
from aftershock.model import Claim, Finding, Level, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.otlp_evidence import evidence_of
from aftershock_collector.notify.otlp_findings import (
    changed,
    encode_logs,
    encode_spans,
    encode_suspects,
    process_of,
)
from aftershock_collector.notify.receiver import Content, Message, OpenPages, Receiver, Updates
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.otlp.encode import logs_request
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.wording import NS

HEADERS = {"Content-Type": "application/x-protobuf"}
UPDATE_EVERY_S = 300  # of one finding that says the same: one of each round helps no one
EVIDENCE_EVERY_S = 30  # whoever was paged looks at the chart now
EVIDENCE_MAX_S = 1_800  # from the action; an outage of hours is on the target's own charts
GRADES = tuple(Grade)


@dataclass(frozen=True, slots=True)
class OtlpReceiver:
    """Posts to an OTLP/HTTP receiver; sending again sends the same ids."""

    name: str
    url: str
    content: Content = Content.FINDINGS
    updates: Updates = Updates.FOLD
    renew_every_s: float | None = None

    def send(self, client: httpx.Client, message: Message) -> str | None:
        """Post the requests that one delivery holds."""
        for signal, content in json.loads(message.body).items():
            place = f"{self.url.rstrip('/')}/v1/{signal}"
            post(client, place, content=base64.b64decode(content), headers=HEADERS)
        return None

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Nothing: a store of telemetry remembers."""


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The OTLP receiver of findings, where one is configured."""
    if on_call.otlp_url:
        yield OtlpReceiver("otlp", on_call.otlp_url)


def deliveries(
    report: Report,
    context_of: Callable[[Finding], RunContext],
    to: Iterable[Receiver],
    known: Collection[Finding] = (),
) -> Iterator[Delivery]:
    """One delivery for each finding that changed and each receiver of findings.

    `known`: every open finding, as `encode_logs` takes them.
    """
    names = [receiver.name for receiver in to]
    for state, claim in changed(report):
        alone = only(report.now_ns, state, claim)
        context = context_of(claim.finding)
        logs = encode_logs(alone, known, service=context.service, environment=context.environment)
        body = body_of(logs, encode_spans(alone))
        revision = revision_of(claim, state)
        for name in names:
            yield Delivery(claim.finding.id, state, name, body, revision)
        drawn_ns = drawn_until(claim.finding)
        if state is not State.UPDATED or drawn_ns is None:
            continue
        process = process_of(context.service, context.environment)
        points = logs_request(list(evidence_of(claim, state, report.now_ns, process)))
        of_points = -(drawn_ns // (EVIDENCE_EVERY_S * NS))  # below the finding's own
        for name in names:
            yield Delivery(claim.finding.id, state, name, body_of(points, None), of_points)


def of_suspects(suspects: Suspects) -> str:
    """The body of a delivery about an alert's suspects."""
    return body_of(encode_suspects(suspects), None)


def body_of(logs: bytes | None, spans: bytes | None) -> str:
    """Two serialized requests as one text for the outbox."""
    signals = {"logs": logs, "traces": spans}
    return json.dumps({k: base64.b64encode(v).decode() for k, v in signals.items() if v})


def revision_of(claim: Claim, state: State) -> int:
    """Updates of one finding are one for each stretch of time, and for each new thing to say."""
    if state is not State.UPDATED:
        return 0
    finding, impact = claim.finding, claim.finding.impact
    grade = 0 if impact is None else GRADES.index(impact.label)
    recovered = impact is not None and impact.recovered_at_ns is not None
    content = (grade * 2 + recovered) * 2 + (finding.level is Level.ALARM)
    stretch = finding.as_of_ns // (UPDATE_EVERY_S * NS)
    return stretch * len(GRADES) * 4 + content


def drawn_until(finding: Finding) -> int | None:
    """The last point of an attribution's series; None where there is none, or it is old news."""
    impact = finding.impact
    if impact is None or not impact.charts:
        return None
    last_ns = impact.charts[0].times_ns[-1]
    return last_ns if last_ns - impact.acted_at_ns < EVIDENCE_MAX_S * NS else None


def only(now_ns: int, state: State, claim: Claim) -> Report:
    """A report about one claim."""
    if state is State.OPENED:
        return Report(now_ns, opened=(claim,))
    if state is State.UPDATED:
        return Report(now_ns, updated=(claim,))
    return Report(now_ns, closed=(claim,))
