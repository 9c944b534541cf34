"""OpenAI Codex's log events. Its spans are internals of the program, a thousand for ten calls.

Codex calls a shell command successful whatever its exit code is; that stands in the output's head.
A denial by a hook is in no event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aftershock.approval import Approval, Gate
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.dialects import (
    PERSON,
    POLICY,
    Reading,
    approved,
    flag_in,
    lasted_in,
    name_in,
    parsed,
    text_in,
    tokens_in,
    with_instruction,
)

NAME = "codex."
AGENT = "codex"
CALL_ID = "call_id"
INPUT, OUTPUT = ("input_token_count",), ("output_token_count",)
ROOT = "/root"  # the agent that has no parent
SOURCES = {"config": POLICY, "automatedreviewer": "reviewer"}
DENIED = frozenset({"denied", "abort", "timed_out"})
# "Chunk ID: … Wall time: … Process exited with code 1 … Output:" before what the command printed.
HEAD_CHARS_MAX = 500
EXIT = re.compile(r"(?:Process exited with code|Exit code:|\"exit_code\":)\s*(-?\d{1,5})\b")
BODY = "Output:\n"
SCRIPT = (["-c"], ["-lc"])


def read_codex_event(event: LogEvent) -> Reading | None:
    """Read a log event of Codex."""
    own = event.attributes
    name = name_in(own, "event.name") or ""  # the record's own name is a place in its source code
    if not name.startswith(NAME):
        return None
    match name.removeprefix(NAME):
        case "user_prompt":
            return with_instruction(_reading(own, StepKind.MESSAGE, PERSON), own)
        case "sse_event" if own.get("event.kind") == "response.completed":
            tokens = tokens_in(own, INPUT, OUTPUT)
            read = _reading(own, StepKind.INFERENCE, name_in(own, "model") or "")
            return None if tokens is None else read._replace(tokens=tokens)  # each comes twice
        case "api_request" if error := text_in(own, "error.message"):
            read = _reading(own, StepKind.INFERENCE, name_in(own, "model") or "")
            kind = str(own.get("http.response.status_code") or "api_error")
            return read._replace(error=kind, error_text=error, lasted_ns=lasted_in(own))
        case "tool_decision":
            return _decision(own)
        case "tool_result":
            return _result(own)
        case _:
            return None


def _reading(own: Mapping[str, Any], kind: StepKind, name: str) -> Reading:
    session = name_in(own, "conversation.id")
    agent = name_in(own, "agent_name") or ROOT
    named = f"{AGENT}{agent.removeprefix(ROOT)}"
    return Reading(kind, name, named, session, session=session)


def _call(own: Mapping[str, Any]) -> Reading | None:
    tool = name_in(own, "tool_name")
    if tool is None:
        return None
    if server := name_in(own, "mcp_server"):
        tool = f"mcp__{server}__{tool}"
    call = name_in(own, CALL_ID)
    identity = None if call is None else f"call/{call}"
    return _reading(own, StepKind.TOOL_CALL, tool)._replace(call_id=call, identity=identity)


def _decision(own: Mapping[str, Any]) -> Reading | None:
    read = _call(own)
    decision = (name_in(own, "decision") or "").lower()
    source = (name_in(own, "source") or "").lower()
    if read is None or not decision or not source:
        return None
    outcome = Gate.DENY if decision in DENIED else Gate.ALLOW
    approval = Approval(read.name, outcome, SOURCES.get(source, PERSON), decision)
    if outcome is Gate.DENY:
        return read._replace(approval=approval, error="denied")
    return approved(read, approval)


def _result(own: Mapping[str, Any]) -> Reading | None:
    read = _call(own)
    if read is None:
        return None
    output = text_in(own, "output")
    head, found, body = (output or "").partition(BODY)
    wrapped = bool(found) and len(head) <= HEAD_CHARS_MAX
    code = EXIT.search((output or "")[:HEAD_CHARS_MAX])
    failed = flag_in(own, "success") is False or (code is not None and int(code[1]) != 0)
    kind = "tool_error" if code is None else f"exit_code_{code[1]}"
    result = body if wrapped else output
    return read._replace(
        arguments=_arguments(own),
        result=result,
        lasted_ns=lasted_in(own),
        succeeded=not failed,
        error=kind if failed else None,
        error_text=(result or kind) if failed else "",
    )


def _arguments(own: Mapping[str, Any]) -> Any:
    """Arguments; a command that comes as the words of `bash -lc …` is the last of them."""
    given = parsed(text_in(own, "arguments"))
    reported = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    words = reported.get("command")
    if not isinstance(words, list):
        return cast("Any", given)
    texts = [word for word in cast("list[Any]", words) if isinstance(word, str)]
    inner = texts[-1:] if texts[1:2] in SCRIPT else texts
    return reported | {"command": " ".join(inner)}
