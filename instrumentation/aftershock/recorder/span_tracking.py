"""Tracking: what happens when a span begins and ends in the agent's process.

Every span inside a run inherits the run's id, the agent's name and the conversation; steps are told
at once; a second span for the same inference is marked, to be left out of the export.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.context import get_current
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id, get_current_span

from aftershock.attributes import (
    AGENT_NAME,
    ARGUMENTS_DIGEST,
    CONVERSATION_ID,
    DECISION_OPERATION,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_TOKENS,
    RESPONSE_MODEL,
    RUN_ID,
    TOOL_NAME,
    WORKFLOW_NAME,
)
from aftershock.policy.policy import describe
from aftershock.recorder import implicit_run
from aftershock.recorder.deferred_attributes import DEFERRED
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.invocation_metrics import (
    EXECUTE_TOOL,
    INFERENCES,
    INVOKE_AGENT,
    Invocations,
)
from aftershock.recorder.settings import policy
from aftershock.recorder.tool_calls import Attributes, describe_tool, take_expected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AttributeValue

    from aftershock.recorder.lifecycle_events import LifecycleEvents

FRAMES = frozenset({INVOKE_AGENT, "invoke_workflow"})
STEPS = FRAMES | INFERENCES | {EXECUTE_TOOL, "retrieval", DECISION_OPERATION}
# What the inner of two spans of one inference may know and the outer one may lack.
WORTH_KEEPING = (INPUT_TOKENS, OUTPUT_TOKENS, RESPONSE_MODEL)
# The official instrumentations' key in the context, before the random part of it.
CONVERSATION_KEY = "opentelemetry.util.genai.conversation_id"
AMENDMENTS_MAX = 10_000  # marks waiting for their span to be exported


class Amendment(NamedTuple):
    """What the export does differently with one span."""

    drop: bool
    parent: SpanContext | None  # the parent to name instead, where that one is dropped


class Amendments:
    """Marks from a span's begin to its export, bounded."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._marks: OrderedDict[int, Amendment] = OrderedDict()

    def add(self, span_id: int, amendment: Amendment) -> None:
        """Remember a mark; the oldest makes room."""
        with self._lock:
            if len(self._marks) >= AMENDMENTS_MAX:
                self._marks.popitem(last=False)
                count_drop("amendments_waiting")
            self._marks[span_id] = amendment

    def peek(self, span_id: int) -> Amendment | None:
        """A span's mark, left in place."""
        return self._marks.get(span_id)

    def take(self, span_id: int) -> Amendment | None:
        """A span's mark, for its export."""
        if not self._marks:
            return None
        with self._lock:
            return self._marks.pop(span_id, None)

    def forget(self) -> None:
        """In a forked child: begin with nothing, and with a lock that nobody holds."""
        self._lock = RLock()
        self._marks.clear()


class Tracking(SpanProcessor):
    """The span processor that stands before the exporting ones."""

    def __init__(self, lifecycle: LifecycleEvents, amendments: Amendments) -> None:
        self._announcer = lifecycle
        self._amendments = amendments
        self._invocations = Invocations()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Inherit, describe, announce."""
        try:
            self._began(span, parent_context)
        except Exception:  # noqa: BLE001 (an exception here would reach the app)
            record_failure("tracking a span's begin")

    def on_end(self, span: ReadableSpan) -> None:
        """Stop watching; let the outer of two spans of one inference keep what the inner knew."""
        try:
            self._ended(span)
        except Exception:  # noqa: BLE001 (an exception here would reach the app)
            record_failure("tracking a span's end")

    def shutdown(self) -> None:
        """Close what is still open, and say what waits."""
        implicit_run.close_all()
        self._announcer.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Say what waits."""
        del timeout_millis
        self._announcer.flush()
        return True

    def _began(self, span: Span, parent_context: Context | None) -> None:
        own = span.attributes or {}
        operation = own.get(OPERATION)
        parent = get_current_span(parent_context)
        above: Mapping[str, AttributeValue] = {}
        if isinstance(parent, Span) and parent.attributes:
            above = parent.attributes
        is_step = operation in STEPS
        run_id = own.get(RUN_ID) or above.get(RUN_ID)
        if run_id is None and not is_step:
            return  # nothing of an agent's
        found: dict[str, AttributeValue] = {}
        if RUN_ID not in own:
            found[RUN_ID] = run_id or new_run_id(span, parent.get_span_context(), operation)
        if operation not in FRAMES:
            inherit_agent(own, above, found)
        if CONVERSATION_ID not in own and (conversation := ambient_conversation(parent_context)):
            found[CONVERSATION_ID] = conversation
        elif CONVERSATION_ID not in own and CONVERSATION_ID in above:
            found[CONVERSATION_ID] = above[CONVERSATION_ID]
        if operation == EXECUTE_TOOL and ARGUMENTS_DIGEST not in own:
            tool = own.get(TOOL_NAME)
            expected = take_expected(tool, span)
            DEFERRED.add(span, by_name(str(tool)) if expected is None else expected.describe)
        span.set_attributes(found)
        dropped = self._amend(span, parent, operation, above.get(OPERATION))
        self._invocations.began(span, parent, left_out=dropped)
        if is_step and not dropped:
            self._announcer.began(span, beats=not implicit_run.opening())

    def _amend(
        self, span: Span, parent: object, operation: object, operation_above: object
    ) -> bool:
        """Mark what the export changes; True where this span is left out."""
        context = span.get_span_context()
        if not isinstance(parent, Span):
            return False
        inherited = self._amendments.peek(parent.get_span_context().span_id)
        parent_left_out = inherited is not None and inherited.drop
        # An inference inside an inference is the same call seen by two instrumentations, and the
        # HTTP request of an inference says nothing that the inference does not.
        request = operation is None and span.kind is SpanKind.CLIENT
        drop = operation_above in INFERENCES and (operation in INFERENCES or request)
        if drop:
            above = inherited.parent if inherited and parent_left_out else None
            self._amendments.add(
                context.span_id, Amendment(True, above or parent.get_span_context())
            )
        elif inherited is not None and parent_left_out:
            self._amendments.add(context.span_id, Amendment(False, inherited.parent))
        return drop

    def _ended(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is None:
            return
        self._announcer.ended(context.span_id)
        self._invocations.ended(span)
        if span.parent is None:
            return
        mark = self._amendments.peek(context.span_id)
        if mark is not None and mark.drop and mark.parent is not None:
            outer = self._announcer.live(mark.parent.span_id)
            own = span.attributes or {}
            known = {} if outer is None else outer.attributes or {}
            if outer is not None and own.get(OPERATION) in INFERENCES:
                missing = {k: own[k] for k in WORTH_KEEPING if k in own and k not in known}
                outer.set_attributes(missing)
        implicit_run.heard(span.parent.span_id, span.end_time)


def by_name(tool: str) -> Callable[[], Attributes]:
    """What can be said of a call whose arguments were not seen."""
    return lambda: describe_tool(describe(policy(), tool, None))


def new_run_id(span: Span, above: SpanContext, operation: object) -> str:
    """The id of a run that begins with this span.

    The trace's id where the trace begins here or came from another process; agents that begin
    inside one trace of something else, such as a web request, are runs of their own.
    """
    context = span.get_span_context()
    assert context is not None
    trace_id = format_trace_id(context.trace_id)
    if not above.is_valid or above.is_remote or operation not in FRAMES:
        return trace_id
    return f"{trace_id}-{format_span_id(context.span_id)}"


def inherit_agent(
    own: Mapping[str, AttributeValue],
    above: Mapping[str, AttributeValue],
    found: dict[str, AttributeValue],
) -> None:
    """A step belongs to the agent, or the named workflow, around it."""
    agent = above.get(AGENT_NAME) or above.get(WORKFLOW_NAME)
    if AGENT_NAME not in own and agent is not None:
        found[AGENT_NAME] = agent


def ambient_conversation(context: Context | None) -> str | None:
    """The conversation that the official instrumentations keep in the context."""
    for key, value in (get_current() if context is None else context).items():
        if key.startswith(CONVERSATION_KEY) and isinstance(value, str):
            return value
    return None
