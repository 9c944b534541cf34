"""Hand-offs: where one agent of a run has given its task to another, a step says so.

Frameworks hand on in two ways. In one frame another agent acts from some turn on
(`agent_frames.py` sees that). Or an agent's frame ends with the call of a tool instead of an
answer, and the frame of another begins in its place. Agents that answer one after the other, at
once, or for an agent that asked them, hand nothing on.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import set_span_in_context

from aftershock.attributes import AGENT_NAME, HAND_OFF_OPERATION, HAND_OFF_TO, OPERATION
from aftershock.recorder.invocation_metrics import EXECUTE_TOOL, INFERENCES, INVOKE_AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span
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
os.register_at_fork(after_in_child=_newest.clear)


def hand_off(giver: str, taker: str, frame: Span) -> None:
    """Record that an agent has given its task to another, inside the frame of both."""
    context = set_span_in_context(frame)
    attributes = {OPERATION: HAND_OFF_OPERATION, AGENT_NAME: giver, HAND_OFF_TO: taker}
    tracer = trace.get_tracer("aftershock")
    tracer.start_span(f"{HAND_OFF_OPERATION} {taker}", context, attributes=attributes).end()


def frame_began(span: ReadableSpan, parent: Span) -> None:
    """The frame of an agent has begun: it may take over from the one that ended before it."""
    taker = str((span.attributes or {}).get(AGENT_NAME) or "")
    before = _newest.pop(parent.get_span_context().span_id, None)
    if before is not None and before.agent and taker not in {"", before.agent}:
        hand_off(before.agent, taker, parent)


def step_ended(span: ReadableSpan, own: Mapping[str, AttributeValue]) -> None:
    """A step or a frame with these attributes has ended, perhaps inside another frame."""
    context = span.get_span_context()
    assert context is not None
    inside = _newest.pop(context.span_id, None)
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
