"""What Opsgenie is sent, against the limits that it documents."""

from __future__ import annotations

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import opsgenie
from tests.collector.notify.pages import STATES, huge_page, impact_page, one, send
from tests.support.receiver import Answer, Receiver


def test_opsgenie_alerts_are_within_the_documented_limits() -> None:
    alert = opsgenie.alert(huge_page())

    assert len(alert["message"]) <= 130
    assert len(alert["alias"]) <= 512
    assert len(alert["description"]) <= 15_000
    assert len(alert["tags"]) <= 20
    assert max(len(tag) for tag in alert["tags"]) <= 50
    assert len(alert["entity"]) <= 512
    assert sum(len(k) + len(v) for k, v in alert["details"].items()) <= 8_000
    assert alert["priority"] == "P1"


def test_opsgenie_is_told_by_alias_and_forgives_an_alert_that_is_gone(receiver: Receiver) -> None:
    receiver.answers.extend([Answer(), Answer(), Answer(), Answer(404)])
    service = one(OnCall(opsgenie_api_key="key", opsgenie_url=receiver.url))
    for state in STATES:
        send(service, impact_page(), state)
    key = impact_page().key

    assert [request.path.partition("?")[0] for request in receiver.requests] == [
        "/v2/alerts",
        f"/v2/alerts/{key}/notes",
        f"/v2/alerts/{key}/acknowledge",
        f"/v2/alerts/{key}/close",
    ]
    assert {r.headers["Authorization"] for r in receiver.requests} == {"GenieKey key"}
