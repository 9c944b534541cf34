"""Claude Code's session files: ~/.claude/projects/<project>/<session>.jsonl, and its sub-agents'.

One answer of a model is written as a line for each of its parts, each with the tokens of all. A
resumed session repeats lines of the one before, with their ids.
"""

from __future__ import annotations

import re
from typing import Any

from aftershock_collector.reading.dialects.claude_code import SERVICE, SHELLS
from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.sources.transcripts import (
    Line,
    Usage,
    mapping_in,
    mappings_in,
    texts_of,
)
from aftershock_collector.sources.transcripts.session import Answer, Session

# Kinds of line that are read; most others repeat the whole request for the program's own use.
MARKS = (b'"type":"user"', b'"type":"assistant"', b'"type":"system"', b'"type":"cost-state"',
         b'"type": "user"', b'"type": "assistant"', b'"type": "system"')  # fmt: skip
KINDS = frozenset({"user", "assistant", "system", "summary", "queue-operation", "cost-state"})
EXIT = re.compile(r"^(?:Error: )?Exit code (\d{1,5})\b")
# How a refusal is worded to the model: by a person, by a rule, by a hook.
DENIED = re.compile(
    r"doesn't want to (?:proceed|take this action)|^Permission to use |"
    r"requested permissions? |^PreToolUse:\S+ hook|blocked by hook|\[Request interrupted by user"
)


def is_claude_code(line: Line) -> bool:
    """True for a line of such a file."""
    is_qwen = "parts" in mapping_in(line, "message")
    return "sessionId" in line and line.get("type") in KINDS and "data" not in line and not is_qwen


def read_claude_code(line: Line, session: Session) -> None:
    """Read one line."""
    kind, identity = line.get("type"), line.get("uuid")
    if isinstance(identity, str):
        if identity in session.seen:
            return
        session.seen.add(identity)
    session.id = session.id or str(line.get("sessionId"))
    session.folder = session.folder or str(line.get("cwd") or "")
    session.agent = SERVICE
    if line.get("isSidechain") is True:
        named = session.file_agent or line.get("agentId") or "subagent"
        session.agent = f"{SERVICE}/{named}"
    message = mapping_in(line, "message")
    time_ns = time_ns_of(line.get("timestamp"))
    if kind == "assistant":
        _assistant(message, time_ns, session)
    elif kind == "user":
        _user(line, message, time_ns, session)
    elif kind == "system" and line.get("subtype") == "compact_boundary":
        session.compacted(time_ns)
    elif kind == "cost-state":
        total = line.get("totalCostUSD")
        if isinstance(total, int | float) and total > 0:
            session.reported_cost_usd = float(total)


def _assistant(message: Line, time_ns: int | None, session: Session) -> None:
    model = str(message.get("model") or "")
    if model != "<synthetic>":  # the program's own words: an error, an interruption
        session.inference(time_ns, str(message.get("id")), model, _usage(message))
    for part in mappings_in(message, "content"):
        if part.get("type") == "tool_use":
            tool, given = str(part.get("name") or ""), mapping_in(part, "input")
            command = given.get("command")
            if tool in SHELLS and isinstance(command, str):
                given = {"command": command}  # its description is worded anew each time
            session.call(time_ns, str(part.get("id")), tool, given)


def _user(line: Line, message: Line, time_ns: int | None, session: Session) -> None:
    content = message.get("content")
    results = [p for p in mappings_in(message, "content") if p.get("type") == "tool_result"]
    decision = mapping_in(line, "permissionDecision").get("decision")
    for part in results:
        text = texts_of(part.get("content"))
        failed = part.get("is_error") is True
        code = EXIT.match(text) if failed else None
        denied = decision == "reject" or (failed and code is None and bool(DENIED.search(text)))
        answer = Answer(
            text if code is None else text[code.end() :].lstrip(),
            exit_code=int(code[1]) if code else None,
            called_success=not failed,
            denied=denied,
        )
        session.answer(time_ns, str(part.get("tool_use_id")), answer)
    if results or line.get("isMeta") is True:
        return
    if line.get("isCompactSummary") is True:
        session.compacted(time_ns)
        return
    session.message(time_ns, texts_of(content), automatic=line.get("isSidechain") is True)


def _usage(message: Line) -> Usage:
    given = mapping_in(message, "usage")
    return Usage(
        count(given.get("input_tokens")),
        count(given.get("cache_read_input_tokens")),
        count(given.get("cache_creation_input_tokens")),
        count(given.get("output_tokens")),
    )


def count(value: Any) -> int:
    """A number of tokens; zero for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
