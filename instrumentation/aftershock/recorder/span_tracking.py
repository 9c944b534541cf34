"""Span tracking: what happens when a span begins and ends in the agent's process.

Each span inside a run inherits the run's id, the agent's name and the conversation. A start event
is sent for each step. A second span of the same inference is left out of the export.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id, get_current_span

from aftershock.attributes import (
    AGENT_NAME,
    ARGUMENTS_DIGEST,
    CACHE_READ_TOKENS,
    CONVERSATION_ID,
    DECISION_OPERATION,
    HAND_OFF_OPERATION,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_TOKENS,
    REASONING_SIZE,
    REASONING_TOKENS,
    RESPONSE_MODEL,
    RUN_ID,
    TOOL_CALL_ID,
    TOOL_NAME,
    USER_ID,
    WORKFLOW_NAME,
)
from aftershock.policy.policy import describe
from aftershock.recorder import hand_offs, implicit_run
from aftershock.recorder.agent_frames import acting_in
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.drop_metric import report_drops
from aftershock.recorder.guarding import learn_span, passing_attributes
from aftershock.recorder.invocation_metrics import (
    EXECUTE_TOOL,
    INFERENCES,
    INVOKE_AGENT,
    INVOKE_WORKFLOW,
    Invocations,
)
from aftershock.recorder.paused_runs import resumed
from aftershock.recorder.pending_spans import PENDING, claim_expected
from aftershock.recorder.requested_calls import REQUESTED
from aftershock.recorder.settings import policy
from aftershock.recorder.span_attributes import attributes_of
from aftershock.recorder.tool_calls import Attributes, describe_tool
from aftershock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span as ApiSpan
    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AttributeValue

    from aftershock.recorder.lifecycle_events import LifecycleEvents

FRAMES = frozenset({INVOKE_AGENT, INVOKE_WORKFLOW})
STARTING_AGENTS = FRAMES | {EXECUTE_TOOL}  # what the frame of an agent may begin inside of
STEPS = FRAMES | INFERENCES | {EXECUTE_TOOL, "retrieval", DECISION_OPERATION, HAND_OFF_OPERATION}
INHERITED = (CONVERSATION_ID, USER_ID)  # besides the run and the agent
# Operation → the attribute whose value follows it in the names of its spans, by the conventions.
NAMED = {EXECUTE_TOOL: TOOL_NAME, INVOKE_AGENT: AGENT_NAME}
# What the inner of two spans of one inference may know and the outer one may lack.
WORTH_KEEPING = (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    RESPONSE_MODEL,
    REASONING_SIZE,
    REASONING_TOKENS,
    CACHE_READ_TOKENS,
)
# The official instrumentations' key in the context, before the random part of it.
CONVERSATION_KEY = "opentelemetry.util.genai.conversation_id"


class SpanTracking(SpanProcessor):
    """The span processor that stands before the exporting ones."""

    def __init__(self, lifecycle: LifecycleEvents) -> None:
        self._lifecycle = lifecycle
        self._invocations = Invocations()
        report_drops(metrics.get_meter("aftershock", VERSION))

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Add what the span inherits, and send its start event."""
        try:
            self._began(span, parent_context)
        except Exception:  # noqa: BLE001 (an exception here would reach the app)
            record_failure("tracking a span's begin")

    def on_end(self, span: ReadableSpan) -> None:
        """End heartbeats; give the outer of two spans of one inference what the inner knew."""
        try:
            self._ended(span)
        except Exception:  # noqa: BLE001 (an exception here would reach the app)
            record_failure("tracking a span's end")

    def shutdown(self) -> None:
        """A provider ends, which need not be the process: queue the events that wait."""
        self._lifecycle.flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send the events that wait."""
        del timeout_millis
        self._lifecycle.flush()
        return True

    def _began(self, span: Span, parent_context: Context | None) -> None:
        own = attributes_of(span)
        if OPERATION not in own and (implied := operation_in_name(span.name)):
            span.set_attributes(implied)
            own |= implied
        operation = own.get(OPERATION)
        parent = get_current_span(parent_context)
        above = attributes_of(parent)
        is_step = operation in STEPS
        run_id = own.get(RUN_ID) or above.get(RUN_ID)
        if run_id is None and not is_step:
            return  # not a span of an agent
        found: dict[str, AttributeValue] = {}
        conversation = own.get(CONVERSATION_ID) or ambient_conversation(parent_context)
        if RUN_ID not in own:
            run_id = run_id or (resumed(conversation) if operation in FRAMES else None)
            found[RUN_ID] = run_id or new_run_id(span, parent.get_span_context(), operation)
        if operation not in FRAMES:
            found |= inherited_agent(own, above, parent)
        if CONVERSATION_ID not in own and conversation is not None:
            found[CONVERSATION_ID] = conversation
        found |= {k: above[k] for k in INHERITED if k in above and k not in own and k not in found}
        if operation == EXECUTE_TOOL and ARGUMENTS_DIGEST not in own:
            tool = own.get(TOOL_NAME)
            expected = claim_expected(tool, span)
            if REQUESTED.waits and (call_id := REQUESTED.has_span({**own, **found})) is not None:
                found[TOOL_CALL_ID] = call_id
            PENDING.defer(span, by_name(str(tool)) if expected is None else expected.describe)
            found |= passing_attributes(str(tool))
        span.set_attributes(found)
        left_out = leave_out_duplicate(span, parent, operation, above.get(OPERATION))
        self._invocations.began(span, parent, operation, left_out=left_out)
        # The far end of a call: its own span is a server's, which is no step of this agent.
        if is_step and not left_out and span.kind not in {SpanKind.SERVER, SpanKind.CONSUMER}:
            PENDING.began(span, beats=not implicit_run.opening())
            self._lifecycle.began(span)
        if operation == INVOKE_AGENT and above.get(OPERATION) in STARTING_AGENTS:
            hand_offs.frame_began(span, parent)

    def _ended(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is None:
            return
        own = attributes_of(span)
        pending = PENDING.get(context.span_id)
        PENDING.ended(context.span_id)
        self._invocations.ended(span)
        learn_span(span, own)
        if own.get(OPERATION) == EXECUTE_TOOL and TOOL_CALL_ID in own:
            REQUESTED.has_span(own)  # its call id came late
        hand_offs.step_ended(span, own)
        if span.parent is None:
            return
        if pending is not None and pending.left_out and pending.parent is not None:
            complete_outer(span, PENDING.live(pending.parent.span_id))
        implicit_run.step_ended(span.parent.span_id, span.end_time)


def operation_in_name(name: str) -> Attributes:
    """What the name of a span says, where its framework sets the attributes later."""
    operation, _, subject = name.partition(" ")
    key = NAMED.get(operation)
    return {OPERATION: operation, key: subject} if key is not None and subject else {}


def leave_out_duplicate(
    span: Span, parent: object, operation: object, operation_above: object
) -> bool:
    """Leave a span out of the export that says nothing which its parent does not say.

    An inference inside an inference is the same call, seen by two instrumentations; the HTTP
    request of an inference is that inference. Spans below one that is left out get its parent.
    """
    if not isinstance(parent, Span):
        return False
    span_id = span.get_span_context().span_id
    above = PENDING.get(parent.get_span_context().span_id)
    adopter = above.parent if above is not None and above.left_out else None
    is_request = operation is None and span.kind is SpanKind.CLIENT
    if operation_above in INFERENCES and (operation in INFERENCES or is_request):
        if above is None:  # it named its operation after it began
            PENDING.began(parent, beats=False)
        PENDING.leave_out(span_id, adopter or parent.get_span_context())
        return True
    if above is not None and above.left_out:
        PENDING.reparent(span_id, adopter)
    return False


def complete_outer(inner: ReadableSpan, outer: Span | None) -> None:
    """Give the outer of two spans of one inference what only the inner one knows."""
    own = attributes_of(inner)
    if outer is None or own.get(OPERATION) not in INFERENCES:
        return
    known = attributes_of(outer)
    outer.set_attributes({k: own[k] for k in WORTH_KEEPING if k in own and k not in known})


def by_name(tool: str) -> Callable[[], Attributes]:
    """Attributes of a call whose arguments were not seen."""
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


def inherited_agent(own: Attributes, above: Attributes, parent: ApiSpan) -> Attributes:
    """A step belongs to the agent that acts in the frame around it, or to the named workflow."""
    if AGENT_NAME in own:
        return {}
    acting = acting_in(parent.get_span_context().span_id)
    agent = acting or above.get(AGENT_NAME) or above.get(WORKFLOW_NAME)
    return {} if agent is None else {AGENT_NAME: agent}


def ambient_conversation(context: Context | None) -> str | None:
    """The conversation that the official instrumentations keep in the context."""
    for key, value in (get_current() if context is None else context).items():
        if key.startswith(CONVERSATION_KEY) and isinstance(value, str):
            return value
    return None
