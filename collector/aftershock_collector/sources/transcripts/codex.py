"""Codex's session files: ~/.codex/sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl.

What is called a response item went to the model or came from it; event messages tell people of the
same. Tokens come after the items that they count.
"""

from __future__ import annotations

import json
from typing import Any, cast

from aftershock_collector.reading.dialects import parsed
from aftershock_collector.reading.dialects.codex import AGENT, BODY, EXIT, HEAD_CHARS_MAX, SCRIPT
from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.sources.transcripts import Line, Usage, mapping_in, texts_of
from aftershock_collector.sources.transcripts.claude_code import count
from aftershock_collector.sources.transcripts.session import Answer, Session

KINDS = frozenset(
    {"session_meta", "response_item", "event_msg", "turn_context", "compacted", "world_state",
     "token_usage_record"}
)  # fmt: skip
CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call"})
# What the program writes in a person's place.
AUTOMATIC = ("<environment_context", "<user_instructions", "<skills_instructions", "<turn_aborted",
             "# AGENTS.md", "<permissions instructions")  # fmt: skip
REFUSALS = ("rejected by user", "Rejected(", "blocked by PreToolUse hook", "approval denied")


def is_codex(line: Line) -> bool:
    """True for a line of such a file."""
    return line.get("type") in KINDS and isinstance(line.get("payload"), dict)


def read_codex(line: Line, session: Session) -> None:
    """Read one line."""
    kind, payload = line.get("type"), mapping_in(line, "payload")
    time_ns = time_ns_of(line.get("timestamp"))
    session.agent = session.agent or AGENT
    if kind == "session_meta":
        session.id = session.id or str(payload.get("id") or "")
        session.folder = session.folder or str(payload.get("cwd") or "")
    elif kind == "turn_context":
        session.model = str(payload.get("model") or session.model)
    elif kind == "compacted":
        session.compacted(time_ns)
    elif kind == "response_item":
        _item(payload, time_ns, session)
    elif kind == "event_msg" and payload.get("type") == "token_count":
        # Each comes with the total so far, and is written again when only limits have changed.
        info = mapping_in(payload, "info")
        whole = mapping_in(info, "total_token_usage")
        used = _usage(mapping_in(info, "last_token_usage"))
        key = f"tokens/{json.dumps(whole)}"
        if used != Usage() and key not in session.seen:
            session.seen.add(key)
            ended = session.answered_ns or time_ns
            lasted = max(0, (ended or 0) - session.asked_ns) if session.asked_ns else None
            session.inference(ended, key, session.model, used, lasted)


def _item(item: Line, time_ns: int | None, session: Session) -> None:
    kind, call_id = str(item.get("type")), str(item.get("call_id") or item.get("id"))
    if kind.endswith("call_output") or item.get("role") == "user":
        session.asked_ns, session.answered_ns = time_ns or session.asked_ns, 0
    elif session.answered_ns == 0:
        session.answered_ns = time_ns or 0
    if kind in CALLS:
        tool = str(item.get("name") or ("shell" if kind == "local_shell_call" else ""))
        session.call(time_ns, call_id, tool, _arguments(item))
    elif kind.endswith("call_output"):
        session.answer(time_ns, call_id, _answer(item.get("output")))
    elif kind == "message" and item.get("role") == "user":
        text = texts_of(item.get("content"))
        session.message(time_ns, text, automatic=text.lstrip().startswith(AUTOMATIC))


def _arguments(item: Line) -> Any:
    """Arguments; a command that comes as the words of `bash -lc …` is the last of them."""
    if "input" in item:
        return {"input": item["input"]}
    given = parsed(item.get("arguments")) if "arguments" in item else mapping_in(item, "action")
    if not isinstance(given, dict):
        return {"input": given}
    named = cast("dict[str, Any]", given)
    words = named.get("command")
    if isinstance(words, list):
        texts = [word for word in cast("list[Any]", words) if isinstance(word, str)]
        inner = texts[-1:] if texts[1:2] in SCRIPT else texts
        return named | {"command": " ".join(inner)}
    return named


def _answer(output: Any) -> Answer:
    """An answer: in older versions JSON with the exit code beside the text."""
    value = parsed(output)
    code: int | None = None
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        found = mapping_in(named, "metadata").get("exit_code")
        code = found if isinstance(found, int) else None
        text = texts_of(named.get("output") or named.get("content") or "")
    else:
        text = texts_of(value)
    head = text[:HEAD_CHARS_MAX]
    match = EXIT.search(head) if code is None else None
    if match is not None:
        code = int(match[1])
    denied = code is None and any(mark in head for mark in REFUSALS)
    before, found_body, body = text.partition(BODY)
    shown = body if found_body and len(before) <= HEAD_CHARS_MAX else text
    failed = bool(code) or (code is None and head.startswith("exec_command failed"))
    return Answer(shown, code, called_success=False if failed else None, denied=denied)


def _usage(given: Line) -> Usage:
    sent, cached = count(given.get("input_tokens")), count(given.get("cached_input_tokens"))
    written = count(given.get("cache_write_input_tokens"))
    return Usage(
        max(0, sent - cached - written), cached, written, count(given.get("output_tokens"))
    )
