"""Session files of Copilot CLI, and OpenCode's rows of messages and parts.

Copilot: ~/.copilot/session-state/<session>/events.jsonl. OpenCode keeps all sessions in one
database, ~/.local/share/opencode/opencode.db; whoever opens it hands its rows over as lines.
"""

from __future__ import annotations

from typing import Any

from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.sources.transcripts import Line, Usage, mapping_in
from aftershock_collector.sources.transcripts.claude_code import count
from aftershock_collector.sources.transcripts.session import Answer, Session

COPILOT, OPENCODE = "copilot", "opencode"
NS_PER_MS = 1_000_000
REFUSALS = ("Denied by", "denied", "rejected permission", "The user rejected")
PART, MESSAGE = "opencode.part", "opencode.message"  # types of the lines that rows become


def is_copilot(line: Line) -> bool:
    """True for a line of such a file."""
    kind = line.get("type")
    return isinstance(kind, str) and "." in kind and isinstance(line.get("data"), dict)


def read_copilot(line: Line, session: Session) -> None:
    """Read one line."""
    kind, data = line.get("type"), mapping_in(line, "data")
    time_ns = time_ns_of(line.get("timestamp"))
    agent = data.get("agentName") or line.get("agentId")
    session.agent = f"{COPILOT}/{agent}" if isinstance(agent, str) and agent else COPILOT
    if kind == "session.start":
        session.id = session.id or str(data.get("sessionId"))
        session.folder = str(mapping_in(data, "context").get("cwd") or "")
    elif kind == "user.message":
        session.message(time_ns, str(data.get("content") or ""))
    elif kind == "session.usage_record":
        given = mapping_in(data, "usage")
        cached, written = count(given.get("cacheReadTokens")), count(given.get("cacheWriteTokens"))
        fresh = max(0, count(given.get("inputTokens")) - cached - written)
        usage = Usage(fresh, cached, written, count(given.get("outputTokens")))
        lasted = given.get("duration")
        lasted_ns = int(lasted * NS_PER_MS) if isinstance(lasted, int | float) else None
        key = str(given.get("apiCallId") or line.get("id"))
        session.inference(time_ns, key, str(given.get("model") or ""), usage, lasted_ns)
    elif kind == "tool.execution_start":
        given = mapping_in(data, "arguments")
        if isinstance(given.get("command"), str):
            given = {"command": given["command"]}  # its description is worded anew each time
        session.call(time_ns, str(data.get("toolCallId")), str(data.get("toolName") or ""), given)
    elif kind == "tool.execution_complete":
        session.answer(time_ns, str(data.get("toolCallId")), _copilot_answer(data))
    elif kind in {"session.compaction_complete", "session.truncation"}:
        session.compacted(time_ns)


def _copilot_answer(data: Line) -> Answer:
    code = mapping_in(data, "shellExecution").get("exitCode")
    succeeded = data.get("success") is True
    error = mapping_in(data, "error")
    text = str(mapping_in(data, "result").get("content") or error.get("message") or "")
    denied = error.get("code") == "denied" or (
        not succeeded and any(mark in text[:300] for mark in REFUSALS)
    )
    return Answer(text, code if isinstance(code, int) else None, succeeded, denied)


def is_opencode(line: Line) -> bool:
    """True for a row of OpenCode's."""
    return line.get("type") in {PART, MESSAGE}


def read_opencode(line: Line, session: Session) -> None:
    """Read one row: its own columns, and its data."""
    session.id = session.id or str(line.get("session_id"))
    session.agent = OPENCODE if line.get("is_subagent") is not True else f"{OPENCODE}/subagent"
    created = line.get("time_created")
    time_ns = created * NS_PER_MS if isinstance(created, int) else None
    data = mapping_in(line, "data")
    if line.get("type") == MESSAGE:
        acted = _ns(line.get("acted_at"))
        _opencode_message(data, str(line.get("id")), acted, session)
    elif data.get("type") == "tool":
        _opencode_call(data, time_ns, session)
    elif data.get("type") == "text" and line.get("role") == "user":
        automatic = data.get("synthetic") is True or line.get("is_subagent") is True
        session.message(time_ns, str(data.get("text") or ""), automatic=automatic)
    elif data.get("type") == "compaction":
        session.compacted(time_ns)


def _opencode_message(data: Line, identity: str, acted: int | None, session: Session) -> None:
    """An answer of a model. Its time includes that of the calls that it asks for."""
    session.folder = session.folder or str(mapping_in(data, "path").get("cwd") or "")
    if data.get("role") != "assistant":
        return
    given, times = mapping_in(data, "tokens"), mapping_in(data, "time")
    cache = mapping_in(given, "cache")
    usage = Usage(
        count(given.get("input")),
        count(cache.get("read")),
        count(cache.get("write")),
        count(given.get("output")) + count(given.get("reasoning")),
    )
    began, ended = _ns(times.get("created")), acted or _ns(times.get("completed"))
    if usage != Usage():
        lasted = max(0, ended - began) if began is not None and ended is not None else None
        cost = data.get("cost")
        own_usd = float(cost) if isinstance(cost, int | float) and cost > 0 else None
        model = str(data.get("modelID") or "")
        session.inference(ended or began, identity, model, usage, lasted, own_usd)


def _opencode_call(data: Line, time_ns: int | None, session: Session) -> None:
    state = mapping_in(data, "state")
    times, status = mapping_in(state, "time"), state.get("status")
    call_id = str(data.get("callID"))
    given = mapping_in(state, "input")
    if isinstance(given.get("command"), str):
        given = {"command": given["command"]}
    began = _ns(times.get("start")) or time_ns
    session.call(began, call_id, str(data.get("tool") or ""), given)
    if status not in {"completed", "error"}:
        return
    code = mapping_in(state, "metadata").get("exit")
    text = str(state.get("output") or state.get("error") or "")
    failed = status == "error"
    denied = failed and any(mark in text[:300] for mark in REFUSALS)
    answer = Answer(text, code if isinstance(code, int) else None, not failed, denied)
    session.answer(_ns(times.get("end")) or time_ns, call_id, answer)


def _ns(milliseconds: Any) -> int | None:
    """Milliseconds since the epoch, as nanoseconds."""
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    return int(milliseconds) * NS_PER_MS if 0 < milliseconds < 9e12 else None
