"""Findings as OTLP: log events to /v1/logs, attributions and degradations as spans to /v1/traces.

A span that has ended cannot be changed, so an attribution is a later child of the action's own
span, and a degradation is a span of its own that links every candidate with its probability. Ids
are hashes of the finding's id and state: sending a report twice sends the same ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes
from aftershock.model import Alternative, Claim, Finding, Impact, Level, Report
from aftershock_collector.impact.suspects import Suspects
from aftershock_collector.notify.otlp_evidence import evidence_of
from aftershock_collector.notify.page_text import CONTEXT_KINDS
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
from aftershock_collector.store.interface import State
from aftershock_collector.wording import (
    NO_AGENT,
    alternative_words,
    attribution_words,
    candidates,
    clean,
)

BODY_CHARS_MAX = 1_000


def encode_logs(
    report: Report,
    known: Collection[Finding] = (),
    *,
    service: str | None = None,
    environment: str | None = None,
) -> bytes | None:
    """Findings that were opened, updated or closed, and the series behind them, as one request.

    Args:
        report: what one conclusion changed.
        known: open findings; what a call lacked is told with what the call did as well.
        service: service.name of the process that the agents live in, where it is known.
        environment: deployment.environment.name of that process.

    Returns:
        A serialized `ExportLogsServiceRequest`; None where nothing changed.
    """
    process = process_of(service, environment)
    records: list[LogRecord] = []
    for state, claim in changed(report):
        lacked = lacked_by(claim.finding, known)
        records.append(log_of(claim, state, report.now_ns, process, lacked))
        records += evidence_of(claim, state, report.now_ns, process)
    return logs_request(records)


def process_of(service: str | None, environment: str | None) -> dict[str, Value | None]:
    """What events say of the process that the agents live in."""
    return {attributes.AGENT_SERVICE: service, attributes.ENVIRONMENT_NAME: environment}


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
    claim: Claim,
    state: State,
    now_ns: int,
    process: Mapping[str, Value | None],
    lacked: Sequence[str] = (),
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
            {**finding_attributes(claim, state), **detail_attributes(finding, lacked), **process}
        ),
    )
    evidence = finding.impact.span_id if finding.impact is not None else finding.evidence[0]
    set_trace(record, finding.trace_id, evidence)
    return record


def lacked_by(finding: Finding, known: Iterable[Finding]) -> list[str]:
    """What other findings say of the facts that the call behind an attribution did not have."""
    impact = finding.impact
    if impact is None:
        return []
    return [
        other.summary
        for other in known
        if other.kind in CONTEXT_KINDS
        and other.run_id == impact.run_id
        and impact.span_id in other.evidence
    ]


def detail_attributes(finding: Finding, lacked: Sequence[str]) -> dict[str, Value | None]:
    """What a store of logs needs beside `finding_attributes` to show a whole finding."""
    found: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_FINDING,
        attributes.FINDING_FACTS: tuple(clean(line) for line in finding.facts) or None,
    }
    impact = finding.impact
    if impact is not None:
        rated = tuple(f"{p:.3f} {name}" for name, p, _ in candidates(impact))
        found[attributes.IMPACT_CANDIDATES] = rated
        unread = (*impact.context_gap, *lacked)
        found[attributes.IMPACT_GAP] = tuple(clean(line) for line in unread) or None
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
