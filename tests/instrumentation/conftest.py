"""One recording pipeline for the tests that run in this process: everything real but the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aftershock.recorder import guarding, implicit_run, settings
from aftershock.recorder.delivery import Outage, SanitizingLogExporter, SanitizingSpanExporter
from aftershock.recorder.lifecycle_events import LifecycleEvents
from aftershock.recorder.pending_spans import PENDING
from aftershock.recorder.span_tracking import SpanTracking


def own(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})


@dataclass
class Recorder:
    """The pipeline, and what came out of it."""

    lifecycle: LifecycleEvents
    span_memory: InMemorySpanExporter
    log_memory: InMemoryLogRecordExporter

    @property
    def spans(self) -> list[ReadableSpan]:
        """Spans exported so far, in the order of their ends."""
        return list(self.span_memory.get_finished_spans())

    @property
    def events(self) -> list[ReadableLogRecord]:
        """Log events exported so far."""
        self.lifecycle.flush()
        return list(self.log_memory.get_finished_logs())

    def clear(self) -> None:
        """Forget what came out."""
        self.lifecycle.flush()
        self.span_memory.clear()
        self.log_memory.clear()

    def span(self, name: str) -> ReadableSpan:
        """The only exported span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


@pytest.fixture(scope="session")
def pipeline() -> Recorder:
    """The process's providers: OpenTelemetry allows them to be set once."""
    outage = Outage()
    resource = Resource.create({"service.name": "tests"})
    spans, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    span_memory, log_memory = InMemorySpanExporter(), InMemoryLogRecordExporter()
    lifecycle = LifecycleEvents(lambda: logs.get_logger("aftershock"))
    spans.add_span_processor(SpanTracking(lifecycle))
    sanitize_spans = SanitizingSpanExporter([(lambda: span_memory, outage)])
    spans.add_span_processor(SimpleSpanProcessor(sanitize_spans))
    sanitize_logs = SanitizingLogExporter([(lambda: log_memory, outage)])
    logs.add_log_record_processor(SimpleLogRecordProcessor(sanitize_logs))
    PENDING.exported_by_us = True
    trace.set_tracer_provider(spans)
    _logs.set_logger_provider(logs)
    return Recorder(lifecycle, span_memory, log_memory)


@pytest.fixture
def recorder(pipeline: Recorder) -> Iterator[Recorder]:
    """The pipeline, empty, and with the promise that no span is left current."""
    implicit_run.end()  # a bare loop that another test left without its last answer
    pipeline.clear()
    assert not trace.get_current_span().get_span_context().is_valid
    yield pipeline
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Write the policy of this process, which finds no collector."""
    monkeypatch.setenv("AFTERSHOCK_COLLECTOR", "http://127.0.0.1:9")  # none listens there
    monkeypatch.setenv("AFTERSHOCK_POLICY", str(tmp_path / "aftershock.yaml"))

    def write(text: str) -> None:
        (tmp_path / "aftershock.yaml").write_text(text)
        settings.policy.cache_clear()
        guarding.forget()

    yield write
    settings.policy.cache_clear()
    guarding.forget()
