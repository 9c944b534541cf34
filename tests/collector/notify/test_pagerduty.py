"""What PagerDuty is sent, against the limits that it documents."""

from __future__ import annotations

import json

from aftershock_collector.notify import pagerduty
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import STATES, huge_page, impact_page


def test_pagerduty_triggers_acknowledges_and_resolves_under_one_key() -> None:
    events = [pagerduty.event(impact_page(), state, "R0") for state in STATES]

    assert [e["event_action"] for e in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    assert events[0]["payload"]["severity"] == "critical"
    assert events[0]["payload"]["source"] == "sre-bot-app"
    assert events[0]["payload"]["timestamp"] == "2026-01-15T12:03:41.000Z"
    assert "payload" not in events[3]


def test_pagerduty_events_are_within_the_documented_limits() -> None:
    event = pagerduty.event(huge_page(), State.OPENED, "R0")

    assert len(event["payload"]["summary"]) <= 1_024
    assert len(event["dedup_key"]) <= 255
    assert event["payload"]["severity"] in {"critical", "error", "warning", "info"}
    assert len(json.dumps(event).encode()) <= 512_000
