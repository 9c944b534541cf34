"""Invocations: how often an agent asked its model and its tools, as OpenTelemetry's GenAI metrics.

`gen_ai.invoke_agent.inference_calls` and `.tool_calls`: one point for each invocation when it ends,
zero included, failed calls too. Calls of an agent inside an agent are the inner one's. They go to
the app's own MeterProvider; where there is none, nothing is kept.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context

from aftershock.attributes import AGENT_NAME, INFERENCE_CALLS, TOOL_CALLS
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

INVOKE_AGENT = "invoke_agent"
INVOKE_WORKFLOW = "invoke_workflow"
EXECUTE_TOOL = "execute_tool"
INFERENCES = frozenset({"chat", "text_completion", "generate_content"})
BOUNDARIES = (1, 2, 4, 8, 16, 32, 64, 128)  # the conventions' own
OPEN_MAX = 10_000  # invocations that have not ended
# Scopes of frameworks that record these metrics themselves: google-adk.
NATIVE = frozenset({"gcp.vertex.agent"})
NOWHERE = Context()


class Tally:
    """What one invocation has asked for so far."""

    __slots__ = ("inferences", "tools")

    def __init__(self) -> None:
        self.inferences = 0
        self.tools = 0


class Invocations:
    """Counts the calls of every open invocation. Bounded; safe for threads and forks."""

    def __init__(self) -> None:
        meter = metrics.get_meter("aftershock", VERSION)
        self._inference_calls = meter.create_histogram(
            INFERENCE_CALLS,
            unit="{inference_call}",
            description="Calls of a model that an agent makes during one invocation.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        self._tool_calls = meter.create_histogram(
            TOOL_CALLS,
            unit="{tool_call}",
            description="Calls of tools that an agent makes during one invocation.",
            explicit_bucket_boundaries_advisory=BOUNDARIES,
        )
        self._fresh()
        os.register_at_fork(after_in_child=self._fresh)

    def _fresh(self) -> None:
        """Begin with nothing: what is open in the parent process is the parent's to count."""
        self._lock = RLock()  # collecting garbage may end an abandoned span in the middle of it
        self._open: OrderedDict[int, Tally] = OrderedDict()
        # The invocation that a live span is part of; spans that no code holds are forgotten.
        self._of: WeakKeyDictionary[Span, Tally] = WeakKeyDictionary()

    def began(self, span: Span, parent: object, operation: object, *, left_out: bool) -> None:
        """A span of a run has begun. `left_out`: a second span of what its parent is."""
        with self._lock:
            tally = self._of.get(parent) if isinstance(parent, Span) else None
            if operation == INVOKE_AGENT and span.kind is not SpanKind.CLIENT:
                tally = self._opened(span)
            elif tally is not None and not left_out:
                tally.inferences += operation in INFERENCES
                # The far end of an MCP call in this process is no second call.
                tally.tools += operation == EXECUTE_TOOL and span.kind is not SpanKind.SERVER
            if tally is not None:
                self._of[span] = tally

    def _opened(self, span: Span) -> Tally:
        if len(self._open) >= OPEN_MAX:
            self._open.popitem(last=False)
            count_drop("invocations_open")
        tally = self._open[span.get_span_context().span_id] = Tally()
        return tally

    def ended(self, span: ReadableSpan) -> None:
        """A span has ended: of an invocation, say how much it asked for. Raises nothing."""
        context = span.get_span_context()
        if context is None:
            return
        with self._lock:
            tally = self._open.pop(context.span_id, None)
        if tally is None or getattr(span.instrumentation_scope, "name", None) in NATIVE:
            return
        agent = (span.attributes or {}).get(AGENT_NAME)
        labels = {} if agent is None else {AGENT_NAME: agent}
        try:
            # The trace rides along as an exemplar.
            where = set_span_in_context(NonRecordingSpan(context), NOWHERE)
            self._inference_calls.record(tally.inferences, labels, where)
            self._tool_calls.record(tally.tools, labels, where)
        except Exception:  # noqa: BLE001 (ours, or a view of the app's)
            record_failure("recording metrics of an invocation")
