"""Real OpenTelemetry SDKs that send to a collector under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aftershock import attributes as names


def recorded_spans(
    count: int, run_id: str = "run-1", more: Mapping[str, str] | None = None
) -> Sequence[ReadableSpan]:
    """Finished spans of tool calls, as an SDK records them; `more` attributes for each."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({names.SERVICE_NAME: "sender"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests.otlp_sender")
    for number in range(count):
        attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: "search",
            names.TOOL_ARGUMENTS: f'{{"q": {number}}}',
            names.RUN_ID: run_id,
            **(more or {}),
        }
        with tracer.start_as_current_span("execute_tool search", attributes=attributes):
            pass
    return exporter.get_finished_spans()
