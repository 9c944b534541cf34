"""Hand-offs: where one agent of a run has given its task to another, a step says so.

Frameworks hand on in three ways. In one frame another agent acts from some turn on
(`agent_frames.py` sees that). Or an agent's frame ends with the call of a tool instead of an
answer, and the frame of another begins in its place. Where a leader is known to give its task away,
whoever begins inside its frame takes over. Agents that answer one after the other, at once, or for
an agent that asked them, hand nothing on.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import set_span_in_context

from aftershock.attributes import AGENT_NAME, HAND_OFF_OPERATION, HAND_OFF_TO, OPERATION
from aftershock.recorder.invocation_metrics import EXECUTE_TOOL, INFERENCES, INVOKE_AGENT
from aftershock.recorder.span_attributes import attributes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, SpanContext
    from opentelemetry.util.types import AttributeValue

REMEMBERED = INFERENCES | {EXECUTE_TOOL, INVOKE_AGENT}
FRAMES_MAX = 2_000  # frames of agents whose newest step is remembered


class Newest(NamedTuple):
    """What ended last inside a frame: a step, or the frame of an agent."""

    operation: str
    agent: str = ""  # of a frame that ended with the call of a tool

    @property
    def ends_with_tool(self) -> bool:
        """Whether it is the call of a tool, and nothing was made of its result yet."""
        return self.operation == EXECUTE_TOOL


_newest: OrderedDict[int, Newest] = OrderedDict()  # span id of a frame → what ended last in it
_passing_on: OrderedDict[int, str] = OrderedDict()  # span id of a frame → who gives its task away
os.register_at_fork(after_in_child=_newest.clear)
os.register_at_fork(after_in_child=_passing_on.clear)


def hand_off(giver: str, taker: str, frame: Span) -> None:
    """Record that an agent has given its task to another, inside the frame of both."""
    context = set_span_in_context(frame)
    attributes = {OPERATION: HAND_OFF_OPERATION, AGENT_NAME: giver, HAND_OFF_TO: taker}
    tracer = trace.get_tracer("aftershock")
    tracer.start_span(f"{HAND_OFF_OPERATION} {taker}", context, attributes=attributes).end()


def will_pass_on(frame: Span, giver: str) -> None:
    """The agent of a frame that has begun gives its task to whichever agent begins inside it."""
    _passing_on[frame.get_span_context().span_id] = giver
    while len(_passing_on) > FRAMES_MAX:
        _passing_on.popitem(last=False)


def frame_began(span: ReadableSpan, parent: Span) -> None:
    """The frame of an agent has begun: it may take over from another one.

    `parent`: the frame around it, or the call of a tool that started it.
    """
    frame_id = parent.get_span_context().span_id
    if attributes_of(parent).get(OPERATION) == EXECUTE_TOOL:
        frame: SpanContext | None = getattr(parent, "parent", None)
        giver = _passing_on.get(frame.span_id) if frame is not None else None
    else:
        before = _newest.pop(frame_id, None)
        giver = _passing_on.get(frame_id) or (before.agent if before is not None else None)
    taker = str((span.attributes or {}).get(AGENT_NAME) or "")
    if giver and taker not in {"", giver}:
        hand_off(giver, taker, parent)


def step_ended(span: ReadableSpan, own: Mapping[str, AttributeValue]) -> None:
    """A step or a frame with these attributes has ended, perhaps inside another frame."""
    context = span.get_span_context()
    assert context is not None
    inside = _newest.pop(context.span_id, None)
    _passing_on.pop(context.span_id, None)
    operation = str(own.get(OPERATION))
    if span.parent is None or operation not in REMEMBERED:
        return
    handed_on = operation == INVOKE_AGENT and inside is not None and inside.ends_with_tool
    agent = str(own.get(AGENT_NAME) or "") if handed_on else ""
    remember(span.parent.span_id, Newest(operation, agent))


def remember(frame_id: int, newest: Newest) -> None:
    """What ended last in a frame."""
    _newest[frame_id] = newest
    _newest.move_to_end(frame_id)
    while len(_newest) > FRAMES_MAX:
        _newest.popitem(last=False)
