"""Cline's session files: ~/.cline/data/sessions/<id>/<id>.messages.json, one document each.

A call may hold several commands. Cline says of each whether it succeeded, and its exit code in
words.
"""

from __future__ import annotations

import re
from typing import Any, cast

from aftershock_collector.sources.transcripts import Line, Usage, mapping_in, mappings_in
from aftershock_collector.sources.transcripts.claude_code import count
from aftershock_collector.sources.transcripts.session import Answer, Session

CLINE = "cline"
LEAD = "lead"  # the agent that a person talks to
NS_PER_MS = 1_000_000
EXIT = re.compile(r"^Command exited with code (\d{1,5})\b")
DENIED = re.compile(r"\b(?:denied|rejected)\b", re.IGNORECASE)
WRAPPED = re.compile(r"</?user_input[^>]*>")  # around what a person wrote


def is_cline(line: Line) -> bool:
    """True for such a document."""
    return "sessionId" in line and "origin" in line and isinstance(line.get("messages"), list)


def read_cline(line: Line, session: Session) -> None:
    """Read a whole session."""
    session.id = session.id or str(line.get("sessionId"))
    agent = line.get("agent")
    is_inner = isinstance(agent, str) and agent not in {"", LEAD}
    session.agent = f"{CLINE}/{agent}" if is_inner else CLINE
    for message in mappings_in(line, "messages"):
        time_ns = _ns(message.get("ts"))
        if message.get("role") == "assistant":
            _assistant(message, time_ns, session)
        else:
            _user(message, time_ns, session, automatic=is_inner)


def _assistant(message: Line, time_ns: int | None, session: Session) -> None:
    """An answer of a model, and the calls that it asks for."""
    given = mapping_in(message, "metrics")
    cached, written = count(given.get("cacheReadTokens")), count(given.get("cacheWriteTokens"))
    fresh = max(0, count(given.get("inputTokens")) - cached - written)
    usage = Usage(fresh, cached, written, count(given.get("outputTokens")))
    model = str(mapping_in(message, "modelInfo").get("id") or "")
    session.inference(time_ns, str(message.get("id")), model, usage)
    for part in mappings_in(message, "content"):
        if part.get("type") == "tool_use":
            arguments = _arguments(mapping_in(part, "input"))
            session.call(time_ns, str(part.get("id")), str(part.get("name") or ""), arguments)


def _arguments(given: Line) -> Line:
    """A call's arguments; its commands as the one that they are together."""
    commands = given.get("commands")
    if not isinstance(commands, list):
        return given
    return {"command": "; ".join(str(one) for one in cast("list[Any]", commands))}


def _user(message: Line, time_ns: int | None, session: Session, *, automatic: bool) -> None:
    """What a person wrote, and the answers to calls."""
    for part in mappings_in(message, "content"):
        if part.get("type") == "tool_result":
            session.answer(time_ns, str(part.get("tool_use_id")), _answer(part))
        elif part.get("type") == "text":
            text = WRAPPED.sub("", str(part.get("text") or ""))
            session.message(time_ns, text, automatic=automatic)


def _answer(part: Line) -> Answer:
    parts = mappings_in(part, "content")
    if not parts:
        failed = part.get("is_error") is True
        return Answer(str(part.get("content") or ""), called_success=not failed)
    errors = [str(one.get("error") or "") for one in parts if one.get("success") is False]
    codes = [int(found[1]) for error in errors if (found := EXIT.match(error))]
    texts = "\n".join(str(one.get("result") or one.get("error") or "") for one in parts)
    denied = not codes and any(DENIED.search(error) for error in errors)
    return Answer(texts, codes[-1] if codes else None, not errors, denied)


def _ns(milliseconds: Any) -> int | None:
    """Milliseconds since the epoch, as nanoseconds."""
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 9e12:
        return None
    return milliseconds * NS_PER_MS
