"""Receivers that are busy, away, slow or refuse, and a collector that crashed."""

from __future__ import annotations

import socket
from pathlib import Path

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import deliverer
from tests.collector.notify.claims import S, another, states
from tests.support import incident
from tests.support.desk import NOW, Desk, opened, over
from tests.support.receiver import Answer, Receiver, eventually


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
        ("Already over: sre-bot's scale_deployment probably degraded service/checkout (91 %).")
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
    sent = receiver.requests[1].json
    assert sent["title"].startswith("Already over: sre-bot's")
    assert sent["closed_at"] == "2026-01-15T12:04:15.000Z"
    assert sent["revision"] == receiver.requests[0].json["revision"]
    assert not any(section["label"] == "How to stop it" for section in sent["sections"])


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
