"""What Alertmanager is sent: an alert for each kind of finding."""

from __future__ import annotations

from aftershock_collector.notify import alertmanager
from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import NOW, huge_page, impact_page
from tests.support import incident
from tests.support.desk import page_of


def test_alert_names_are_the_rules_names() -> None:
    kinds = ("repeated_action", "agent_impact", "missing_fact")

    assert [alert_name(kind) for kind in kinds] == [
        "AgentRepeatedAction",
        "AgentImpact",
        "AgentMissingFact",
    ]


def test_alertmanager_gets_an_alert_for_each_kind_with_the_incident_as_a_label() -> None:
    missing, impact = alertmanager.alerts(impact_page(), State.OPENED, incident.at(100))

    assert impact["labels"] == {
        "alertname": "AgentImpact",
        "agent": "sre-bot",
        "incident": "1",
        "kind": "agent_impact",
        "severity": "critical",
        "source": "aftershock",
        "team": "agents",
        "entity": "service/checkout",
    }
    assert missing["labels"]["alertname"] == "AgentMissingFact"
    assert impact["annotations"]["run"] == incident.RUN
    assert impact["annotations"]["runbook_url"].endswith("/runbooks/AgentImpact")
    assert impact["endsAt"] == "2026-01-15T12:14:50.000Z"
    assert impact["generatorURL"] == "http://collector:4318/incidents/1"


def test_a_closed_incident_ends_in_the_past() -> None:
    now_ns = incident.at(150)
    page = page_of(incident.missing_fact(), incident.blamed(), state=State.CLOSED)

    for alert in alertmanager.alerts(page, State.CLOSED, now_ns):
        assert alert["startsAt"] <= alert["endsAt"] < "2026-01-15T12:05:40.000Z"


def test_labels_are_bounded_and_the_same_however_the_incident_grows() -> None:
    small = alertmanager.alerts(page_of(incident.blamed()), State.OPENED, NOW)
    grown = alertmanager.alerts(impact_page(), State.UPDATED, NOW)

    assert small[0]["labels"] in [alert["labels"] for alert in grown]
    for alert in alertmanager.alerts(huge_page(), State.OPENED, NOW):
        assert max(map(len, alert["labels"].values())) <= 200
