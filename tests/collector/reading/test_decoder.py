"""One decoder: each signal to its part of a batch, and our own failures lose no item."""

from __future__ import annotations

import json
import random

import pytest

from aftershock.model import Step
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import Span, Unreadable
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from tests.support.traffic import EPOCH_NS, healthy_run, log_request, span_request

READERS = Readers.by(EMPTY)
RUN = healthy_run(random.Random(1))


def test_spans_are_paired_with_the_steps_that_they_are_read_as() -> None:
    batch = decode(span_request(RUN.spans), Signal.TRACES, PROTOBUF, READERS, EPOCH_NS)

    assert len(batch.spans) == len(RUN.spans) == batch.count
    assert batch.steps == [step for _, step in batch.spans if step is not None]
    assert batch.steps
    assert batch.durable


def test_log_records_become_events_or_are_passed_over() -> None:
    body = log_request(RUN.started)
    batch = decode(body, Signal.LOGS, PROTOBUF, READERS, EPOCH_NS)
    silent = Readers(READERS.span, lambda _event: None)
    passed = decode(body, Signal.LOGS, PROTOBUF, silent, EPOCH_NS)

    assert len(batch.events) == len(RUN.started)
    assert (passed.events, passed.passed_over) == ([], len(RUN.started))
    assert batch.count == passed.count


def test_alerts_become_changes() -> None:
    alert = {"labels": {"alertname": "Slow", "service": "checkout"}}
    alert |= {"startsAt": "2026-01-01T00:00:00Z"}
    body = json.dumps([alert, {"labels": {}}]).encode()
    batch = decode(body, Signal.ALERTS, "application/json", READERS, EPOCH_NS)

    assert [change.name for change in batch.changes] == ["Slow"]
    assert batch.rejected.total() == 1
    assert batch.count == 2


def test_a_reader_that_fails_is_listed_and_its_item_is_kept() -> None:
    def fail(_: Span) -> Step | None:
        raise RuntimeError("our bug")

    batch = decode(
        span_request(RUN.spans), Signal.TRACES, PROTOBUF, Readers(fail, READERS.event), EPOCH_NS
    )

    assert len(batch.spans) == len(batch.failures) == len(RUN.spans)
    assert batch.steps == []


@pytest.mark.parametrize("signal", Signal)
def test_a_body_of_nothing_known_is_unreadable(signal: Signal) -> None:
    with pytest.raises(Unreadable):
        decode(b"\xff\xff", signal, PROTOBUF, READERS, EPOCH_NS)
