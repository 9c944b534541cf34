"""Goose's spans: one around each reply, inside of it one for each request and for each call.

A session is the run. A call's span ends when the call has been handed on, and nothing says how it
ended: neither its result nor its failure is known. Prompts in the other spans are not kept.
"""

from __future__ import annotations

from typing import Any, cast

from aftershock.attributes import REQUEST_MODEL
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import Reading, name_in, parsed

SERVICE = "goose"
SESSION = "session.id"
REPLY = "reply_stream"
# The second asks for a title of the session, say; only it names the model.
REQUESTS = frozenset({"stream_response_from_provider", "complete"})
CALL, CALLED = "dispatch_tool_call", "input"


def read_goose(span: Span) -> Reading | None:
    """Read a span of goose."""
    session = name_in(span.attributes, SESSION)
    if session is None:
        return None
    if span.name == REPLY:
        return Reading(StepKind.AGENT, SERVICE, SERVICE, session, session=session)
    if span.name in REQUESTS:
        model = name_in(span.attributes, REQUEST_MODEL)
        return Reading(StepKind.INFERENCE, model or "", SERVICE, session, session=session)
    if span.name == CALL:
        return _call(span.attributes.get(CALLED), session)
    return None


def _call(given: Any, session: str) -> Reading | None:
    """The call that a span's input describes: its tool and its arguments."""
    value = parsed(given)
    if not isinstance(value, dict):
        return None
    call = cast("dict[str, Any]", value)
    tool, arguments = name_in(call, "tool"), call.get("arguments")
    if tool is None:
        return None
    return Reading(StepKind.TOOL_CALL, tool, SERVICE, session, arguments, session=session)
