"""What PagerDuty, Alertmanager and OTLP get again while an incident is open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from aftershock import attributes
from aftershock.model import Claim, Level
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.alertmanager import Alertmanager
from aftershock_collector.notify.deliverer import Deliverer
from tests.collector.notify.claims import S, later
from tests.support import incident
from tests.support.desk import CLIENT, NOW, Desk, opened, over, updated
from tests.support.receiver import Receiver, eventually


def test_pagerduty_gets_updates_under_one_key_and_not_too_often(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(pagerduty_url=receiver.url, pagerduty_routing_key="R0")
    desk = Desk(tmp_path, on_call)
    desk.record(opened(incident.loop()))
    desk.send(NOW + 5 * S)
    for seconds in range(70, 670, 10):
        desk.record(updated(later(incident.loop(), seconds), at_ns=incident.at(seconds)))
    desk.record(over(incident.loop(), 680))
    desk.send(incident.at(680))
    events = [request.json for request in receiver.requests]

    assert [e["event_action"] for e in events] == ["trigger"] * (len(events) - 1) + ["resolve"]
    assert 3 <= len(events) <= 4
    assert len({event["dedup_key"] for event in events}) == 1
    assert {r.path for r in receiver.requests} == {"/v2/enqueue"}
    assert "R0" not in str(desk.store.select("SELECT body FROM deliveries"))


def test_alertmanager_gets_open_alerts_again_before_its_alerts_resolve_by_themselves(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(alertmanager_url=receiver.url))
    desk.record(opened(incident.blamed(), incident.loop()))
    often = Alertmanager(
        "alertmanager", receiver.url + "/api/v2/alerts", desk.notifications.open_pages,
        renew_every_s=0.05,
    )  # fmt: skip
    with Deliverer(desk.outbox, desk.telemetry, [often]):
        eventually(lambda: desk.counted("alertmanager", "renewed") >= 2)

    assert {r.path for r in receiver.requests} == {"/api/v2/alerts"}
    newest = receiver.requests[-1].json
    assert {a["labels"]["alertname"] for a in newest} == {"AgentImpact", "AgentRepeatedAction"}


def test_alertmanager_gets_open_incidents_again_after_a_restart(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(alertmanager_url=receiver.url)
    first = Desk(tmp_path, on_call)
    first.record(opened(incident.blamed()))
    first.store.close()
    desk = Desk(tmp_path, on_call)
    desk.receivers[0].renew(CLIENT, NOW)

    (alerts,) = [request.json for request in receiver.requests]
    assert [alert["annotations"]["run"] for alert in alerts] == [incident.RUN]


def test_findings_leave_as_otlp_with_warnings_too(tmp_path: Path, receiver: Receiver) -> None:
    desk = Desk(tmp_path, OnCall(otlp_url=receiver.url + "/"))
    desk.record(opened(incident.blamed(0.6, "suspected", Level.WARN)))
    desk.send()
    by_path = {request.path: request for request in receiver.requests}
    logs = ExportLogsServiceRequest.FromString(by_path["/v1/logs"].content)
    spans = ExportTraceServiceRequest.FromString(by_path["/v1/traces"].content)

    assert by_path["/v1/logs"].headers["Content-Type"] == "application/x-protobuf"
    first, *evidence = logs.resource_logs[0].scope_logs[0].log_records
    assert first.event_name == "aftershock.finding"
    assert {record.event_name for record in evidence} == {"aftershock.evidence"}
    assert len(spans.resource_spans[0].scope_spans[0].spans) == 2


def events_of(receiver: Receiver, event: str) -> list[LogRecord]:
    """The log events of one kind that a store got, in order."""
    return [
        record
        for request in receiver.requests
        if request.path == "/v1/logs"
        for each in ExportLogsServiceRequest.FromString(request.content).resource_logs
        for record in each.scope_logs[0].log_records
        if record.event_name == event
    ]


def test_an_attribution_leaves_as_otlp_with_the_facts_that_its_call_lacked(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(otlp_url=receiver.url))
    lacking = incident.missing_fact()
    of_another = replace(
        lacking.finding, subject="restart/o1", evidence=("o1",), summary="restart lacked a fact"
    )
    desk.record(opened(lacking, replace(lacking, finding=of_another)))
    desk.record(opened(incident.blamed()))
    desk.send()
    gaps = [
        [value.string_value for value in pair.value.array_value.values]
        for record in events_of(receiver, attributes.EVENT_FINDING)
        for pair in record.attributes
        if pair.key == attributes.IMPACT_GAP
    ]

    trouble = incident.impact().context_gap
    assert gaps == [[*trouble, lacking.finding.summary]]


def test_a_store_of_logs_has_it_at_once_when_an_attribution_becomes_surer(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(otlp_url=receiver.url))
    suspected = incident.blamed(0.69, "suspected", Level.WARN)
    desk.record(opened(suspected))
    for seconds, claim in ((97, suspected), (98, suspected), (99, incident.blamed(0.99))):
        desk.record(updated(later(claim, seconds), at_ns=incident.at(seconds)))
    desk.send(incident.at(100))

    bodies = [record.body.string_value for record in events_of(receiver, attributes.EVENT_FINDING)]
    assert [body.rpartition("(")[2] for body in bodies] == ["69 %).", "69 %).", "99 %)."]


def test_a_store_of_logs_gets_the_series_of_an_attribution_as_it_goes_on(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(otlp_url=receiver.url))
    desk.record(opened(growing(64)))
    for seconds in range(65, 200):
        desk.record(updated(growing(seconds), at_ns=incident.at(seconds)))
    desk.send(incident.at(200))
    points = {record.time_unix_nano for record in events_of(receiver, attributes.EVENT_EVIDENCE)}

    assert {incident.at(seconds) for seconds in range(40, 170)} <= points
    assert len(events_of(receiver, attributes.EVENT_FINDING)) <= 3


def growing(seconds: int) -> Claim:
    """The attribution with a point of its series for each second until now."""
    times = tuple(incident.at(one) for one in range(40, seconds + 1))
    chart = replace(incident.charts()[0], times_ns=times, values=tuple(map(float, times)))
    claim = later(incident.blamed(), seconds)
    impact = replace(incident.impact(), charts=(chart,))
    return replace(claim, finding=replace(claim.finding, impact=impact))
