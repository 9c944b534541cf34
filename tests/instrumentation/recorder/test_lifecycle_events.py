"""Start events and heartbeats: sent at once, sent again, bounded, and gone with their step."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable

import pytest
from opentelemetry import trace
from opentelemetry._logs import Logger
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import format_span_id

from aftershock import attributes as names
from aftershock.recorder import lifecycle_events
from aftershock.recorder.drop_counters import count_drop, drop_counts
from aftershock.recorder.lifecycle_events import LifecycleEvents
from aftershock.recorder.pending_spans import PENDING, PendingSpans


def lifecycle(
    heartbeat_s: float = 30.0, tick_s: float = 1.0
) -> tuple[LifecycleEvents, InMemoryLogRecordExporter]:
    """Lifecycle events with a log pipeline of their own."""
    memory, logs = InMemoryLogRecordExporter(), LoggerProvider()
    logs.add_log_record_processor(SimpleLogRecordProcessor(memory))
    return LifecycleEvents(
        lambda: logs.get_logger("tests"), heartbeat_s=heartbeat_s, tick_s=tick_s
    ), memory


def span_named(name: str, parent: Span | None = None) -> Span:
    """An open span."""
    context = None if parent is None else trace.set_span_in_context(parent)
    span = (
        TracerProvider()
        .get_tracer("tests")
        .start_span(
            name, context, attributes={names.OPERATION: "execute_tool", names.RUN_ID: "r", "x": "y"}
        )
    )
    assert isinstance(span, Span)
    return span


def begin(events: LifecycleEvents, step: Span) -> Span:
    """A step begins, as span tracking reports it."""
    PENDING.began(step, beats=True)
    events.began(step)
    return step


def eventually(true: Callable[[], bool], timeout_s: float = 3.0) -> bool:
    """Wait for something to become true."""
    limit = time.monotonic() + timeout_s
    while not true() and time.monotonic() < limit:
        time.sleep(0.01)
    return true()


def test_a_start_event_is_sent_at_once_with_the_attributes_so_far() -> None:
    events, memory = lifecycle()
    frame = span_named("frame")
    step = span_named("step", frame)
    events.began(step)

    assert eventually(lambda: bool(memory.get_finished_logs()), 0.5)
    (event,) = [one.log_record for one in memory.get_finished_logs()]
    assert event.event_name == names.EVENT_STARTED
    assert event.span_id == step.get_span_context().span_id
    assert event.timestamp == step.start_time
    attributes = dict(event.attributes or {})
    assert attributes["x"] == "y"
    assert attributes[names.STEP_PARENT] == format_span_id(frame.get_span_context().span_id)


@pytest.mark.parametrize("exported_by_us", [True, False])
def test_a_step_that_has_ended_sends_its_span_and_no_start_event(
    exported_by_us: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PENDING, "exported_by_us", exported_by_us)
    events, memory = lifecycle()
    short, lasting = span_named("short"), span_named("lasting")
    events.began(short)
    events.began(lasting)
    short.end()

    assert eventually(lambda: bool(memory.get_finished_logs()), 0.5)
    events.flush()
    sent = [one.log_record.span_id for one in memory.get_finished_logs()]
    # Where others export the span, nobody here knows when it leaves.
    assert sent == [
        one.get_span_context().span_id
        for one in (short, lasting)
        if one is lasting or not exported_by_us
    ]


def test_an_ended_step_whose_span_is_not_sampled_sends_its_start_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PENDING, "exported_by_us", True)
    events, memory = lifecycle()
    step = TracerProvider(sampler=RecordOnly()).get_tracer("tests").start_span("step")
    assert isinstance(step, Span)
    events.began(step)
    step.end()

    events.flush()
    assert len(memory.get_finished_logs()) == 1


class RecordOnly(Sampler):
    """Spans that are recorded and not exported."""

    def should_sample(self, *_args: object, **_named: object) -> SamplingResult:
        """Record without the flag that exporters look for."""
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        """Its name."""
        return "record only"


def test_a_step_that_lasts_says_so_until_it_ends() -> None:
    events, memory = lifecycle(heartbeat_s=0.1, tick_s=0.02)
    step = begin(events, span_named("step"))

    def beats() -> int:
        kinds = [one.log_record.event_name for one in memory.get_finished_logs()]
        return kinds.count(names.EVENT_HEARTBEAT)

    assert eventually(lambda: beats() >= 2)
    PENDING.ended(step.get_span_context().span_id)
    time.sleep(0.05)
    seen = beats()
    time.sleep(0.3)
    assert beats() == seen
    last = memory.get_finished_logs()[-1].log_record
    assert dict(last.attributes or {}) == {names.OPERATION: "execute_tool", names.RUN_ID: "r"}


def test_an_abandoned_step_is_evicted_without_an_end() -> None:
    events, memory = lifecycle(heartbeat_s=0.05, tick_s=0.02)
    step = span_named("step")
    span_id = step.get_span_context().span_id
    begin(events, step)
    assert eventually(lambda: bool(memory.get_finished_logs()))
    memory.clear()
    del step
    gc.collect()

    assert eventually(lambda: PENDING.get(span_id) is None)


class Abandoned:
    """An object in a circle. When it is collected it ends a step, as an unread stream does."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.itself = self
        self.end = end

    def __del__(self) -> None:
        self.end()


def test_a_step_that_is_collected_while_another_begins_does_not_stop_the_app() -> None:
    events, _ = lifecycle()
    pending = PendingSpans()
    pending.exported_by_us = True
    steps = [span_named(str(number)) for number in range(50)]

    def end() -> None:
        pending.ended(0)
        pending.pop(0)
        count_drop("tests", 0)

    def work() -> None:
        for number, step in enumerate(steps):
            gc.set_threshold(1 + number % 10)  # so that it collects at every place
            Abandoned(end)
            events.began(step)
            Abandoned(end)
            pending.defer(step, dict)
            Abandoned(end)
            pending.began(step, beats=True)
            Abandoned(end)
            pending.reparent(step.get_span_context().span_id, None)
            Abandoned(end)
            pending.live(step.get_span_context().span_id)

    worker = threading.Thread(target=work, daemon=True)
    usual = gc.get_threshold()
    try:
        worker.start()
        worker.join(20)
    finally:
        gc.set_threshold(*usual)
    assert not worker.is_alive()


@pytest.mark.slow
def test_a_thread_without_time_drops_the_oldest_and_counts_it() -> None:
    stuck = threading.Event()
    memory, logs = InMemoryLogRecordExporter(), LoggerProvider()
    logs.add_log_record_processor(SimpleLogRecordProcessor(memory))

    def slow() -> Logger:
        stuck.wait()
        return logs.get_logger("tests")

    events = LifecycleEvents(slow)
    before = drop_counts().get("start_events_waiting", 0)
    steps = [span_named(str(n)) for n in range(lifecycle_events.WAITING_MAX + 100)]
    for step in steps:
        events.began(step)

    assert drop_counts()["start_events_waiting"] - before in (99, 100)
    stuck.set()
    assert eventually(lambda: len(memory.get_finished_logs()) >= lifecycle_events.WAITING_MAX)
