"""Gemini CLI's log events, and Qwen Code's, which is a fork of it.

Gemini's spans say less and each is a trace of its own; its tool calls' events have no call id,
Qwen's have since 0.24. Both say themselves when they loop; they stop then, so their word is kept as
a fact beside our own judgement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aftershock.approval import Approval, Gate
from aftershock.model import LOOP_REPORTED, StepKind, Tokens
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.dialects import (
    PERSON,
    POLICY,
    Reading,
    count_in,
    flag_in,
    lasted_in,
    name_in,
    parsed,
    text_in,
    with_instruction,
)

AGENTS = {"gemini_cli.": "gemini-cli", "qwen-code.": "qwen-code"}
SCOPES = frozenset(AGENTS.values())
SESSION = "session.id"
CALL_ID = "call_id"
SUBAGENT = re.compile(r"#[^#]+#")  # in a prompt's id
DENIED = frozenset({"policy_violation", "execution_denied"})


def read_gemini_event(event: LogEvent) -> Reading | None:
    """Read a log event of Gemini CLI or Qwen Code."""
    if event.scope not in SCOPES:
        return None
    own, name = event.attributes, event.name
    for prefix in AGENTS:
        name = name.removeprefix(prefix)
    session = name_in(own, SESSION) or name_in(event.resource, SESSION)
    agent = _agent(event)

    def reading(kind: StepKind, named: str) -> Reading:
        return Reading(kind, named, agent, session, session=session, lasted_ns=lasted_in(own))

    match name:
        case "user_prompt":
            return with_instruction(reading(StepKind.MESSAGE, PERSON), own)
        case "api_response":
            response = name_in(own, "response_id")  # Qwen Code's spans have it too
            return reading(StepKind.INFERENCE, name_in(own, "model") or "")._replace(
                tokens=_tokens(own),
                identity=None if response is None else f"inference/{response}",
            )
        case "api_error":
            kind = name_in(own, "error_type") or str(own.get("status_code") or "api_error")
            text = text_in(own, "error", "error.message", "error_message") or kind
            read = reading(StepKind.INFERENCE, name_in(own, "model") or "")
            return read._replace(error=kind, error_text=text)
        case "tool_call" if tool := name_in(own, "function_name"):
            return _call(own, reading(StepKind.TOOL_CALL, tool))
        case "chat_compression":
            return reading(StepKind.INFERENCE, "the next model")._replace(compacted=True)
        case "loop_detected":
            return reading(StepKind.FACT, LOOP_REPORTED)._replace(provides=LOOP_REPORTED)
        case _:
            return None


def _agent(event: LogEvent) -> str | None:
    """Who acts; None for a sub-agent that is not named here: its spans know the name."""
    named, prompt = name_in(event.attributes, "subagent_name"), event.attributes.get("prompt_id")
    inner = isinstance(prompt, str) and SUBAGENT.search(prompt)
    return named if named or inner else event.scope


def _call(own: Mapping[str, Any], read: Reading) -> Reading:
    """A tool call. What a person or a policy decided about it stands in the same event."""
    kind, failed = name_in(own, "error_type"), flag_in(own, "success") is False
    call = name_in(own, CALL_ID)
    read = read._replace(
        arguments=parsed(own.get("function_args")),
        call_id=call,
        identity=None if call is None else f"call/{call}",
    )
    decision = name_in(own, "decision")
    if kind in DENIED or decision == "reject":
        by = PERSON if decision == "reject" else POLICY
        return read._replace(approval=Approval(read.name, Gate.DENY, by, kind), error="denied")
    code = _exit_code(own)
    if failed or code:
        kind = kind or f"exit_code_{code}"
        text = text_in(own, "error", "error.message") or kind
        read = read._replace(error=kind, error_text=text)
    # Without a terminal nobody is asked, whatever the decision is called.
    asked = decision in {"accept", "modify"} and flag_in(own, "interactive") is True
    by = PERSON if asked else POLICY
    approval = Approval(read.name, Gate.ALLOW, by, decision)
    return read._replace(approval=approval, succeeded=not (failed or code))


def _exit_code(own: Mapping[str, Any]) -> int:
    """Of a shell command: a failed one is called a success."""
    value = parsed(own.get("metadata"))
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return count_in(given, "exitCode") or 0


def _tokens(own: Mapping[str, Any]) -> Tokens | None:
    given = count_in(own, "input_token_count")
    returned = count_in(own, "output_token_count")
    if given is None and returned is None:
        return None
    return Tokens(given or 0, (returned or 0) + (count_in(own, "thoughts_token_count") or 0))
