"""One incident is one page: opened, updated and closed, over real HTTP."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from aftershock.model import Level, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import deliverer, http_post
from tests.collector.notify.claims import S, later, states
from tests.support import incident
from tests.support.desk import LINK, NOW, Desk, opened, over, updated
from tests.support.receiver import Receiver, eventually


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
