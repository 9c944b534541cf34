"""Start events and heartbeats: told at once, told again, bounded, and gone with their step."""

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
from opentelemetry.trace import format_span_id

from aftershock import attributes as names
from aftershock.recorder import lifecycle_events
from aftershock.recorder.deferred_attributes import DEFERRED
from aftershock.recorder.drop_counters import count_drop, drop_counts
from aftershock.recorder.lifecycle_events import LifecycleEvents
from aftershock.recorder.span_tracking import Amendment, Amendments


def lifecycle(
    heartbeat_s: float = 30.0, tick_s: float = 1.0
) -> tuple[LifecycleEvents, InMemoryLogRecordExporter]:
    """An announcer with a log pipeline of its own."""
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


def eventually(true: Callable[[], bool], timeout_s: float = 3.0) -> bool:
    """Wait for something to become true."""
    limit = time.monotonic() + timeout_s
    while not true() and time.monotonic() < limit:
        time.sleep(0.01)
    return true()


def test_a_step_is_told_at_once_with_what_is_known_of_it() -> None:
    said, memory = lifecycle()
    frame = span_named("frame")
    step = span_named("step", frame)
    said.began(step)

    assert eventually(lambda: bool(memory.get_finished_logs()), 0.5)
    (event,) = [one.log_record for one in memory.get_finished_logs()]
    assert event.event_name == names.EVENT_STARTED
    assert event.span_id == step.get_span_context().span_id
    assert event.timestamp == step.start_time
    attributes = dict(event.attributes or {})
    assert attributes["x"] == "y"
    assert attributes[names.STEP_PARENT] == format_span_id(frame.get_span_context().span_id)


def test_a_step_that_lasts_says_so_until_it_ends() -> None:
    said, memory = lifecycle(heartbeat_s=0.1, tick_s=0.02)
    step = span_named("step")
    said.began(step)

    def beats() -> int:
        kinds = [one.log_record.event_name for one in memory.get_finished_logs()]
        return kinds.count(names.EVENT_HEARTBEAT)

    assert eventually(lambda: beats() >= 2)
    said.ended(step.get_span_context().span_id)
    time.sleep(0.05)
    seen = beats()
    time.sleep(0.3)
    assert beats() == seen
    last = memory.get_finished_logs()[-1].log_record
    assert dict(last.attributes or {}) == {names.OPERATION: "execute_tool", names.RUN_ID: "r"}


def test_an_abandoned_step_is_forgotten_without_an_end() -> None:
    said, memory = lifecycle(heartbeat_s=0.05, tick_s=0.02)
    step = span_named("step")
    span_id = step.get_span_context().span_id
    said.began(step)
    assert eventually(lambda: bool(memory.get_finished_logs()))
    memory.clear()
    del step
    gc.collect()

    assert eventually(lambda: said.live(span_id) is None)


class Abandoned:
    """What only the garbage collector frees; freed, it ends a step, as a stream left unread does."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.itself = self
        self.end = end

    def __del__(self) -> None:
        self.end()


def test_a_step_that_is_collected_amid_an_announcement_does_not_stop_the_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DEFERRED, "enabled", True)
    said, _ = lifecycle()
    amended = Amendments()
    steps = [span_named(str(number)) for number in range(50)]

    def end() -> None:
        said.ended(0)
        amended.take(0)
        DEFERRED.take(0)
        count_drop("tests", 0)

    def work() -> None:
        for number, step in enumerate(steps):
            gc.set_threshold(1 + number % 10)  # so that it collects at every place
            Abandoned(end)
            said.began(step)
            Abandoned(end)
            DEFERRED.add(step, dict)
            Abandoned(end)
            amended.add(step.get_span_context().span_id, Amendment(False, None))
            Abandoned(end)
            said.live(step.get_span_context().span_id)

    worker = threading.Thread(target=work, daemon=True)
    usual = gc.get_threshold()
    try:
        worker.start()
        worker.join(20)
    finally:
        gc.set_threshold(*usual)
    assert not worker.is_alive()


def test_a_starved_announcer_drops_the_oldest_and_counts_it() -> None:
    stuck = threading.Event()
    memory, logs = InMemoryLogRecordExporter(), LoggerProvider()
    logs.add_log_record_processor(SimpleLogRecordProcessor(memory))

    def slow() -> Logger:
        stuck.wait()
        return logs.get_logger("tests")

    said = LifecycleEvents(slow)
    before = drop_counts().get("start_events_waiting", 0)
    steps = [span_named(str(n)) for n in range(lifecycle_events.WAITING_MAX + 100)]
    for step in steps:
        said.began(step)

    assert drop_counts()["start_events_waiting"] - before in (99, 100)
    stuck.set()
    assert eventually(lambda: len(memory.get_finished_logs()) >= lifecycle_events.WAITING_MAX)
