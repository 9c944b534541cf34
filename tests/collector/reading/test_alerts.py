"""Alertmanager's webhook → Changes, whatever the labels and whatever the body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import ChangeKind
from aftershock_collector.otlp.wire import Unreadable
from aftershock_collector.reading.alerts import ALERTS_MAX, change_of_alert, changes_of_alerts

STARTED = "2026-01-15T12:03:10.123456789Z"
NOW = 1_768_478_700_000_000_000  # 12:05:00


def alert(**labels: str) -> dict[str, Any]:
    return {"status": "firing", "labels": {"alertname": "A"} | labels, "startsAt": STARTED}


def entity(**labels: str) -> str:
    (change,) = changes_of_alerts(json.dumps({"alerts": [alert(**labels)]}).encode(), NOW).items
    return change.entity


def test_an_alert_is_about_what_its_labels_name() -> None:
    assert entity(datname="orders", job="postgres") == "db/orders"
    assert entity(namespace="prod", deployment="checkout") == "k8s/prod/checkout"
    assert entity(job="checkout", instance="10.0.0.1:80") == "service/checkout"
    assert entity(node="worker-1") == "host/worker-1"
    assert entity(instance="10.0.0.1:80") == "address/10.0.0.1:80"
    assert entity(**{"service.name": "checkout"}) == "service/checkout"
    assert entity(severity="page") == "alert/A"


def test_the_same_alert_keeps_its_id_and_a_new_firing_gets_another() -> None:
    first = change_of_alert(alert(), NOW)
    again = change_of_alert(alert() | {"status": "resolved", "fingerprint": "9f"}, NOW)
    later = change_of_alert(alert() | {"startsAt": "2026-01-15T13:00:00+01:00"}, NOW)

    assert not isinstance(first, str)
    assert not isinstance(again, str)
    assert not isinstance(later, str)
    assert first.id == again.id != later.id
    assert ChangeKind.ALERT is first.kind
    assert first.began_at_ns == 1_768_478_590_123_456_000
    assert later.began_at_ns == 1_768_478_400_000_000_000


def test_prometheus_own_list_is_read_and_an_end_to_come_is_none() -> None:
    posted = {key: value for key, value in alert(entity="db/orders").items() if key != "status"}
    fires = posted | {"endsAt": "2026-01-15T12:09:00Z"}
    over = posted | {"endsAt": "2026-01-15T12:04:00Z"}

    first, last = changes_of_alerts(json.dumps([fires, over]).encode(), NOW).items

    assert ("db/orders", None) == (first.entity, first.ended_at_ns)
    assert first.id == last.id
    assert last.ended_at_ns == NOW - 60_000_000_000


def test_a_resolved_alert_never_ends_before_it_began() -> None:
    ended = change_of_alert(alert() | {"status": "resolved", "endsAt": "2026-01-15T12:00:00Z"}, NOW)

    assert not isinstance(ended, str)
    assert ended.ended_at_ns == ended.began_at_ns


def test_texts_are_bounded_and_so_is_their_number() -> None:
    long = alert(alertname="n" * 9_000) | {"annotations": {"description": "d" * 9_000}}
    decoded = changes_of_alerts(json.dumps({"alerts": [long] * (ALERTS_MAX + 3)}).encode(), NOW)

    assert len(decoded.items) == ALERTS_MAX
    assert decoded.rejected == {"too many alerts": 3}
    assert len(decoded.items[0].name) < 1_000
    assert len(decoded.items[0].detail) < 1_000


@pytest.mark.parametrize(
    "started", [None, "", "yesterday", "0001-01-01T00:00:00Z", 5, "2026-01-15"]
)
def test_an_alert_without_a_moment_is_rejected_and_counted(started: Any) -> None:
    body = json.dumps({"alerts": [alert() | {"startsAt": started}, alert()]}).encode()
    decoded = changes_of_alerts(body, NOW)

    assert len(decoded.items) == 1
    assert decoded.rejected == {"alert without a start": 1}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=10,
)
alerts = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["firing", "resolved"]) | anything,
        "labels": st.dictionaries(st.sampled_from(["alertname", "job", "pod", "db"]), anything),
        "annotations": anything,
        "startsAt": st.just(STARTED) | anything,
        "endsAt": st.just(STARTED) | anything,
        "fingerprint": anything,
    },
)


@given(st.lists(alerts | anything, max_size=5))
def test_every_alert_is_taken_or_rejected_and_nothing_raises(given_alerts: list[Any]) -> None:
    decoded = changes_of_alerts(json.dumps({"alerts": given_alerts}).encode(), NOW)

    assert len(decoded.items) + decoded.rejected.total() == len(given_alerts)


@given(st.binary(max_size=50) | anything.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_body_is_it_is_read_or_refused(body: bytes) -> None:
    try:
        decoded = changes_of_alerts(body, NOW)
    except Unreadable:
        return
    assert decoded.items == []


def test_our_own_findings_do_not_come_back_as_evidence() -> None:
    body = json.dumps({"alerts": [alert(source="aftershock"), alert()]}).encode()
    decoded = changes_of_alerts(body, NOW)

    assert 1 == len(decoded.items)
    assert {"alert of our own": 1} == decoded.rejected
