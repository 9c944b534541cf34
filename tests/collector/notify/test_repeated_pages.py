"""What PagerDuty, Alertmanager and OTLP get again while an incident is open."""

from __future__ import annotations

from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from aftershock.model import Level
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
