"""Hooks of coding agents: their events, and the answers in each agent's own form.

An allowed call gets no answer: a hook that says "allow" would take the place of the permissions
that the person has set in the agent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aftershock.approval import Gate
from aftershock.gate import any_json

CAN_ASK = frozenset({"claude-code", "gemini-cli", "copilot", "cursor"})
COMMAND_TOOLS = {"beforeShellExecution": "Shell"}
RUN_KEYS = ("session_id", "sessionId", "sessionID", "conversation_id", "thread_id")
ID_CHARS_MAX = 300  # of names, which are kept for long: a coding agent's have fifty
TEXT_CHARS_MAX = 6_000  # of an answer: what a model reads


@dataclass(frozen=True, slots=True)
class HookCall:
    """A tool call as a coding agent announces it."""

    agent: str
    tool: str
    arguments: Mapping[str, Any]
    run: str

    @property
    def can_ask(self) -> bool:
        """True where the agent's form lets a hook ask the person before it."""
        return self.agent in CAN_ASK


def read_event(agent: str, event: Mapping[str, Any]) -> HookCall | None:
    """The call that an event announces; None for an event that announces none."""
    agent = agent or agent_of(event)
    run = next((str(event[key]) for key in RUN_KEYS if event.get(key)), "")[:ID_CHARS_MAX]
    name = str(event.get("hook_event_name") or "")
    if name in COMMAND_TOOLS:
        arguments = {"command": str(event.get("command") or "")}
        return HookCall(agent, COMMAND_TOOLS[name], arguments, run)
    tool = event.get("tool_name") or event.get("toolName") or event.get("tool")
    if not isinstance(tool, str) or not tool:
        return None
    given: Any = event.get("tool_input", event.get("toolArgs", event.get("args")))
    return HookCall(agent[:ID_CHARS_MAX], tool[:ID_CHARS_MAX], arguments_of(given), run)


def agent_of(event: Mapping[str, Any]) -> str:
    """Whose event it is, by its shape."""
    name = str(event.get("hook_event_name") or "")
    if name == "BeforeTool":
        return "gemini-cli"
    if name.startswith(("before", "preTool")) and "conversation_id" in event:
        return "cursor"
    if "toolName" in event:
        return "copilot"
    if "sessionID" in event:
        return "opencode"
    return "codex" if "turn_id" in event else "claude-code"


def arguments_of(given: Any) -> Mapping[str, Any]:
    """Arguments by name; some agents send them as a text of JSON."""
    if isinstance(given, str):
        try:
            parsed: Any = any_json.loads(given)
        except ValueError:
            return {"input": given}
        return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"input": given}
    return cast("dict[str, Any]", given) if isinstance(given, dict) else {}


def answer(agent: str, gate: Gate, text: str) -> dict[str, Any]:
    """What the hook prints, and its exit code."""
    if gate in {Gate.ALLOW, Gate.WARN}:
        return {"stdout": "", "stderr": f"{text}\n" if text else "", "exit": 0}
    text = text[:TEXT_CHARS_MAX]
    asks = gate is Gate.ASK and agent in CAN_ASK
    word = "ask" if asks else "deny"
    match agent:
        case "gemini-cli":
            body: dict[str, Any] = {"decision": word, "reason": text}
        case "copilot":
            body = {"permissionDecision": word, "permissionDecisionReason": text}
        case "cursor":
            body = {"permission": word, "user_message": text, "agent_message": text}
        case "opencode":
            body = {"deny": True, "reason": text}
        case _:  # Claude Code, Codex and those that copy their form
            body = {
                "hookSpecificOutput": {
                    "hookEventName": "PreToolUse",
                    "permissionDecision": word,
                    "permissionDecisionReason": text,
                }
            }
    return {"stdout": json.dumps(body) + "\n", "stderr": "", "exit": 0}
