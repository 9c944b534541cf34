"""Who is not paged: acknowledged, snoozed, muted, routed elsewhere, at night, in a storm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aftershock.model import Report
from aftershock_collector.config.on_call import NamedReceiver, OnCall, QuietHours, Route
from aftershock_collector.notify.routing import quiet_ns
from aftershock_collector.store.incidents import Mute, Response, ResponseAction
from aftershock_collector.store.reader import Reader
from tests.collector.notify.claims import S, another, states
from tests.support import incident
from tests.support.desk import NOW, Desk, opened
from tests.support.receiver import Receiver


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


def test_updates_of_a_page_take_no_room_from_another_incidents_page(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=0.0, pages_per_minute_max=4))
    for number in range(4):
        claim = another(f"run-{number}")
        loop = replace(incident.loop().finding, run_id=f"run-{number}")
        cycle = replace(loop, kind="action_cycle", subject="cycle")
        at_ns = NOW + number * 2 * S
        desk.record(opened(claim, at_ns=at_ns))
        desk.send(at_ns)
        for finding in (loop, cycle):
            desk.record(opened(replace(incident.loop(), finding=finding), at_ns=at_ns + S))
            desk.send(at_ns + S)

    sent = [request.json for request in receiver.requests]
    assert [page["incident"] for page in sent if page["state"] == "opened"] == [1, 2, 3, 4]
    assert len(sent) <= 8
    desk.send(NOW + 70 * S)
    assert len(receiver.requests) > len(sent)  # the other updates, a minute later


def test_what_comes_in_a_storm_is_summed_up_a_few_times_a_minute(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, pages_per_minute_max=2))
    for second in range(40):
        desk.record(opened(another(f"run-{second}"), at_ns=NOW + second * S))
        desk.send(NOW + second * S)
    desk.send(NOW + 59 * S)

    pages = [request.json for request in receiver.requests]
    assert [page["kind"] for page in pages[:2]] == ["missing_fact"] * 2
    assert [page["kind"] for page in pages[2:]] == ["summary"] * (len(pages) - 2)
    assert 3 <= len(pages) - 2 <= 5
    assert desk.outbox.counts() == {"delivered": 40}


def test_a_page_in_a_storm_is_overtaken_by_no_older_one_of_less_weight(
    tmp_path: Path, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(webhook_url=receiver.url, wait_s=0.0, pages_per_minute_max=1))
    desk.record(opened(incident.loop()))
    desk.record(opened(another(), at_ns=NOW + S))
    desk.send(NOW + S)

    assert receiver.requests[0].json["kind"] == "missing_fact"
