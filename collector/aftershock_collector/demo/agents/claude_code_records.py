"""Spans and log events with the names, keys and types that Claude Code sends (version 2.1.332).

Of its attributes only those are sent that somebody reads. A test compares them with recorded ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aftershock.attributes import TOOL_CALL_ID

SERVICE, VERSION = "claude-code", "2.1.332"
TRACING, EVENTS = "com.anthropic.claude_code.tracing", "com.anthropic.claude_code.events"
PREFIX = "claude_code."
EXPORT_EVERY_MS = 1_000  # its default for log events is five seconds; a demo has less time

Attributes = dict[str, Any]


class Records:
    """What one session sends to an OTLP/HTTP receiver, from one thread."""

    def __init__(self, endpoint: str, session: str) -> None:
        self.session = session
        resource = Resource({"service.name": SERVICE, "service.version": VERSION})
        self._spans = TracerProvider(resource=resource)
        self._spans.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(f"{endpoint}/v1/traces"), schedule_delay_millis=EXPORT_EVERY_MS
            )
        )
        self._events = LoggerProvider(resource=resource)
        self._events.add_log_record_processor(
            BatchLogRecordProcessor(
                OTLPLogExporter(f"{endpoint}/v1/logs"), schedule_delay_millis=EXPORT_EVERY_MS
            )
        )
        self._tracer = self._spans.get_tracer(TRACING, "1.0.0")
        self._logger = self._events.get_logger(EVENTS, VERSION)
        self._sent = 0

    @contextmanager
    def span(self, kind: str, agent: str | None, own: Mapping[str, Any]) -> Generator[Span]:
        """One span, current while inside. `agent`: the id of the sub-agent whose it is."""
        began_s = time.monotonic()
        attributes = {"span.type": kind, **self._common(agent), **own}
        with self._tracer.start_as_current_span(f"{PREFIX}{kind}", attributes=attributes) as span:
            yield span
            name = "interaction.duration_ms" if kind == "interaction" else "duration_ms"
            span.set_attribute(name, milliseconds_since(began_s))

    def event(self, name: str, agent: str | None, own: Mapping[str, Any]) -> None:
        """One log event, in the span that is current."""
        attributes = {
            "event.name": name,
            "event.sequence": self._sent,
            **self._common(agent),
            **own,
        }
        self._sent += 1
        self._logger.emit(timestamp=time.time_ns(), body=f"{PREFIX}{name}", attributes=attributes)

    def close(self) -> None:
        """Send what waits."""
        self._spans.shutdown()
        self._events.shutdown()

    def _common(self, agent: str | None) -> Attributes:
        return {"session.id": self.session} | ({} if agent is None else {"agent_id": agent})


def milliseconds_since(began_s: float) -> int:
    """Since a moment of the monotonic clock."""
    return round(1_000 * (time.monotonic() - began_s))


def request_of(request_id: str, model: str, used: tuple[int, int], began_s: float) -> Attributes:
    """What the span and the event of one request to the model both have."""
    return {
        "model": model,
        "request_id": request_id,
        "input_tokens": used[0],
        "output_tokens": used[1],
        "cache_read_tokens": 0,
        "cache_creation_tokens": 0,
        "duration_ms": milliseconds_since(began_s),
    }


def call_in_span(tool: str, call_id: str, arguments: Mapping[str, Any]) -> Attributes:
    """A tool call, as its span describes it (`OTEL_LOG_TOOL_DETAILS=1`)."""
    command = {"full_command": arguments["command"]} if tool == "Bash" else {}
    return {"tool_name": tool, "tool_use_id": call_id, TOOL_CALL_ID: call_id, **command}


def call_in_event(tool: str, call_id: str, arguments: Mapping[str, Any]) -> Attributes:
    """The same as events describe it."""
    shell = {"full_command": arguments["command"]} if tool == "Bash" else None
    parameters = {} if shell is None else {"tool_parameters": json.dumps(shell)}
    return {"tool_name": tool, "tool_use_id": call_id, **parameters}


def traceparent() -> str:
    """The current span, as Claude Code names it to the commands that it runs."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
