"""Qwen Code's spans, which it has since 0.24; its log events are Gemini CLI's.

Both tell of the same calls: of tools by the call's id, of models by the response's. A session is a
run; a sub-agent's spans are a trace of their own in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aftershock.attributes import (
    AGENT_NAME,
    ERROR_TYPE,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RESPONSE_ID,
    TOOL_CALL_ID,
    TOOL_NAME,
)
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import Reading, flag_in, name_in, text_in, tokens_in

SERVICE = "qwen-code"
SPAN = "qwen-code."
SESSION = "session.id"
CALL_ID = (TOOL_CALL_ID, "call_id", "tool.call_id")
SUBAGENT = "qwen-code.subagent."
SENT, RETURNED = (INPUT_TOKENS,), (OUTPUT_TOKENS,)


def read_qwen(span: Span) -> Reading | None:
    """Read a span of Qwen Code."""
    if span.scope != SERVICE or not span.name.startswith(SPAN):
        return None
    own, call = span.attributes, name_in(span.attributes, *CALL_ID)
    match span.name.removeprefix(SPAN):
        case "interaction":
            return _reading(own, StepKind.AGENT, SERVICE)
        case "subagent":
            name = name_in(own, AGENT_NAME, f"{SUBAGENT}name") or "subagent"
            asked = name_in(own, f"{SUBAGENT}invoking_request_id")
            parent = None if asked is None else f"call/{asked}"
            return _reading(own, StepKind.AGENT, name)._replace(parent=parent)
        case "llm_request":
            return _inference(own)
        case "tool" if tool := name_in(own, TOOL_NAME, "tool_name"):
            failed = flag_in(own, "success") is False
            return _reading(own, StepKind.TOOL_CALL, tool)._replace(
                call_id=call,
                identity=None if call is None else f"call/{call}",
                succeeded=not failed,
                error=(name_in(own, ERROR_TYPE) or "tool_error") if failed else None,
            )
        case "tool.execution" if call is not None:
            # What the tool starts has this span as its parent.
            read = _reading(own, StepKind.OUTGOING, "tool.execution")
            return read._replace(parent=f"call/{call}")
        case _:
            return None


def _reading(own: Mapping[str, Any], kind: StepKind, name: str) -> Reading:
    session = name_in(own, SESSION)
    agent = name_in(own, "subagent_name", AGENT_NAME) or SERVICE
    return Reading(kind, name, agent, session, session=session)


def _inference(own: Mapping[str, Any]) -> Reading:
    response = name_in(own, RESPONSE_ID)
    failed = flag_in(own, "success") is False
    return _reading(own, StepKind.INFERENCE, name_in(own, REQUEST_MODEL) or "")._replace(
        tokens=tokens_in(own, SENT, RETURNED),
        identity=None if response is None else f"inference/{response}",
        error=(text_in(own, ERROR_TYPE, "error") or "api_error") if failed else None,
    )
