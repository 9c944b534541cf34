"""Tests of findings as OTLP: log events, attribution spans in the action's trace, incidents."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes
from aftershock.model import Alternative, Claim, Report
from aftershock_collector.notify.otlp_findings import encode_logs, encode_spans
from tests.support import incident

ACTION = "00f067aa0ba902b7"
OTHER_TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "b7ad6b7169203331"


def blamed() -> Claim:
    """The impact finding with ids as OpenTelemetry makes them."""
    claim = incident.blamed()
    no_agent = Alternative(None, None, "no agent action", 0.06)
    alternatives = (no_agent, Alternative(OTHER, "r", "restart", 0.03, OTHER_TRACE, "docs-bot"))
    judged = replace(incident.impact(), span_id=ACTION, alternatives=alternatives)
    return replace(claim, finding=replace(claim.finding, impact=judged, evidence=(ACTION,)))


def logs(report: Report) -> list[LogRecord]:
    request = ExportLogsServiceRequest.FromString(encode_logs(report) or b"")
    records = [r for a in request.resource_logs for s in a.scope_logs for r in s.log_records]
    return [r for r in records if r.event_name == attributes.EVENT_FINDING]


def spans(report: Report) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(encode_spans(report) or b"")
    return [s for a in request.resource_spans for b in a.scope_spans for s in b.spans]


def values_of(pairs: list[KeyValue]) -> dict[str, object]:
    return {p.key: getattr(p.value, p.value.WhichOneof("value") or "") for p in pairs}


def test_a_finding_is_reported_three_times_under_one_id() -> None:
    over = incident.closed(blamed())
    report = Report(incident.at(150), opened=(blamed(),), updated=(blamed(),), closed=(over,))
    records = logs(report)
    values = [values_of(list(record.attributes)) for record in records]

    assert {record.event_name for record in records} == {attributes.EVENT_FINDING}
    assert [v[attributes.FINDING_STATE] for v in values] == ["opened", "updated", "closed"]
    assert len({v[attributes.FINDING_ID] for v in values}) == 1
    assert values[2][attributes.FINDING_CLOSING] == "the degradation ended"
    assert [record.severity_text for record in records] == ["ERROR", "ERROR", "INFO"]
    assert [record.time_unix_nano for record in records] == [
        incident.at(64),
        incident.at(96),
        incident.at(140),
    ]


def test_a_log_event_lies_in_the_trace_of_the_action_that_it_is_about() -> None:
    (record,) = logs(Report(incident.at(64), opened=(blamed(),)))

    assert record.trace_id.hex() == incident.TRACE
    assert record.span_id.hex() == ACTION


def test_ids_that_are_not_of_opentelemetry_are_left_to_the_attributes() -> None:
    claim = incident.loop()
    imported = replace(claim, finding=replace(claim.finding, trace_id="session 7"))
    (record,) = logs(Report(incident.at(64), opened=(imported,)))

    assert record.trace_id == b""
    assert values_of(list(record.attributes))[attributes.RUN_ID] == incident.RUN


def test_an_attribution_is_a_child_of_the_action_in_the_same_trace_with_links_to_alternatives() -> (
    None
):
    attribution, _ = spans(Report(incident.at(64), opened=(blamed(),)))

    assert attribution.trace_id.hex() == incident.TRACE
    assert attribution.parent_span_id.hex() == ACTION
    assert attribution.start_time_unix_nano == incident.impact().acted_at_ns
    assert [(x.trace_id.hex(), x.span_id.hex()) for x in attribution.links] == [
        (OTHER_TRACE, OTHER)
    ]
    assert values_of(list(attribution.attributes))[attributes.IMPACT_PROBABILITY] == 0.91


def test_an_incident_is_a_trace_of_its_own_that_links_every_candidate() -> None:
    attribution, case = spans(Report(incident.at(64), opened=(blamed(),)))
    linked = {x.span_id.hex(): values_of(list(x.attributes)) for x in case.links}

    assert case.trace_id != attribution.trace_id
    assert case.parent_span_id == b""
    assert linked[ACTION][attributes.IMPACT_PROBABILITY] == 0.91
    assert linked[OTHER][attributes.IMPACT_PROBABILITY] == 0.03
    assert linked[OTHER][attributes.IMPACT_CANDIDATE] == "docs-bot's restart"
    (shares,) = [p.value for p in case.attributes if p.key == attributes.IMPACT_CANDIDATES]
    assert [v.string_value for v in shares.array_value.values] == [
        "0.910 sre-bot's scale_deployment",
        "0.060 no agent action",
        "0.030 docs-bot's restart",
    ]


def test_ids_are_the_same_whenever_the_same_report_is_encoded() -> None:
    report = Report(incident.at(64), opened=(blamed(),))

    assert encode_spans(report) == encode_spans(report)
    assert encode_logs(report) == encode_logs(report)


def test_a_span_id_is_never_sent_twice_with_another_meaning() -> None:
    over = incident.closed(blamed())
    report = Report(incident.at(150), opened=(blamed(),), updated=(blamed(),), closed=(over,))
    found = spans(report)

    assert len(found) == len({span.span_id for span in found}) == 4


def test_a_quiet_report_sends_nothing() -> None:
    assert encode_logs(Report(incident.at(0))) is None
    assert encode_spans(Report(incident.at(0), opened=(incident.loop(),))) is None
