"""Requested calls: tool calls of a loop whose framework makes no span for them.

A bare loop over a model's API runs its tools itself. What is known of them stands in the messages:
an answer requests a call, and the next request carries its result under the same call id. From both
a tool span is made afterwards: it begins when the request was answered and ends when its result was
sent. It gives way to a real span of the same call.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from aftershock.attributes import (
    AGENT_NAME,
    CONVERSATION_ID,
    OPERATION,
    RUN_ID,
    TOOL_ARGUMENTS,
    TOOL_CALL_ID,
    TOOL_NAME,
    TOOL_RESULT,
)
from aftershock.recorder.drop_counters import count_drop
from aftershock.recorder.invocation_metrics import EXECUTE_TOOL
from aftershock.recorder.pending_spans import EXPECTED, PENDING, ExpectedCall
from aftershock.recorder.settings import captures_content, policy
from aftershock.recorder.tool_calls import describe_call, plain, set_result
from aftershock.recorder.tool_decorator import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.trace import SpanContext

REQUESTS_MAX = 2_000  # calls that are requested and not answered yet
ANSWERS = "tool_call_response"

tracer = trace.get_tracer("aftershock")


class Requested(NamedTuple):
    """A call that a model has requested, and where it belongs."""

    tool: str
    call_id: str
    arguments: Any
    requested_at_ns: int
    parent: SpanContext | None
    inherited: dict[str, Any]  # run, agent and conversation of the inference


class RequestedCalls:
    """Calls that were requested and that no span stands for yet. Bounded; safe for threads."""

    def __init__(self) -> None:
        self.clear()
        os.register_at_fork(after_in_child=self.clear)

    def clear(self) -> None:
        """Begin with nothing: what was requested in the parent process is recorded there."""
        self._lock = RLock()
        self._waiting: OrderedDict[tuple[Any, str], Requested] = OrderedDict()

    @property
    def waits(self) -> bool:
        """True where a requested call has no span yet."""
        return bool(self._waiting)

    def add(self, span: Any, parts: Iterable[Any]) -> None:
        """Remember the calls that the answer of an inference requests."""
        own: Mapping[str, Any] = span.attributes or {}
        keys = (RUN_ID, AGENT_NAME, CONVERSATION_ID)
        inherited = {key: own[key] for key in keys if key in own}
        for part in parts:
            call_id = getattr(part, "id", None)
            if not isinstance(call_id, str) or not call_id:
                continue
            call = Requested(
                str(part.name),
                call_id,
                plain(part.arguments),
                time.time_ns(),
                span.parent,
                inherited,
            )
            with self._lock:
                if len(self._waiting) >= REQUESTS_MAX:
                    self._waiting.popitem(last=False)
                    count_drop("requested_calls_waiting")
                self._waiting[own.get(RUN_ID), call_id] = call

    def has_span(self, own: Mapping[str, Any]) -> str | None:
        """A real span of a tool call has begun or ended: its request needs no span of ours.

        Returns the id of that request.
        """
        if not self._waiting:
            return None
        run_id, call_id, tool = own.get(RUN_ID), own.get(TOOL_CALL_ID), own.get(TOOL_NAME)
        with self._lock:
            if self._waiting.pop((run_id, str(call_id)), None) is not None or call_id is not None:
                return None if call_id is None else str(call_id)
            for key, call in self._waiting.items():
                if key[0] == run_id and same_tool(call.tool, str(tool)):
                    del self._waiting[key]
                    return call.call_id
        return None

    def id_of(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """The id of the request for a call that is being made; None where several may be meant.

        The oldest of one run, of those with its arguments where there are such.
        """
        with self._lock:
            found = [
                (key[0], call) for key, call in self._waiting.items() if same_tool(call.tool, tool)
            ]
        exact = [(run_id, call) for run_id, call in found if call.arguments == arguments]
        found = exact or found
        return found[0][1].call_id if len({run_id for run_id, _ in found}) == 1 else None

    def answered(self, span: Any, messages: Iterable[Any]) -> None:
        """Make the spans of calls whose results stand in the messages of an inference."""
        if not self._waiting:
            return
        own: Mapping[str, Any] = span.attributes or {}
        run_id = own.get(RUN_ID)
        for part in results_in(messages):
            with self._lock:
                call = self._waiting.pop((run_id, str(getattr(part, "id", None))), None)
            if call is not None:
                make_span(call, getattr(part, "response", None), span.start_time)


def results_in(messages: Iterable[Any]) -> list[Any]:
    """The parts of messages that are results of calls."""
    return [
        part
        for message in messages
        for part in getattr(message, "parts", ())
        if getattr(part, "type", None) == ANSWERS
    ]


def same_tool(one: str, other: str) -> bool:
    """True for one tool by two names: frameworks put a namespace before it."""
    return (
        one == other
        or one.endswith((f"__{other}", f".{other}"))
        or other.endswith((f"__{one}", f".{one}"))
    )


def make_span(call: Requested, result: Any, ended_at_ns: int) -> None:
    """The span of a call, from its request to the request that carries its result."""
    parent: Any = None
    if call.parent is not None:
        parent = PENDING.live(call.parent.span_id) or NonRecordingSpan(call.parent)
    context = Context() if parent is None else set_span_in_context(parent, Context())
    found = {
        OPERATION: EXECUTE_TOOL,
        TOOL_NAME: call.tool,
        TOOL_CALL_ID: call.call_id,
        **call.inherited,
    }
    if captures_content():
        found |= {TOOL_ARGUMENTS: as_text(call.arguments), TOOL_RESULT: as_text(plain(result))}
    expected = ExpectedCall(call.tool, lambda: describe_call(call.tool, call.arguments, policy()))
    token = EXPECTED.set(expected)
    try:
        span = tracer.start_span(
            f"execute_tool {call.tool}",
            context,
            attributes=found,
            start_time=min(call.requested_at_ns, ended_at_ns),
        )
    finally:
        EXPECTED.reset(token)
    if expected.span is None:  # a provider without our tracking
        PENDING.defer(span, expected.describe)
    set_result(span, result)
    span.end(ended_at_ns)


REQUESTED = RequestedCalls()  # one for the process, like the spans that they become
