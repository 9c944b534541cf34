"""OpenCode's spans: those of the Vercel AI SDK in it, and `Tool.execute` around each call.

A prompt is one trace, in which its sub-agents' sessions are as well, so the trace is the run. All
other spans are internals of the program, a thousand for ten calls. A shell command that fails is
called a success; its exit code stands in the result.
"""

from __future__ import annotations

from typing import Any, cast

from aftershock.approval import Approval, Gate
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import STATUS_ERROR, Span
from aftershock_collector.reading.dialects import POLICY, Reading, name_in, parsed, text_in
from aftershock_collector.reading.dialects.vercel_ai import read_vercel_ai

SERVICE = "opencode"
EXECUTE = "Tool.execute"
CALL_ID = "tool.call_id"
SESSION = "session.id"
PARENT = "ai.request.headers.x-parent-session-id"  # of a sub-agent's session
EXIT, OUTPUT = "exit", "output"
# Exceptions with which a call is refused; a plug-in's hook throws any text it likes.
DENIED = ("PermissionRejectedError", "PermissionDeniedError", "RejectedError", "DeniedError")
GATE_SAYS = "was not run"  # as our own gate words it


def read_opencode(span: Span) -> Reading | None:
    """Read a span of OpenCode."""
    own = span.attributes
    session = name_in(own, SESSION)
    if span.name == EXECUTE:
        tool = name_in(own, "tool.name")
        return None if tool is None else _call(span, Reading(StepKind.TOOL_CALL, tool), session)
    read = read_vercel_ai(span)
    if read is None or session is None:
        return None
    if read.kind is StepKind.TOOL_CALL:
        return _call(span, read, session)
    parent = name_in(own, PARENT)
    if read.kind is StepKind.AGENT:
        # One frame for a session, however many spans it has. When it is over is not known.
        return Reading(
            StepKind.AGENT,
            SERVICE if parent is None else f"{SERVICE}/subagent",
            SERVICE if parent is None else f"{SERVICE}/subagent",
            session,
            session=span.trace_id,
            identity=f"session/{session}",
            parent=None if parent is None else f"session/{parent}",
            is_open=True,
        )
    return _inside(span, read, session)


def _inside(span: Span, read: Reading, session: str | None) -> Reading:
    """A step of a session, whose frame names the agent."""
    parent = None if session is None else f"session/{session}"
    return read._replace(agent=None, conversation=session, session=span.trace_id, parent=parent)


def _call(span: Span, read: Reading, session: str | None) -> Reading:
    own = span.attributes
    call = read.call_id or name_in(own, CALL_ID)
    result, code = _result(read.result)
    failed = span.status_code == STATUS_ERROR or bool(code)
    read = _inside(span, read, session)._replace(
        call_id=call,
        identity=None if call is None else f"call/{call}",
        result=result,
        succeeded=not failed,
    )
    kind, text = _exception(span)
    if kind in DENIED or GATE_SAYS in text:
        return read._replace(approval=Approval(read.name, Gate.DENY, POLICY, kind), error="denied")
    return read._replace(error=f"exit_code_{code}") if code else read


def _result(given: Any) -> tuple[Any, int]:
    """What the model was shown of a result, and the exit code of a command."""
    value = parsed(given)
    if not isinstance(value, dict):
        return value, 0
    whole = cast("dict[str, Any]", value)
    about: Any = whole.get("metadata")
    code: Any = cast("dict[str, Any]", about).get(EXIT) if isinstance(about, dict) else None
    return whole.get(OUTPUT, whole), code if isinstance(code, int) else 0


def _exception(span: Span) -> tuple[str | None, str]:
    for event in span.events:
        if event.name == "exception":
            kind = name_in(event.attributes, "exception.type")
            return kind, text_in(event.attributes, "exception.message") or ""
    return None, span.status_message
