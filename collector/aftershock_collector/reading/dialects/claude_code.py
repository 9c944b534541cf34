"""Claude Code's and the Claude Agent SDK's own telemetry: its spans and its log events.

Both tell of the same calls: of models by the request's id, of tools by the call's id. A session is
a run, because log events have no trace where traces are switched off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aftershock.approval import Approval, Gate
from aftershock.attributes import CONVERSATION_ID, REQUEST_MODEL, TOOL_CALL_ID, TOOL_NAME
from aftershock.model import StepKind, Tokens
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.dialects import (
    PERSON,
    POLICY,
    Reading,
    approved,
    cost_in,
    count_in,
    flag_in,
    lasted_in,
    name_in,
    parsed,
    text_in,
    with_instruction,
)

SERVICE = "claude-code"
SCOPE = "com.anthropic.claude_code."
SPAN = "claude_code."
SESSION = ("session.id", CONVERSATION_ID)
CALL_ID = ("tool_use_id", TOOL_CALL_ID)
INPUT = ("input_tokens", "cache_read_tokens", "cache_creation_tokens")
OUTPUT = "output_tokens"
COST = "cost_usd"
MODEL = ("model", REQUEST_MODEL)
VARIANT = re.compile(r"\[[^\]]*\]$")  # claude-opus-4-8[1m]: spans have it, events have not
SHELLS = frozenset({"Bash", "PowerShell"})
SOURCES = {"config": POLICY, "hook": "hook"}  # anything else is a person's answer


def read_claude_code(span: Span) -> Reading | None:
    """Read a span of Claude Code."""
    if not span.name.startswith(SPAN) or not span.scope.startswith(SCOPE):
        return None
    own, kind = span.attributes, span.name.removeprefix(SPAN)
    if kind == "interaction":
        return _reading(own, StepKind.AGENT, SERVICE)
    if kind == "llm_request":
        failed = flag_in(own, "success") is False
        return _inference(own, text_in(own, "error", "status_code") if failed else None)
    if kind == "tool":
        return _call(own, _arguments(own))
    if kind == "tool.execution" and (call := name_in(own, *CALL_ID)):
        # What the tool starts has this span as its parent.
        return _reading(own, StepKind.OUTGOING, kind)._replace(parent=f"call/{call}")
    return None


def read_claude_code_event(event: LogEvent) -> Reading | None:
    """Read a log event of Claude Code."""
    if not event.scope.startswith(SCOPE):
        return None
    own, name = event.attributes, event.name.removeprefix(SPAN)
    match name:
        case "user_prompt":
            return with_instruction(_reading(own, StepKind.MESSAGE, PERSON), own)
        case "api_request":
            return _inference(own, None)._replace(lasted_ns=lasted_in(own))
        case "api_error" | "api_refusal":
            kind = name_in(own, "status_code") or name
            read = _inference(own, kind)._replace(lasted_ns=lasted_in(own))
            return read._replace(error_text=text_in(own, "error") or "")
        case "tool_decision":
            return _decision(own)
        case "tool_result":
            return _result(own)
        case "compaction" if flag_in(own, "success") is not False:
            read = _reading(own, StepKind.INFERENCE, "the next model")
            return read._replace(compacted=True, lasted_ns=lasted_in(own))
        case _:
            return None


def _reading(own: Mapping[str, Any], kind: StepKind, name: str) -> Reading:
    session = name_in(own, *SESSION)
    # A sub-agent is called as in its session file; only some records say which kind it is.
    inner = name_in(own, "agent_id", "agent.name")
    agent = SERVICE if inner is None else f"{SERVICE}/{inner}"
    return Reading(kind, name, agent, session, session=session)


def _inference(own: Mapping[str, Any], error: str | None) -> Reading:
    model = VARIANT.sub("", name_in(own, *MODEL) or "")
    counts = [count_in(own, key) for key in (*INPUT, OUTPUT)]
    # A gateway may answer without an id: the time to the first token is in both records then.
    request = name_in(own, "request_id") or count_in(own, "ttft_ms")
    known = any(counts) or request is not None
    given = None
    if any(count is not None for count in counts):
        given = Tokens(sum(count or 0 for count in counts[:-1]), counts[-1] or 0)
    return _reading(own, StepKind.INFERENCE, model)._replace(
        tokens=given,
        cost_usd=cost_in(own, COST),
        error=error,
        # Tokens too: a gateway may answer with one id for all.
        identity=f"inference/{request}/{counts}" if known and error is None else None,
    )


def _call(own: Mapping[str, Any], arguments: Any) -> Reading | None:
    """A call of a tool, by a span or an event; None where it names no tool."""
    tool = name_in(own, "tool_name", TOOL_NAME)
    if tool is None:
        return None
    parameters = _parameters(own)
    server, inner = name_in(parameters, "mcp_server_name"), name_in(parameters, "mcp_tool_name")
    if tool == "mcp_tool" and server and inner:
        tool = f"mcp__{server}__{inner}"
    call = name_in(own, *CALL_ID)
    return _reading(own, StepKind.TOOL_CALL, tool)._replace(
        arguments=arguments,
        call_id=call,
        identity=None if call is None else f"call/{call}",
    )


def _result(own: Mapping[str, Any]) -> Reading | None:
    read = _call(own, _arguments(own))
    if read is None:
        return None
    read = read._replace(lasted_ns=lasted_in(own))
    if flag_in(own, "success") is not False:
        return read._replace(succeeded=True)
    error = name_in(own, "error_type") or "tool_error"
    return read._replace(error=error, error_text=text_in(own, "error") or error)


def _decision(own: Mapping[str, Any]) -> Reading | None:
    """What was decided about a call: it begins, or it is over, and has no other event then."""
    read = _call(own, _arguments(own))
    decision, source = name_in(own, "decision"), name_in(own, "source")
    if read is None or decision not in {"accept", "reject"} or source is None:
        return None
    outcome = Gate.ALLOW if decision == "accept" else Gate.DENY
    approval = Approval(read.name, outcome, SOURCES.get(source, PERSON), source)
    if outcome is Gate.DENY:
        return read._replace(approval=approval, error="denied")
    return approved(read, approval)


def _parameters(own: Mapping[str, Any]) -> Mapping[str, Any]:
    value = parsed(own.get("tool_parameters"))
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _arguments(own: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments, the same from a span and from each event; None where they are not sent.

    Of a shell it is the command alone: its description is worded anew each time.
    """
    given = parsed(own.get("tool_input"))
    reported = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    command = text_in(own, "full_command") or text_in(_parameters(own), "full_command")
    command = command or text_in(reported, "command")
    if command is not None and name_in(own, "tool_name") in SHELLS:
        return {"command": command}
    if reported:
        return reported
    path = text_in(own, "file_path")
    return None if path is None else {"file_path": path}
