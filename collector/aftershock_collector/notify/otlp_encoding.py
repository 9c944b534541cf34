"""Report → OTLP: findings as log events, verdicts and incidents as spans with links.

Spans that ended cannot be changed, so a verdict is a later child of the action's own span, and an
incident is a span of its own that links every candidate with its probability. Ids are hashes of
the finding's id and state: sending a report twice sends the same ids.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    InstrumentationScope,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from aftershock import attributes
from aftershock.model import Alternative, Level
from aftershock_collector.notify.otlp_evidence import evidence_of
from aftershock_collector.notify.otlp_values import Value, pairs
from aftershock_collector.notify.page import State
from aftershock_collector.notify.suspects_page import named, sentence
from aftershock_collector.wording import (
    NO_AGENT,
    alternative_words,
    attribution_words,
    candidates,
    clean,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aftershock.model import Claim, Finding, Impact, Report
    from aftershock_collector.impact.suspects import Suspects

SERVICE = "aftershock"
SCOPE = InstrumentationScope(name="aftershock.collector")
HEX_16 = re.compile(r"[0-9a-f]{16}")
HEX_32 = re.compile(r"[0-9a-f]{32}")
SAMPLED = 1  # of the W3C trace flags
BODY_CHARS_MAX = 1_000


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
    home: dict[str, Value | None] = {
        attributes.AGENT_SERVICE: service,
        attributes.ENVIRONMENT_NAME: environment,
    }
    records: list[LogRecord] = []
    for state, claim in changed(report):
        records.append(log_of(claim, state, report.now_ns, home))
        records += evidence_of(claim, state, report.now_ns, home)
    if not records:
        return None
    scope = ScopeLogs(scope=SCOPE, log_records=records)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource(), scope_logs=[scope])]
    ).SerializeToString()


def encode_suspects(suspects: Suspects) -> bytes:
    """The suspects of one alert as a log event, in the trace of the likeliest where there is one.

    Returns:
        A serialized `ExportLogsServiceRequest`.
    """
    alert, top = suspects.alert, suspects.top
    rated = tuple(f"{s.probability:.3f} {named(s)}" for s in suspects.ranked)
    said: dict[str, Value | None] = {
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
        attributes=pairs(said),
    )
    if top is not None:
        place(record, top.trace_id, top.span_id)
    scope = ScopeLogs(scope=SCOPE, log_records=[record])
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=resource(), scope_logs=[scope])]
    ).SerializeToString()


def encode_spans(report: Report) -> bytes | None:
    """Verdict and incident spans of impact findings that were opened or closed.

    Updates leave as log events only: a span with an id that was sent before is lost or doubled.

    Returns:
        A serialized `ExportTraceServiceRequest`; None where no verdict was opened or closed.
    """
    spans: list[Span] = []
    for state, claim in changed(report):
        impact = claim.finding.impact
        if impact is None or state is State.UPDATED:
            continue
        spans.append(attribution_span(claim, impact, state))
        spans.append(incident_span(claim, impact, state))
    if not spans:
        return None
    scope = ScopeSpans(scope=SCOPE, spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource(), scope_spans=[scope])]
    ).SerializeToString()


def changed(report: Report) -> Iterator[tuple[State, Claim]]:
    """Claims with what happened to them."""
    for state, claims in (
        (State.OPENED, report.opened),
        (State.UPDATED, report.updated),
        (State.CLOSED, report.closed),
    ):
        for claim in claims:
            yield state, claim


def log_of(claim: Claim, state: State, now_ns: int, home: Mapping[str, Value | None]) -> LogRecord:
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
        attributes=pairs({**finding_attributes(claim, state), **told(finding), **home}),
    )
    evidence = finding.impact.span_id if finding.impact is not None else finding.evidence[0]
    place(record, finding.trace_id, evidence)
    return record


def told(finding: Finding) -> dict[str, Value | None]:
    """What a store of logs needs beside the finding's own attributes to show all of it."""
    said: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_FINDING,
        attributes.FINDING_FACTS: tuple(clean(line) for line in finding.facts) or None,
    }
    impact = finding.impact
    if impact is not None:
        rated = tuple(f"{p:.3f} {name}" for name, p, _ in candidates(impact))
        said[attributes.IMPACT_CANDIDATES] = rated
        said[attributes.IMPACT_GAP] = tuple(clean(line) for line in impact.context_gap) or None
    return said


def place(record: LogRecord, trace_id: str, span_id: str) -> None:
    """Put a record into its trace; ids that are not W3C ids (imported runs) stay attributes."""
    if HEX_32.fullmatch(trace_id):
        record.trace_id = bytes.fromhex(trace_id)
        record.flags = SAMPLED
        if HEX_16.fullmatch(span_id):
            record.span_id = bytes.fromhex(span_id)


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
    """A verdict with its parts."""
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
    """The child of the action's span that says what the action did, with links to its rivals."""
    span = Span(
        name=f"verdict {clean(impact.tool, 80)}",
        kind=Span.SPAN_KIND_INTERNAL,
        trace_id=trace_bytes(impact.trace_id),
        span_id=hashed(f"{claim.finding.id}\x00verdict\x00{state}", 8),
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
    found: list[Span.Link] = []
    for alternative in rated:
        span_id, trace_id = alternative.span_id or "", alternative.trace_id or ""
        if not HEX_16.fullmatch(span_id) or not HEX_32.fullmatch(trace_id):
            continue
        said: dict[str, Value | None] = {
            attributes.IMPACT_CANDIDATE: clean(alternative_words(alternative), 120),
            attributes.IMPACT_PROBABILITY: alternative.probability,
        }
        found.append(
            Span.Link(
                trace_id=bytes.fromhex(trace_id),
                span_id=bytes.fromhex(span_id),
                attributes=pairs(said),
            )
        )
    return found


def trace_bytes(trace_id: str) -> bytes:
    """The action's trace; a run that came without one gets a trace made from its name."""
    return bytes.fromhex(trace_id) if HEX_32.fullmatch(trace_id) else hashed(trace_id, 16)


def span_bytes(span_id: str) -> bytes | None:
    """A span id as it goes on the wire; None where it was never a span of OpenTelemetry."""
    return bytes.fromhex(span_id) if HEX_16.fullmatch(span_id) else None


def hashed(text: str, size: int) -> bytes:
    """An id that is the same whenever it is made."""
    return blake2b(text.encode(), digest_size=size).digest()


def resource() -> Resource:
    """Who speaks: the collector, not the agent."""
    return Resource(attributes=pairs({attributes.SERVICE_NAME: SERVICE}))
