"""Tests of the way from a report to every receiver, over real HTTP, with refusals and restarts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from aftershock.model import Claim, Level, Report
from aftershock_collector.config.model import OnCall
from aftershock_collector.notify import deliverer, http_post
from aftershock_collector.notify.deliverer import Deliverer
from aftershock_collector.notify.notifications import Messages
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support import incident
from tests.support.receiver import Answer, Receiver, eventually

NOW = incident.at(64)
CLIENT = httpx.Client(timeout=2)
LINK = "http://collector:4318"


class Desk:
    """A collector's outgoing side by hand: record reports, send what is due, look at the store."""

    def __init__(self, path: Path, on_call: OnCall) -> None:
        self.store = SqliteStore.open(path / "aftershock.db")
        self.outbox = SqliteOutbox(self.store)
        self.telemetry = Telemetry()
        self.messages = Messages(
            deliverer.receivers_of(on_call), LINK, lambda _: ("sre-bot-app", None, None)
        )
        self.sending = deliverer.senders(on_call, self.messages.open_pages)
        self.renewing = deliverer.renewals(on_call, self.messages.open_pages)
        self.deliverer = Deliverer(self.outbox, self.telemetry, self.sending, self.renewing)

    def record(self, report: Report, at_ns: int = NOW) -> int:
        return self.store.record(report, self.messages.tell(report), at_ns)

    def send(self, at_ns: int = NOW) -> int:
        return sum(
            self.deliverer.deliver(CLIENT, receiver, send, at_ns)
            for receiver, send in self.sending.items()
        )

    def counted(self, receiver: str, outcome: str) -> float:
        labels = {"receiver": receiver, "outcome": outcome}
        name = "aftershock_deliveries_total"
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def opened(*claims: Claim) -> Report:
    return Report(NOW, opened=claims)


def updated(*claims: Claim) -> Report:
    return Report(NOW, updated=claims)


def over(claim: Claim) -> Report:
    return Report(incident.at(140), closed=(incident.closed(claim),))


def later(claim: Claim, seconds: float) -> Claim:
    return replace(claim, finding=replace(claim.finding, as_of_ns=incident.at(seconds)))


def test_a_webhook_is_told_of_the_opening_and_of_the_closing(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url + "/page"))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(updated(later(incident.blamed(), 120)))
    desk.send()
    desk.record(over(incident.blamed()))
    desk.send()
    bodies = [request.json for request in receiver.requests]

    assert [body["state"] for body in bodies] == ["opened", "closed"]
    assert {body["key"] for body in bodies} == {bodies[0]["key"]}
    assert bodies[0]["version"] == 1
    assert bodies[0]["link"] == f"{LINK}/runs/{incident.RUN}"
    assert receiver.requests[0].path == "/page"
    assert desk.outbox.counts() == {"delivered": 2}


def test_the_impact_page_says_what_else_is_known_of_the_run(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.missing_fact(), incident.blamed()))
    desk.send()
    (body,) = [r.json["body"] for r in receiver.requests if r.json["kind"] == "agent_impact"]

    assert "  - sre-bot called scale_deployment without ever having read" in "\n".join(body)
    assert "service sre-bot-app" in "\n".join(body)


def test_warnings_page_nobody_and_an_escalation_pages_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    warning = incident.blamed(0.6, "suspected", Level.WARN)

    assert desk.record(opened(warning)) == 0
    assert desk.record(updated(incident.blamed())) == 1
    assert desk.record(updated(later(incident.blamed(), 100))) == 0
    desk.send()
    assert len(receiver.requests) == 1


def test_a_warning_that_closes_without_having_paged_is_not_resolved_either(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed(0.6, "suspected", Level.WARN)))
    desk.record(over(incident.blamed(0.6, "suspected", Level.WARN)))
    desk.send()

    assert receiver.requests == []


def test_one_page_per_finding_and_receiver_even_across_restarts(
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

    assert sorted(r.path for r in receiver.requests) == ["/", "/slack"]


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


def test_a_busy_receiver_is_asked_again_when_it_said(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.append(Answer(429, {"Retry-After": "90"}))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))

    assert desk.send(NOW) == 0
    assert desk.send(NOW + 89 * incident.S) == 0
    assert len(receiver.requests) == 1
    assert desk.send(NOW + 90 * incident.S) == 1
    assert desk.counted("webhook", "retried") == 1
    assert desk.counted("webhook", "delivered") == 1


def test_retries_back_off_and_end(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.extend([Answer(503)] * 100)
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    for minute in range(200):
        desk.send(NOW + minute * 60 * incident.S)

    assert len(receiver.requests) == deliverer.ATTEMPTS_MAX
    assert desk.outbox.counts() == {"given_up": 1}
    assert [deliverer.back_off_s(n, None) for n in (0, 1, 2, 8, 9, 500)] == [
        1.0, 2.0, 4.0, 256.0, 300.0, 300.0,
    ]  # fmt: skip


def test_a_refusal_is_final_kept_with_its_words_and_stops_nobody_else(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(404, content=b"no such hook"))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(opened(incident.loop()))
    desk.send()

    assert desk.outbox.counts() == {"given_up": 1, "delivered": 1}
    assert desk.store.select("SELECT error FROM deliveries WHERE error IS NOT NULL") == [
        ("HTTP 404: no such hook",)
    ]


def test_a_closing_is_not_told_to_somebody_who_never_heard_of_the_opening(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(404))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send()
    desk.record(over(incident.blamed()))
    desk.send()

    assert len(receiver.requests) == 1
    assert desk.outbox.counts() == {"given_up": 2}


def test_a_closing_waits_for_its_opening(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.append(Answer(503, {"Retry-After": "30"}))
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url))
    desk.record(opened(incident.blamed()))
    desk.send(NOW)
    desk.record(over(incident.blamed()), NOW)
    desk.send(NOW + incident.S)
    desk.send(NOW + 31 * incident.S)
    desk.send(NOW + 32 * incident.S)

    assert [r.json["state"] for r in receiver.requests] == ["opened", "opened", "closed"]


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


def test_pagerduty_takes_updates_under_one_key_and_not_too_often(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(pagerduty_url=receiver.url, pagerduty_routing_key="R0")
    desk = Desk(tmp_path, on_call)
    desk.record(opened(incident.loop()))
    for seconds in range(0, 600, 10):
        desk.record(updated(later(incident.loop(), seconds)))
    desk.record(over(incident.loop()))
    desk.send()
    events = [request.json for request in receiver.requests]

    assert [e["event_action"] for e in events] == ["trigger"] * (len(events) - 1) + ["resolve"]
    assert 3 <= len(events) <= 5
    assert len({event["dedup_key"] for event in events}) == 1
    assert {r.path for r in receiver.requests} == {"/v2/enqueue"}
    assert "R0" not in str(desk.store.select("SELECT body FROM deliveries"))


def test_alertmanager_is_told_again_before_its_alerts_resolve_by_themselves(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "RENEW_S", 0.05)
    desk = Desk(tmp_path, OnCall(alertmanager_url=receiver.url))
    desk.record(opened(incident.blamed(), incident.loop()))
    with desk.deliverer:
        eventually(lambda: desk.counted("alertmanager", "renewed") >= 2)

    assert {r.path for r in receiver.requests} == {"/api/v2/alerts"}
    newest = receiver.requests[-1].json
    assert {a["labels"]["alertname"] for a in newest} == {"AgentImpact", "AgentRepeatedAction"}


def test_alertmanager_hears_of_open_findings_again_after_a_restart(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(alertmanager_url=receiver.url)
    desk = Desk(tmp_path, on_call)
    desk.messages.resume([incident.blamed(), incident.closed(incident.loop())])
    desk.renewing["alertmanager"](CLIENT, NOW)

    (alerts,) = [request.json for request in receiver.requests]
    assert [alert["annotations"]["run"] for alert in alerts] == [incident.RUN]


def test_an_alert_fires_on_while_another_finding_with_its_labels_is_open(
    tmp_path: Path, receiver: Receiver
) -> None:
    other = replace(incident.loop(), finding=replace(incident.loop().finding, run_id="another"))
    desk = Desk(tmp_path, OnCall(alertmanager_url=receiver.url))
    desk.record(opened(incident.loop(), other))
    desk.send()
    desk.record(over(incident.loop()))
    desk.send(incident.at(141))
    desk.record(Report(incident.at(150), closed=(incident.closed(other, 150),)))
    desk.send(incident.at(151))
    ends = [request.json[0]["endsAt"] for request in receiver.requests[-2:]]

    assert ends == ["2026-01-15T12:15:31.000Z", "2026-01-15T12:06:10.000Z"]


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


def test_slack_gets_blocks_and_its_address_is_never_in_an_error(tmp_path: Path) -> None:
    desk = Desk(tmp_path, OnCall(slack_url="http://secret.invalid:1/T000/B000"))
    desk.record(opened(incident.blamed()))
    desk.send()
    ((error,),) = desk.store.select("SELECT error FROM deliveries")

    assert error
    assert "T000" not in error
    assert "secret" not in error


def test_a_slow_receiver_delays_nobody_else(
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
    (delivery,) = desk.messages.tell(opened(incident.blamed()))
    desk.store.record(Report(NOW), [replace(delivery, body='{"version": 99}')], NOW)
    desk.send()

    assert desk.outbox.counts() == {"given_up": 1}


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert http_post.retry_after_s("12") == 12.0
    assert http_post.retry_after_s("999999") == http_post.RETRY_AFTER_MAX_S
    assert http_post.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert http_post.retry_after_s("soon") is None
    assert http_post.retry_after_s(None) is None
