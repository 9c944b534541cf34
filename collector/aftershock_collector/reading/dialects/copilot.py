"""GitHub Copilot's spans, of its CLI and of VS Code's chat: GenAI's, with what those leave out.

A session is a run. A command that fails has an exit code and no error; a call that a hook or a
person denied has the error `denied`. `github.copilot.cost` counts premium requests, not dollars.
"""

from __future__ import annotations

import re
from typing import Any, cast

from aftershock.approval import Approval, Gate
from aftershock.attributes import CONVERSATION_ID, ERROR_TYPE, TOOL_CALL_ID
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import (
    PERSON,
    POLICY,
    Reading,
    count_in,
    name_in,
    parsed,
)
from aftershock_collector.reading.dialects.genai import read_genai

SCOPES = ("github.copilot", "copilot-chat")
SERVICE = "service.name"
EXIT = "process.exit.code"
TRAILER = re.compile(r"\n?<shellId: \d+ completed with exit code -?\d+>\s*$")
DENIED = "denied"
PERMISSION = "github.copilot.permission."  # a span of its own where somebody was asked
ALLOWED = "approved"
BY_RULE = "rule"  # `approved-by-rule`, `denied-by-rules`: the user's settings


def read_copilot(span: Span) -> Reading | None:
    """Read a span of Copilot."""
    if not span.scope.startswith(SCOPES):
        return None
    own = span.attributes
    session = name_in(own, CONVERSATION_ID)
    agent = name_in(span.resource, SERVICE) or SCOPES[0]
    if tool := name_in(own, f"{PERMISSION}tool_name"):
        return _permission(span, tool, agent, session)
    read = read_genai(span)
    if read is None:
        return None
    read = read._replace(agent=read.agent or agent, session=session)
    if read.kind is StepKind.AGENT:
        return read._replace(name=read.name or agent)
    if read.kind is StepKind.TOOL_CALL:
        return _call(span, read)
    return read


def _call(span: Span, read: Reading) -> Reading:
    own, code = span.attributes, count_in(span.attributes, EXIT)
    given = parsed(read.arguments)
    command = cast("dict[str, Any]", given).get("command") if isinstance(given, dict) else None
    if isinstance(command, str):
        read = read._replace(arguments={"command": command})  # its description is worded anew
    if isinstance(read.result, str):
        read = read._replace(result=TRAILER.sub("", read.result))  # it counts the shells
    if name_in(own, ERROR_TYPE) == DENIED:
        return read._replace(approval=Approval(read.name, Gate.DENY, POLICY, DENIED), error=DENIED)
    if code:
        return read._replace(error=f"exit_code_{code}", succeeded=False)
    return read._replace(succeeded=name_in(own, ERROR_TYPE) is None)


def _permission(span: Span, tool: str, agent: str, session: str | None) -> Reading | None:
    """Whether a call was allowed, and by whom."""
    own = span.attributes
    answer = name_in(own, f"{PERMISSION}result")
    if answer is None:
        return None
    outcome = Gate.ALLOW if answer.startswith(ALLOWED) else Gate.DENY
    by = POLICY if BY_RULE in answer else PERSON
    call = name_in(own, TOOL_CALL_ID)
    return Reading(
        StepKind.APPROVAL,
        tool,
        agent,
        session,
        call_id=call,
        session=session,
        approval=Approval(tool, outcome, by, answer),
    )
