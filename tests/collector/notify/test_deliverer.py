"""The way from a report to every receiver, over real HTTP, with refusals and restarts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from aftershock.model import Claim, Level, Report
from aftershock_collector.config.on_call import NamedReceiver, OnCall, QuietHours, Route
from aftershock_collector.notify import deliverer, http_post
from aftershock_collector.notify.alertmanager import Alertmanager
from aftershock_collector.notify.deliverer import Deliverer
from aftershock_collector.notify.routing import quiet_ns
from aftershock_collector.store.incidents import Mute, Response, ResponseAction
from aftershock_collector.store.reader import Reader
from tests.support import incident
from tests.support.desk import CLIENT, LINK, NOW, Desk, opened, over, updated
from tests.support.receiver import Answer, Receiver, eventually

S = incident.S


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def another(run: str = "another") -> Claim:
    finding = replace(incident.missing_fact().finding, run_id=run, trace_id=run)
    return replace(incident.missing_fact(), finding=finding)


def states(receiver: Receiver) -> list[str]:
    return [request.json["state"] for request in receiver.requests]


def later(claim: Claim, seconds: float) -> Claim:
    return replace(claim, finding=replace(claim.finding, as_of_ns=incident.at(seconds)))


def test_an_incident_is_one_page_that_is_updated_and_closed(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url + "/page"))
    desk.record(opened(incident.missing_fact(), at_ns=incident.at(32)))
    desk.send(incident.at(32))
    desk.record(opened(incident.loop(), incident.blamed()))
    desk.send()
    claims = (incident.missing_fact(), incident.loop(), incident.blamed())
    desk.record(Report(incident.at(140), closed=tuple(incident.closed(c) for c in claims)))
    desk.send(incident.at(140))
    bodies = [request.json for request in receiver.requests]

    assert states(receiver) == ["opened", "updated", "closed"]
    assert len({body["key"] for body in bodies}) == 1
    assert {body["incident"] for body in bodies} == {1}
    assert "without ever having read" in bodies[0]["title"]
    assert "probably degraded service/checkout" in bodies[1]["title"]
    assert bodies[0]["link"] == f"{LINK}/incidents/1"
    assert receiver.requests[0].path == "/page"


def test_a_receiver_that_cannot_edit_gets_another_message_only_when_it_became_worse(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(slack_url=receiver.url))
    desk.record(opened(incident.missing_fact()))
    desk.send()
    desk.record(opened(incident.loop()))
    desk.send()
    assert len(receiver.requests) == 1

    desk.record(opened(incident.blamed()))
    desk.send()
    assert receiver.requests[1].json["text"].startswith("Update: sre-bot's scale_deployment")


def test_findings_that_come_while_a_page_waits_are_on_that_page(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=5.0))
    cycle = replace(incident.loop().finding, kind="action_cycle", summary="it goes in circles")
    desk.record(opened(incident.loop()))
    desk.send(NOW + 4 * S)
    assert receiver.requests == []

    desk.record(opened(replace(incident.loop(), finding=cycle), at_ns=NOW + 4 * S))
    desk.send(NOW + 5 * S)
    assert states(receiver) == ["opened"]
    assert set(receiver.requests[0].json["kinds"]) == {"repeated_action", "action_cycle"}


def test_a_critical_finding_does_not_wait_and_takes_the_waiting_page_with_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=60.0))
    desk.record(opened(incident.loop()))
    desk.record(opened(incident.blamed(), at_ns=NOW + S))
    desk.send(NOW + S)

    assert states(receiver) == ["opened"]
    assert receiver.requests[0].json["severity"] == "critical"


def test_warnings_page_no_one_and_an_escalation_pages_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))

    assert desk.record(opened(incident.blamed(0.6, "suspected", Level.WARN))) == 0
    assert desk.record(updated(incident.blamed())) == 1
    desk.record(updated(later(incident.blamed(), 100)))
    desk.send()
    assert states(receiver) == ["opened"]


def test_a_warning_that_closes_without_having_paged_is_not_resolved_either(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed(0.6, "suspected", Level.WARN)))
    desk.record(over(incident.blamed(0.6, "suspected", Level.WARN)))
    desk.send(incident.at(140))

    assert receiver.requests == []


def test_one_page_per_incident_and_receiver_even_across_restarts(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(webhook_url=receiver.url, slack_url=receiver.url + "/slack")
    first = Desk(tmp_path, on_call)
    first.record(opened(incident.blamed()))
    first.send()
    first.store.close()
    second = Desk(tmp_path, on_call)
    second.record(opened(incident.blamed()))
    second.record(updated(incident.blamed()))
    second.send()

    assert sorted(
        r.path for r in receiver.requests if r.path != "/" or r.json["state"] == "opened"
    ) == [
        "/",
        "/slack",
    ]


def test_an_acknowledgement_reaches_every_receiver_that_folds_and_names_who(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(pagerduty_url=receiver.url, pagerduty_routing_key="R0")
    desk = Desk(tmp_path, on_call)
    desk.record(opened(incident.blamed()))
    desk.send()
    response = Response(1, ResponseAction.ACKNOWLEDGE, "alice", "on it", NOW)
    desk.record(Report(NOW + S), response)
    desk.send(NOW + S)

    assert [r.json["event_action"] for r in receiver.requests] == ["trigger", "acknowledge"]
    with Reader.open(desk.path) as reader:
        found = reader.incident(1)
    assert found is not None
    assert found.acknowledged == response


def test_a_snoozed_incident_is_silent_until_it_gets_worse_or_the_snooze_is_over(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=0.0))
    desk.record(opened(incident.loop()))
    until = NOW + 300 * S
    desk.record(Report(NOW), Response(1, ResponseAction.SNOOZE, "alice", "later", NOW, until))
    desk.send()
    before = len(receiver.requests)
    cycle = replace(incident.loop().finding, kind="stalled_run")
    desk.record(opened(replace(incident.loop(), finding=cycle), at_ns=NOW + S))
    desk.send(NOW + S)
    assert len(receiver.requests) == before

    desk.record(Report(until))
    desk.send(until)
    assert states(receiver)[before:] == ["updated"]


def test_a_muted_finding_is_kept_as_an_incident_and_pages_no_one(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.notifications.set_mutes([Mute("alice", "known", NOW, rule="missing_fact")])
    desk.record(opened(incident.missing_fact()))
    desk.send()

    assert receiver.requests == []
    with Reader.open(desk.path) as reader:
        (found,) = reader.incidents()
    assert found.muted == "muted by alice: known"


def test_a_route_sends_an_agents_pages_to_its_teams_receivers(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(
        webhook_url=receiver.url + "/all",
        receivers=(NamedReceiver("sre", "webhook", {"url": receiver.url + "/sre"}),),
        routes=(Route("sre-*", "payments", ("sre",)),),
    )
    desk = Desk(tmp_path, on_call)
    desk.record(opened(incident.blamed()))
    desk.send()

    assert [request.path for request in receiver.requests] == ["/sre"]
    assert receiver.requests[0].json["team"] == "payments"


def test_a_receiver_gets_only_the_severities_that_it_wants(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(
        webhook_url=receiver.url, wait_s=0.0, severities={"webhook": frozenset({"critical"})}
    )
    desk = Desk(tmp_path, on_call)
    desk.record(opened(incident.loop()))
    desk.send()
    assert receiver.requests == []

    desk.record(opened(incident.blamed()))
    desk.send()
    assert states(receiver) == ["opened"]


def test_in_quiet_hours_only_critical_incidents_page(tmp_path: Path, receiver: Receiver) -> None:
    quiet = QuietHours.parse({"from": "11:00", "until": "13:00"})  # it is 12:04 UTC
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=0.0, quiet_hours=quiet))
    desk.record(opened(incident.loop()))
    desk.send(NOW + 600 * S)
    assert receiver.requests == []
    desk.send(NOW + quiet_ns(quiet, NOW))
    assert states(receiver) == ["opened"]

    desk.record(opened(replace(another(), opened_at_ns=NOW)))
    desk.send()
    assert len(receiver.requests) == 2


def test_quiet_hours_may_span_midnight_and_follow_their_timezone() -> None:
    berlin = QuietHours.parse({"from": "22:00", "until": "07:00", "timezone": "Europe/Berlin"})

    assert quiet_ns(berlin, incident.at(0)) == 0  # 13:03 there
    evening = incident.at(9 * 3_600)
    assert quiet_ns(berlin, evening) > 8 * 3_600 * S
    assert quiet_ns(berlin, evening + quiet_ns(berlin, evening)) == 0


def test_a_storm_of_incidents_is_a_few_pages_and_one_summary(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, pages_per_minute_max=5))
    desk.record(opened(*(another(f"run-{n}") for n in range(60))))
    desk.send()
    desk.send(NOW + S)

    assert len(receiver.requests) == 6
    assert receiver.requests[-1].json["title"].startswith("55 more incidents in one minute")
    assert desk.outbox.counts() == {"delivered": 60}


def test_a_page_in_a_storm_is_overtaken_by_no_older_one_of_less_weight(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=0.0, pages_per_minute_max=1))
    desk.record(opened(incident.loop()))
    desk.record(opened(another(), at_ns=NOW + S))
    desk.send(NOW + S)

    assert receiver.requests[0].json["kind"] == "missing_fact"


def test_an_incident_that_was_over_before_its_receiver_came_back_is_one_message_that_says_so(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(503))
    desk = Desk(tmp_path, OnCall(slack_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(over(incident.blamed()))
    desk.send(incident.at(3_600))
    desk.send(incident.at(3_601))
    texts = [request.json["text"] for request in receiver.requests[1:]]

    assert texts == [
        (
            "Opened and closed meanwhile: "
            "sre-bot's scale_deployment probably degraded service/checkout (91 %)."
        )
    ]
    assert desk.outbox.counts() == {"delivered": 2}


def test_what_was_recorded_before_a_crash_is_sent_after_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(webhook_url=receiver.url)
    crashed = Desk(tmp_path, on_call)
    crashed.record(opened(incident.blamed()))
    crashed.store.close()
    desk = Desk(tmp_path, on_call)

    with desk.deliverer:
        eventually(lambda: receiver.requests)
        eventually(lambda: desk.outbox.counts() == {"delivered": 1})
    assert len(receiver.requests) == 1


def test_a_busy_receiver_is_tried_again_when_it_asked(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.append(Answer(429, {"Retry-After": "90"}))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))

    assert desk.send(NOW) == 0
    assert desk.send(NOW + 89 * S) == 0
    assert len(receiver.requests) == 1
    assert desk.send(NOW + 90 * S) == 1
    assert desk.counted("webhook", "retried") == 1
    assert desk.counted("webhook", "delivered") == 1


def test_retries_back_off_for_hours_and_deliver_once(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.extend([Answer(503)] * 40)
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    for minute in range(200):
        desk.send(NOW + minute * 60 * S)

    assert len(receiver.requests) == 41
    assert desk.outbox.counts() == {"delivered": 1}
    assert [deliverer.back_off_s(n, None) for n in (0, 1, 2, 8, 9, 500)] == [
        1.0, 2.0, 4.0, 256.0, 300.0, 300.0,
    ]  # fmt: skip


def test_a_receiver_that_is_down_for_longer_than_a_night_is_given_up(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.extend([Answer(503)] * 1_000)
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    for hour in range(14):
        desk.send(NOW + hour * 3_600 * S)

    assert desk.outbox.counts() == {"given_up": 1}
    assert desk.counted("webhook", "given_up") == 1


def test_a_refusal_is_final_kept_with_its_words_and_stops_no_other_page(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(404, content=b"no such hook"))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(opened(another()))
    desk.send()

    assert desk.outbox.counts() == {"given_up": 1, "delivered": 1}
    assert desk.store.select("SELECT error FROM deliveries WHERE error IS NOT NULL") == [
        ("HTTP 404: no such hook",)
    ]


def test_a_closing_is_not_sent_to_a_receiver_that_never_got_the_opening(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(404))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(over(incident.blamed()))
    desk.send(incident.at(140))

    assert len(receiver.requests) == 1
    assert desk.outbox.counts() == {"given_up": 2}


def test_a_closing_waits_for_its_opening(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.append(Answer(503, {"Retry-After": "30"}))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send(NOW)
    desk.record(over(incident.blamed(), 65))
    desk.send(NOW + S)
    desk.send(NOW + 31 * S)
    desk.send(NOW + 32 * S)

    assert states(receiver) == ["opened", "opened", "closed"]
    assert receiver.requests[1].json["title"].startswith("sre-bot's")


def test_a_receiver_that_is_away_is_retried(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    desk = Desk(tmp_path, OnCall(webhook_url=f"http://127.0.0.1:{port}"))
    desk.record(opened(incident.blamed()))
    desk.send()

    assert desk.outbox.counts() == {"waiting": 1}


def test_a_redirect_is_not_followed_with_a_secret(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.append(Answer(307, {"Location": receiver.url + "/elsewhere"}))
    desk = Desk(tmp_path, OnCall(slack_url=receiver.url + "/secret"))
    desk.record(opened(incident.blamed()))
    desk.send()

    assert [r.path for r in receiver.requests] == ["/secret"]
    assert desk.outbox.counts() == {"given_up": 1}


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


def test_the_address_of_slack_is_never_in_an_error(tmp_path: Path) -> None:
    desk = Desk(tmp_path, OnCall(slack_url="http://secret.invalid:1/T000/B000"))
    desk.record(opened(incident.blamed()))
    desk.send()
    ((error,),) = desk.store.select("SELECT error FROM deliveries")

    assert error
    assert "T000" not in error
    assert "secret" not in error


def test_a_slow_receiver_delays_no_other(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "CLOSE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        on_call = OnCall(
            slack_url=f"http://127.0.0.1:{silent.getsockname()[1]}", webhook_url=receiver.url
        )
        desk = Desk(tmp_path, on_call)
        desk.record(opened(incident.blamed()))
        with desk.deliverer:
            eventually(lambda: receiver.requests, within_s=2)


def test_a_page_that_another_version_wrote_is_given_up_and_not_a_crash(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(slack_url=receiver.url))
    (delivery,) = desk.notifications.notify(opened(incident.blamed())).deliveries
    desk.store.record(Report(NOW), [replace(delivery, body='{"version": 99}')], NOW)
    desk.send()

    assert desk.outbox.counts() == {"given_up": 1}


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert http_post.retry_after_s("12") == 12.0
    assert http_post.retry_after_s("999999") == http_post.RETRY_AFTER_MAX_S
    assert http_post.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert http_post.retry_after_s("soon") is None
    assert http_post.retry_after_s(None) is None
