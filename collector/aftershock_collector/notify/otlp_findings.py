"""Findings as OTLP: log events to /v1/logs, attributions and degradations as spans to /v1/traces.

A span that has ended cannot be changed, so an attribution is a later child of the action's own
span, and a degradation is a span of its own that links every candidate with its probability. Ids
are hashes of the finding's id and state: sending a report twice sends the same ids.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import httpx
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes
from aftershock.model import Alternative, Claim, Finding, Impact, Level, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.notify.http_post import post
from aftershock_collector.notify.otlp_evidence import evidence_of
from aftershock_collector.notify.receiver import Content, Message, OpenPages, Receiver, Updates
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.notify.suspects_page import named, sentence
from aftershock_collector.otlp.encode import (
    HEX_16,
    HEX_32,
    Value,
    hashed,
    logs_request,
    pairs,
    set_trace,
    span_bytes,
    trace_bytes,
    traces_request,
)
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.wording import (
    NO_AGENT,
    NS,
    alternative_words,
    attribution_words,
    candidates,
    clean,
)

HEADERS = {"Content-Type": "application/x-protobuf"}
BODY_CHARS_MAX = 1_000
UPDATE_EVERY_S = 300  # of one finding: an update of each round of a loop helps no one


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
    report: Report, context_of: Callable[[Finding], RunContext], to: Iterable[Receiver]
) -> Iterator[Delivery]:
    """One delivery for each finding that changed and each receiver of findings."""
    names = [receiver.name for receiver in to]
    for state, claim in changed(report):
        alone = only(report.now_ns, state, claim)
        context = context_of(claim.finding)
        logs = encode_logs(alone, service=context.service, environment=context.environment)
        body = body_of(logs, encode_spans(alone))
        for name in names:
            yield Delivery(claim.finding.id, state, name, body, revision_of(claim, state))


def of_suspects(suspects: Suspects) -> str:
    """The body of a delivery about an alert's suspects."""
    return body_of(encode_suspects(suspects), None)


def body_of(logs: bytes | None, spans: bytes | None) -> str:
    """Two serialized requests as one text for the outbox."""
    signals = {"logs": logs, "traces": spans}
    return json.dumps({k: base64.b64encode(v).decode() for k, v in signals.items() if v})


def revision_of(claim: Claim, state: State) -> int:
    """Updates of one finding are one for each stretch of time."""
    return 0 if state is not State.UPDATED else claim.finding.as_of_ns // (UPDATE_EVERY_S * NS)


def only(now_ns: int, state: State, claim: Claim) -> Report:
    """A report about one claim."""
    if state is State.OPENED:
        return Report(now_ns, opened=(claim,))
    if state is State.UPDATED:
        return Report(now_ns, updated=(claim,))
    return Report(now_ns, closed=(claim,))


def encode_logs(
    report: Report, *, service: str | None = None, environment: str | None = None
) -> bytes | None:
    """Findings that were opened, updated or closed, and the series behind them, as one request.

    Args:
        report: what one conclusion changed.
        service: service.name of the process that the agents live in, where it is known.
        environment: deployment.environment.name of that process.

    Returns:
        A serialized `ExportLogsServiceRequest`; None where nothing changed.
    """
    process: dict[str, Value | None] = {
        attributes.AGENT_SERVICE: service,
        attributes.ENVIRONMENT_NAME: environment,
    }
    records: list[LogRecord] = []
    for state, claim in changed(report):
        records.append(log_of(claim, state, report.now_ns, process))
        records += evidence_of(claim, state, report.now_ns, process)
    return logs_request(records)


def encode_suspects(suspects: Suspects) -> bytes:
    """The suspects of one alert as a log event, in the trace of the likeliest where there is one.

    Returns:
        A serialized `ExportLogsServiceRequest`.
    """
    alert, top = suspects.alert, suspects.top
    rated = tuple(f"{s.probability:.3f} {named(s)}" for s in suspects.ranked)
    found: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_SUSPECTS,
        attributes.CHANGE_NAME: alert.name,
        attributes.CHANGE_KIND: alert.kind.value,
        attributes.ALERT_ID: alert.id,
        attributes.IMPACT_ENTITY: alert.entity,
        attributes.IMPACT_CANDIDATES: (*rated, f"{suspects.no_agent:.3f} {NO_AGENT}"),
        attributes.IMPACT_PROBABILITY: top.probability if top else None,
        attributes.RUN_ID: top.run_id if top else None,
        attributes.AGENT_NAME: top.agent if top else None,
    }
    record = LogRecord(
        time_unix_nano=alert.began_at_ns,
        observed_time_unix_nano=suspects.judged_at_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_WARN,
        severity_text="WARN",
        event_name=attributes.EVENT_SUSPECTS,
        body=AnyValue(string_value=clean(sentence(suspects), BODY_CHARS_MAX)),
        attributes=pairs(found),
    )
    if top is not None:
        set_trace(record, top.trace_id, top.span_id)
    return logs_request([record]) or b""


def encode_spans(report: Report) -> bytes | None:
    """Attribution and degradation spans of impact findings that were opened or closed.

    Updates leave as log events only: a span with an id that was sent before is lost or doubled.

    Returns:
        A serialized `ExportTraceServiceRequest`; None where no attribution was opened or closed.
    """
    spans: list[Span] = []
    for state, claim in changed(report):
        impact = claim.finding.impact
        if impact is None or state is State.UPDATED:
            continue
        spans.append(attribution_span(claim, impact, state))
        spans.append(incident_span(claim, impact, state))
    return traces_request(spans)


def changed(report: Report) -> Iterator[tuple[State, Claim]]:
    """Claims with what happened to them."""
    for state, claims in (
        (State.OPENED, report.opened),
        (State.UPDATED, report.updated),
        (State.CLOSED, report.closed),
    ):
        for claim in claims:
            yield state, claim


def log_of(
    claim: Claim, state: State, now_ns: int, process: Mapping[str, Value | None]
) -> LogRecord:
    """One log event about one finding, in the trace of the action that it is about."""
    finding = claim.finding
    times = {State.OPENED: claim.opened_at_ns, State.CLOSED: claim.closed_at_ns}
    alarm = finding.level is Level.ALARM and state is not State.CLOSED
    warn = state is not State.CLOSED
    severity = "ERROR" if alarm else "WARN" if warn else "INFO"
    text = attribution_words(finding.impact) if finding.impact is not None else finding.summary
    record = LogRecord(
        time_unix_nano=times.get(state) or finding.as_of_ns,
        observed_time_unix_nano=now_ns,
        severity_number=SeverityNumber.Value(f"SEVERITY_NUMBER_{severity}"),
        severity_text=severity,
        event_name=attributes.EVENT_FINDING,
        body=AnyValue(string_value=clean(text, BODY_CHARS_MAX)),
        attributes=pairs(
            {**finding_attributes(claim, state), **detail_attributes(finding), **process}
        ),
    )
    evidence = finding.impact.span_id if finding.impact is not None else finding.evidence[0]
    set_trace(record, finding.trace_id, evidence)
    return record


def detail_attributes(finding: Finding) -> dict[str, Value | None]:
    """What a store of logs needs beside `finding_attributes` to show a whole finding."""
    found: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_FINDING,
        attributes.FINDING_FACTS: tuple(clean(line) for line in finding.facts) or None,
    }
    impact = finding.impact
    if impact is not None:
        rated = tuple(f"{p:.3f} {name}" for name, p, _ in candidates(impact))
        found[attributes.IMPACT_CANDIDATES] = rated
        found[attributes.IMPACT_GAP] = tuple(clean(line) for line in impact.context_gap) or None
    return found


def finding_attributes(claim: Claim, state: State) -> dict[str, Value | None]:
    """What every event and span about a finding says."""
    finding, impact = claim.finding, claim.finding.impact
    found: dict[str, Value | None] = {
        attributes.FINDING_ID: finding.id,
        attributes.FINDING_KIND: finding.kind,
        attributes.FINDING_LEVEL: finding.level.value,
        attributes.FINDING_STATE: state.value,
        attributes.FINDING_SUBJECT: finding.subject,
        attributes.FINDING_SUMMARY: clean(finding.summary, BODY_CHARS_MAX),
        attributes.FINDING_CLOSING: claim.closing.value if claim.closing is not None else None,
        attributes.FINDING_FEEDBACK: claim.feedback.assessment.value
        if claim.feedback is not None
        else None,
        attributes.FINDING_FEEDBACK_BY: claim.feedback.by if claim.feedback is not None else None,
        attributes.RUN_ID: finding.run_id,
        attributes.AGENT_NAME: finding.agent,
    }
    if impact is not None:
        found |= impact_attributes(impact)
    return found


def impact_attributes(impact: Impact) -> dict[str, Value | None]:
    """An attribution with its parts."""
    return {
        attributes.TOOL_NAME: impact.tool,
        attributes.IMPACT_ENTITY: impact.entity,
        attributes.IMPACT_PROBABILITY: impact.probability,
        attributes.IMPACT_LABEL: impact.label,
        attributes.IMPACT_NATS_OWN: impact.parts.own,
        attributes.IMPACT_NATS_BEFORE: impact.parts.before,
        attributes.IMPACT_NATS_CALLEE: impact.parts.callee,
        attributes.IMPACT_NATS_ALTERNATIVE: impact.parts.alternative,
    }


def attribution_span(claim: Claim, impact: Impact, state: State) -> Span:
    """The child of the action's span with its effect, and links to the alternatives."""
    span = Span(
        name=f"attribution {clean(impact.tool, 80)}",
        kind=Span.SPAN_KIND_INTERNAL,
        trace_id=trace_bytes(impact.trace_id),
        span_id=hashed(f"{claim.finding.id}\x00attribution\x00{state}", 8),
        start_time_unix_nano=impact.acted_at_ns,
        end_time_unix_nano=ended(claim, impact),
        attributes=pairs(finding_attributes(claim, state)),
        links=links(impact, own=False),
    )
    parent = span_bytes(impact.span_id)
    if parent is not None:
        span.parent_span_id = parent
    return span


def incident_span(claim: Claim, impact: Impact, state: State) -> Span:
    """A trace of its own for the degradation, with a link to every candidate."""
    began = impact.change.began_at_ns if impact.change is not None else impact.acted_at_ns
    rated = tuple(f"{p:.3f} {name}" for name, p, _ in candidates(impact))
    shares: dict[str, Value | None] = {attributes.IMPACT_CANDIDATES: rated}
    return Span(
        name=f"incident {clean(impact.entity, 80)}",
        kind=Span.SPAN_KIND_INTERNAL,
        trace_id=hashed(f"{claim.finding.id}\x00incident", 16),
        span_id=hashed(f"{claim.finding.id}\x00incident\x00{state}", 8),
        start_time_unix_nano=began,
        end_time_unix_nano=max(began, ended(claim, impact)),
        attributes=pairs(finding_attributes(claim, state) | shares),
        links=links(impact, own=True),
    )


def ended(claim: Claim, impact: Impact) -> int:
    """When what is judged was over, or last looked at."""
    return impact.recovered_at_ns or claim.closed_at_ns or impact.judged_at_ns


def links(impact: Impact, *, own: bool) -> list[Span.Link]:
    """One link per candidate action whose span can be named; "no agent action" has none."""
    rated = list(impact.alternatives)
    if own:
        judged, share = impact, impact.probability or 0.0
        whose = (judged.span_id, judged.run_id, judged.tool, share, judged.trace_id, judged.agent)
        rated.insert(0, Alternative(*whose))
    linked: list[Span.Link] = []
    for alternative in rated:
        span_id, trace_id = alternative.span_id or "", alternative.trace_id or ""
        if not HEX_16.fullmatch(span_id) or not HEX_32.fullmatch(trace_id):
            continue
        found: dict[str, Value | None] = {
            attributes.IMPACT_CANDIDATE: clean(alternative_words(alternative), 120),
            attributes.IMPACT_PROBABILITY: alternative.probability,
        }
        linked.append(
            Span.Link(
                trace_id=bytes.fromhex(trace_id),
                span_id=bytes.fromhex(span_id),
                attributes=pairs(found),
            )
        )
    return linked
