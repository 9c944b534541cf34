"""The ingest queue on a real store: an acknowledgement means committed, whatever else fails."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Change, Step
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.read import read
from aftershock_collector.sources.ingest_queue import WORKS_MAX
from aftershock_collector.sources.requests import (
    Accepted,
    Answer,
    Busy,
    Refused,
    Signal,
)
from aftershock_collector.store.reader import Reader
from tests.collector.sources.ingest_desk import (
    PROTOBUF,
    SENDER,
    Desk,
    bodies_of,
    sample_request,
    spans_in,
)
from tests.support.receiver import eventually
from tests.support.traffic import log_request, looping_run, span_request


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    if opened.queue is not None:
        opened.queue.stop()
    opened.store.close()


def test_what_is_acknowledged_is_committed_and_was_handed_on(desk: Desk) -> None:
    (body,) = bodies_of(1)

    assert desk.submit(body) == [Accepted()]
    assert desk.count() == spans_in(body)
    eventually(lambda: len(desk.arrived) == 1)
    assert len(desk.arrived[0].steps) == spans_in(body)
    assert desk.metric("stored_total", signal="spans") == spans_in(body)
    assert desk.metric("queue_bytes") == 0


def test_start_events_samples_and_alerts_go_the_same_way(desk: Desk) -> None:
    run = looping_run(random.Random(1))
    webhook: dict[str, Any] = {
        "version": "4",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "SlowQueries", "datname": "orders"},
                "annotations": {"summary": "p95 is 2 s"},
                "startsAt": "2026-01-15T12:03:10.5Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "f00",
            },
            {"labels": {}},
        ],
    }
    assert desk.submit(log_request(run.started), signal=Signal.LOGS) == [Accepted()]
    assert desk.submit(sample_request(), signal=Signal.METRICS) == [Accepted()]
    (answer,) = desk.submit(json.dumps(webhook).encode(), signal=Signal.ALERTS)

    assert answer == Accepted(1, "alert without a name: 1")
    eventually(lambda: len(desk.arrived) == 3)
    events, samples, alerts = desk.arrived
    assert len(run.started) == len(events.steps) == desk.count("events")
    assert [1.5] == [sample.value for sample in samples.samples]
    (change,) = alerts.changes
    assert ("db/orders", "SlowQueries", None) == (change.entity, change.name, change.ended_at_ns)
    assert change.began_at_ns == 1_768_478_590_500_000_000
    assert desk.count("changes") == 1


def test_what_two_senders_sent_is_consumed_apart_and_under_their_names(desk: Desk) -> None:
    bodies = bodies_of(6)
    queue, held, resume = desk.open(), threading.Event(), threading.Event()
    queue.call(lambda: held.set() or resume.wait(30))  # so that all six bodies share one group
    assert held.wait(30)

    async def submit_all() -> list[Answer]:
        submitted = [
            asyncio.create_task(queue.submit(Signal.TRACES, body, PROTOBUF, sender))
            for body, sender in zip(bodies, "abcabc", strict=True)
        ]
        await asyncio.sleep(0)
        resume.set()
        return await asyncio.gather(*submitted)

    assert asyncio.run(submit_all()) == [Accepted()] * 6
    eventually(lambda: len(desk.arrived) == 3, within_s=30)
    assert [arrived.sender for arrived in desk.arrived] == ["a", "b", "c"]
    assert [len(arrived.steps) for arrived in desk.arrived] == [
        spans_in(bodies[at], bodies[at + 3]) for at in range(3)
    ]


def test_plain_log_lines_are_passed_over_and_counted(desk: Desk) -> None:
    records = looping_run(random.Random(1)).started[:2]
    for record in records:
        record.event_name = ""

    assert desk.submit(log_request(records), signal=Signal.LOGS) == [Accepted()]
    assert desk.count("events") == 0
    assert desk.metric("passed_over_total") == 2


def test_many_that_wait_share_one_commit(desk: Desk) -> None:
    held = threading.Event()

    def linger() -> None:
        held.wait(0.2)

    desk.before_consuming = linger
    bodies = bodies_of(40)
    answers = desk.submit(*bodies)

    assert [Accepted()] * 40 == answers
    assert desk.count() == spans_in(*bodies)
    assert len(desk.arrived) < 10


def test_an_unreadable_body_is_refused_and_its_neighbours_are_kept(desk: Desk) -> None:
    first, second = bodies_of(2)
    answers = desk.submit(first, b"\xff\xff\xff garbage", second)

    assert [Accepted, Refused, Accepted] == [type(answer) for answer in answers]
    assert desk.count() == spans_in(first, second)
    assert desk.metric("rejected_total", signal="traces", reason="unreadable") == 1


def test_an_item_that_is_bad_is_a_partial_success(desk: Desk) -> None:
    run = looping_run(random.Random(1))
    run.spans[1].span_id = b"short"
    (answer,) = desk.submit(span_request(run.spans))

    assert isinstance(answer, Accepted)
    assert answer.rejected == 1
    assert answer.message
    assert desk.count() == len(run.spans) - 1


def test_a_row_that_the_store_refuses_never_loses_the_good_ones(desk: Desk) -> None:
    bodies = bodies_of(3)
    poison = looping_run(random.Random(7))

    def read_badly(span: Span) -> Step | None:
        step = read(span, EMPTY)
        poisoned = span.span_id == poison.spans[2].span_id.hex()
        return replace(step, run_id="\ud800") if step and poisoned else step

    desk.read_span = read_badly
    answers = desk.submit(bodies[0], bodies[1], span_request(poison.spans), bodies[2])

    assert [Accepted(), Accepted(), Accepted(1, "unstorable: 1"), Accepted()] == answers
    assert desk.count() == spans_in(*bodies) + len(poison.spans) - 1


def test_a_reader_that_fails_loses_the_step_and_not_the_span(desk: Desk) -> None:
    def fail(_: Span) -> Step | None:
        raise RuntimeError("our bug")

    desk.read_span = fail
    (body,) = bodies_of(1)

    assert desk.submit(body) == [Accepted()]
    assert desk.count() == spans_in(body)
    assert desk.count("runs") == 0
    assert desk.metric("failures_total", place="read") == spans_in(body)


def test_a_judge_that_fails_does_not_end_the_queue(desk: Desk) -> None:
    def fail() -> None:
        raise RuntimeError("our bug")

    desk.before_consuming = fail
    first, second = bodies_of(2)

    assert desk.submit(first) == [Accepted()]
    assert desk.submit(second) == [Accepted()]
    eventually(lambda: desk.metric("failures_total", place="judge") == 2)
    assert desk.queue is not None
    assert desk.queue.degraded is None


def test_a_full_queue_answers_busy_at_once_and_keeps_what_it_took(desk: Desk) -> None:
    bodies = bodies_of(12)
    desk.config = replace(desk.config, queue_bytes_max=sum(map(len, bodies[:6])))
    answers = desk.submit(*bodies)

    refused = [answer for answer in answers if isinstance(answer, Busy)]
    assert refused
    assert all(answer.full and answer.retry_after_s > 0 for answer in refused)
    kept = [b for b, answer in zip(bodies, answers, strict=True) if answer == Accepted()]
    assert desk.count() == spans_in(*kept)
    assert desk.submit(bodies[-1]) == [Accepted()]


def test_a_full_queue_tells_how_much_it_refused_and_who_held_most(desk: Desk) -> None:
    bodies = bodies_of(12)
    desk.config = replace(desk.config, queue_bytes_max=sum(map(len, bodies[:6])))
    refused = sum(isinstance(answer, Busy) for answer in desk.submit(*bodies))
    assert desk.queue is not None

    assert desk.queue.refused() == (refused, SENDER, 1.0)
    assert desk.queue.refused()[0] == 0


def test_a_full_store_is_reported_and_judged_over_and_recovers_by_itself(desk: Desk) -> None:
    desk.config = replace(desk.config, answer_s=2.0)
    first, *rest = bodies_of(30)
    assert desk.submit(first) == [Accepted()]
    desk.fill()
    began = time.monotonic()
    answers = desk.submit(*rest)
    waited = time.monotonic() - began

    assert [Busy(1.0, "the store cannot write: full")] * len(rest) == answers
    assert waited > 1.9  # it kept them as long as it may
    assert desk.queue is not None
    assert desk.queue.degraded == "the store cannot write: full"
    assert desk.metric("store_writable") == 0
    assert desk.metric("store_errors_total", reason="full") > 0
    judged = {step.span_id for arrived in desk.arrived for step in arrived.steps}
    assert len(judged) == spans_in(first, *rest)
    assert desk.submit(sample_request(), signal=Signal.METRICS) == [Accepted()]

    desk.make_room()
    eventually(lambda: desk.submit(first) == [Accepted()], 10)
    assert desk.submit(*rest) == [Accepted()] * len(rest)
    assert desk.queue.degraded is None
    assert desk.metric("store_writable") == 1
    assert desk.count() == spans_in(first, *rest)
    assert desk.metric("queue_bytes") == 0


def test_what_waits_for_a_lock_is_committed_once_it_is_gone(desk: Desk) -> None:
    first, *rest = bodies_of(5)
    desk.submit(first)
    other = sqlite3.connect(desk.config.store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.5, lambda: other.execute("COMMIT")).start()
    answers = desk.submit(*rest)
    other.close()

    assert [Accepted()] * len(rest) == answers
    assert desk.count() == spans_in(first, *rest)
    steps = sum(len(arrived.steps) for arrived in desk.arrived)
    assert steps == spans_in(first, *rest)  # each judged once, though it was tried several times


def test_stopping_commits_what_waits_and_takes_nothing_new(desk: Desk) -> None:
    bodies = bodies_of(10)
    queue = desk.open()

    async def submit_and_stop() -> list[Answer]:
        submitted = [
            asyncio.create_task(queue.submit(Signal.TRACES, b, PROTOBUF, SENDER)) for b in bodies
        ]
        await asyncio.sleep(0)
        await asyncio.to_thread(queue.stop)
        return [
            *await asyncio.gather(*submitted),
            await queue.submit(Signal.TRACES, b"", PROTOBUF, SENDER),
        ]

    *answers, refused = asyncio.run(submit_and_stop())

    assert [Accepted()] * 10 == answers
    assert refused == Busy(1.0, "the writer is not running")
    assert desk.count() == spans_in(*bodies)


def test_stopping_with_a_full_store_answers_everybody(desk: Desk) -> None:
    first, *rest = bodies_of(10)
    desk.submit(first)
    desk.fill()
    desk.config = replace(desk.config, answer_s=30.0)
    assert desk.queue is not None
    desk.queue.stop()
    queue = desk.open()

    async def submit_and_stop() -> list[Answer]:
        submitted = [
            asyncio.create_task(queue.submit(Signal.TRACES, b, PROTOBUF, SENDER)) for b in rest
        ]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(queue.stop)
        return await asyncio.gather(*submitted)

    assert {Busy} == {type(answer) for answer in asyncio.run(submit_and_stop())}


def test_work_runs_on_the_writers_thread_in_its_turn(desk: Desk) -> None:
    seen: list[str] = []
    queue = desk.open()

    def work() -> None:
        seen.append(threading.current_thread().name)

    def fail() -> None:
        raise RuntimeError("our bug")

    queue.call(fail)
    queue.call(work)
    eventually(lambda: seen == ["aftershock-ingest"])
    assert desk.metric("failures_total", place="ingest") == 1


def test_work_that_piles_up_is_bounded_and_counted(desk: Desk) -> None:
    queue, go = desk.open(), threading.Event()
    done: list[int] = []
    queue.call(lambda: go.wait(5))
    for number in range(WORKS_MAX * 2):
        queue.call(lambda number=number: done.append(number))
    go.set()
    eventually(lambda: len(done) + desk.metric("dropped_total", reason="work_queue_full") >= 512)

    assert WORKS_MAX <= len(done) + 1 <= WORKS_MAX + 2
    assert sorted(done) == done


def test_a_sender_that_went_away_costs_nothing(desk: Desk) -> None:
    (body,) = bodies_of(1)
    queue = desk.open()

    async def cancel() -> None:
        submitting = asyncio.create_task(queue.submit(Signal.TRACES, body, PROTOBUF, SENDER))
        await asyncio.sleep(0)
        submitting.cancel()

    asyncio.run(cancel())
    eventually(lambda: desk.metric("queue_bytes") == 0 and desk.metric("queue_requests") == 0)
    assert desk.submit(body) == [Accepted()]


def test_the_same_run_in_pieces_is_one_run(desk: Desk) -> None:
    run = looping_run(random.Random(3))
    pieces = [span_request(run.spans[at : at + 2]) for at in range(0, len(run.spans), 2)]
    desk.submit(*pieces, *pieces)

    assert desk.count() == len(run.spans)
    assert desk.count("runs") == 1
    assert desk.metric("duplicates_total") == len(run.spans)


@pytest.mark.parametrize("body", [b"{", b"7", b"{}", b'{"alerts": {}}', b"[" * 100_000])
def test_a_webhook_that_is_none_is_refused(desk: Desk, body: bytes) -> None:
    (answer,) = desk.submit(body, signal=Signal.ALERTS)

    assert isinstance(answer, Refused)
    assert not answer.ours


def test_a_resolved_alert_ends_its_change(desk: Desk) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "Down", "instance": "db:5432"},
        "startsAt": "2026-01-15T12:00:00Z",
        "endsAt": "2026-01-15T12:05:00+00:00",
    }
    for status in ("firing", "resolved"):
        desk.submit(
            json.dumps({"alerts": [alert | {"status": status}]}).encode(), signal=Signal.ALERTS
        )

    with Reader.open(desk.config.store) as reader:
        (change,) = reader.changes(0, 2**62)
    assert isinstance(change, Change)
    assert change.entity == "address/db:5432"
    assert change.ended_at_ns == change.began_at_ns + 300 * 10**9
