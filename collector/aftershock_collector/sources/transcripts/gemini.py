"""Session files of Gemini CLI and of Qwen Code, which is a fork of it.

Gemini: ~/.gemini/tmp/<project>/chats/session-*.jsonl, in which a message is written again when its
calls have ended, or one document in older versions. A command that fails is called a success.
Qwen: ~/.qwen/projects/<project>/chats/<session>.jsonl.
"""

from __future__ import annotations

import re
from typing import Any

from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.sources.transcripts import (
    Line,
    Usage,
    mapping_in,
    mappings_in,
    texts_of,
)
from aftershock_collector.sources.transcripts.claude_code import count
from aftershock_collector.sources.transcripts.session import Answer, Session

GEMINI, QWEN = "gemini-cli", "qwen-code"
EXIT = re.compile(r"^Exit Code: (-?\d{1,5})\s*$", re.MULTILINE)
GROUP = re.compile(r"^Process Group PGID: \d+\s*$", re.MULTILINE)  # differs at each call
WRAPPED = re.compile(r"^<untrusted_context>\n|\n?</untrusted_context>\s*$")
# What a command printed, among what the program says of it.
PRINTED = re.compile(
    r"^Output: (.*?)(?:\nError: (.*?))?(?:\n(?:Exit Code|Signal|Background PIDs)\b.*)?\s*\Z",
    re.MULTILINE | re.DOTALL,
)
NOTHING = frozenset({"(empty)", "(none)", ""})
AUTOMATIC = ("<session_context", "System: ")  # a warning of its loop detection is such a message
REFUSALS = ("Tool execution blocked", "User denied", "denied by policy", "[Operation Cancelled]",
            "Tool execution denied", "denied by hook", "was declined")  # fmt: skip
NEVER_RAN = frozenset({"cancelled"})


def is_gemini(line: Line) -> bool:
    """True for the head of such a file, and for a whole one."""
    return "sessionId" in line and "projectHash" in line


def read_gemini(line: Line, session: Session) -> None:
    """Read one line, or one document."""
    if "projectHash" in line:
        session.id, session.agent = str(line["sessionId"]), GEMINI
    changed = mapping_in(line, "$set")
    for message in (*mappings_in(line, "messages"), *mappings_in(changed, "messages")):
        _message(message, session)
    if "type" in line:
        _message(line, session)


def _message(message: Line, session: Session) -> None:
    kind, time_ns = message.get("type"), time_ns_of(message.get("timestamp"))
    content = message.get("content")
    if kind == "user":
        text = texts_of(content)
        identity = str(message.get("id"))
        if identity not in session.seen:
            session.seen.add(identity)
            session.message(time_ns, text, automatic=text.startswith(AUTOMATIC))
    elif kind == "gemini":
        identity = str(message.get("id"))
        if identity not in session.seen:
            session.seen.add(identity)
            given = mapping_in(message, "tokens")
            sent, cached = count(given.get("input")), count(given.get("cached"))
            returned = count(given.get("output")) + count(given.get("thoughts"))
            usage = Usage(max(0, sent - cached), cached, 0, returned)
            session.inference(time_ns, identity, str(message.get("model") or ""), usage)
        for call in mappings_in(message, "toolCalls"):
            _call(call, time_ns, session)


def _call(call: Line, asked_ns: int | None, session: Session) -> None:
    """A call with its answer; it comes again with each copy of its message."""
    call_id, status = str(call.get("id")), call.get("status")
    if call_id in session.seen or status not in {"success", "error", "cancelled"}:
        return
    session.seen.add(call_id)
    session.call(asked_ns, call_id, str(call.get("name") or ""), mapping_in(call, "args"))
    parts = mappings_in(call, "result")
    text = answer_text(parts) or texts_of(call.get("resultDisplay"))
    answer = answer_of(text, status == "success", cancelled=status in NEVER_RAN)
    session.answer(time_ns_of(call.get("timestamp")), call_id, answer)


def answer_text(parts: list[dict[str, Any]]) -> str:
    """What functions answered."""
    found: list[str] = []
    for part in parts:
        response = mapping_in(mapping_in(part, "functionResponse"), "response")
        found += [str(response[key]) for key in ("output", "error", "content") if key in response]
        found += [part["text"]] if isinstance(part.get("text"), str) else []
    return "\n".join(found)


def answer_of(text: str, called_success: bool, *, cancelled: bool) -> Answer:
    """An answer by its text. The exit code stands in it, where the command failed."""
    code = EXIT.findall(text)
    denied = not called_success and (cancelled or any(mark in text[:500] for mark in REFUSALS))
    shown = WRAPPED.sub("", GROUP.sub("", text))
    parts = PRINTED.search(shown)
    if parts is not None:
        shown = "\n".join(part for part in parts.groups("") if part not in NOTHING)
    return Answer(shown, int(code[-1]) if code else None, called_success, denied)


def is_qwen(line: Line) -> bool:
    """True for a line of such a file."""
    return "sessionId" in line and (
        "parts" in mapping_in(line, "message") or "systemPayload" in line
    )


def read_qwen(line: Line, session: Session) -> None:
    """Read one line."""
    kind, identity = line.get("type"), str(line.get("uuid"))
    if identity in session.seen:
        return
    session.seen.add(identity)
    session.id = session.id or str(line.get("sessionId"))
    session.folder = session.folder or str(line.get("cwd") or "")
    named = line.get("agentName")
    session.agent = f"{QWEN}/{named}" if isinstance(named, str) and named else QWEN
    time_ns, message = time_ns_of(line.get("timestamp")), mapping_in(line, "message")
    parts = mappings_in(message, "parts")
    if kind == "assistant":
        given = mapping_in(line, "usageMetadata")
        cached = count(given.get("cachedContentTokenCount"))
        usage = Usage(
            max(0, count(given.get("promptTokenCount")) - cached),
            cached,
            0,
            count(given.get("candidatesTokenCount")),
        )
        if usage != Usage():
            session.model = str(line.get("model") or session.model)
            session.inference(time_ns, identity, session.model, usage)
        for part in parts:
            if "functionCall" in part:
                call = mapping_in(part, "functionCall")
                args = mapping_in(call, "args")
                session.call(time_ns, str(call.get("id")), str(call.get("name") or ""), args)
    elif kind == "tool_result":
        result = mapping_in(line, "toolCallResult")
        for part in parts:
            response = mapping_in(part, "functionResponse")
            succeeded = result.get("status", "success") == "success"
            answer = answer_of(
                answer_text([part]), succeeded, cancelled=result.get("status") == "cancelled"
            )
            call_id = str(response.get("id") or result.get("callId"))
            session.answer(time_ns, call_id, answer)
    elif kind == "user":
        automatic = line.get("provenance") == "system" or line.get("isSidechain") is True
        session.message(time_ns, texts_of(message.get("parts")), automatic=automatic)
    elif kind == "system" and line.get("subtype") == "chat_compression":
        session.compacted(time_ns)
