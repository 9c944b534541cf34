"""The stand-in for a coding agent: Claude Code's telemetry, settings, hook and sub-agents.

Its model is scripted; the shell that it has is real. What it does is printed, a JSON object a line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI

from aftershock.attributes import TOOL_CALL_ID
from aftershock_collector.demo.agents.claude_code_records import (
    Records,
    call_in_event,
    call_in_span,
    milliseconds_since,
    request_of,
    traceparent,
)

TASK = (
    "Accounts that our load tests made are still in the table customers of the database orders."
    " Have it cleaned up."
)
PARENT = "You are a coding agent. You may run commands, and start sub-agents."
SUBAGENT = "You are a sub-agent of a coding agent. You may run commands."
MODEL = "gpt-demo"
COMMAND_S, HOOK_S = 30.0, 60.0
TEXT = {"type": "string"}
BASH = {"command": TEXT, "description": TEXT}
AGENT = {"description": TEXT, "prompt": TEXT, "subagent_type": TEXT}


@dataclass(frozen=True, slots=True)
class Settings:
    """What stands in `~/.claude/settings.json`, as `aftershock connect` writes it."""

    variables: Mapping[str, str]
    hooks: tuple[str, ...]  # commands that are asked before a tool runs

    @classmethod
    def of_home(cls) -> Settings:
        """Those of this process's home."""
        place = Path.home() / ".claude" / "settings.json"
        document: Any = json.loads(place.read_text(encoding="utf-8"))
        groups: Any = document.get("hooks", {}).get("PreToolUse", [])
        commands = tuple(str(hook["command"]) for group in groups for hook in group["hooks"])
        return cls(document["env"], commands)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call that the model asked for."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    agent: str | None  # the sub-agent that makes it; None: the parent


class CodingAgent:
    """One session: a parent, and the sub-agents that it starts."""

    def __init__(self, settings: Settings) -> None:
        self.session = str(uuid.uuid4())
        self.settings = settings
        self.model = OpenAI()
        self.records = Records(settings.variables["OTEL_EXPORTER_OTLP_ENDPOINT"], self.session)

    def work(self, task: str) -> str:
        """Do the task; returns the last words."""
        with self.records.span("interaction", None, {"interaction.sequence": 1}):
            self.records.event("user_prompt", None, {"prompt_length": str(len(task))})
            return self.converse(PARENT, task, None, ("Bash", "Agent"))

    def converse(self, system: str, task: str, agent: str | None, tools: tuple[str, ...]) -> str:
        """Ask the model and call the tools until it has an answer."""
        messages: list[Any] = [
            {"role": "system", "content": system},
            {"role": "user", "content": task},
        ]
        while True:
            message = self.ask(messages, agent, tools)
            if not message.tool_calls:
                own = {"response_length": len(message.content or ""), "model": MODEL}
                self.records.event("assistant_response", agent, own)
                return str(message.content)
            messages.append(message)
            for asked in message.tool_calls:
                arguments = json.loads(asked.function.arguments)
                call = Call(f"toolu_{uuid.uuid4().hex}", asked.function.name, arguments, agent)
                result = self.call(call)
                messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})

    def ask(self, messages: list[Any], agent: str | None, tools: tuple[str, ...]) -> Any:
        """One request to the model."""
        began_s = time.monotonic()
        with self.records.span("llm_request", agent, {"success": True}) as span:
            completion = self.model.chat.completions.create(
                model=MODEL, messages=messages, tools=[schema(tool) for tool in tools]
            )
            usage = completion.usage
            used = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
            own = request_of(f"req_{uuid.uuid4().hex}", MODEL, used, began_s)
            span.set_attributes(own)
        self.records.event("api_request", agent, own)
        return completion.choices[0].message

    def call(self, call: Call) -> str:
        """Call a tool, unless a hook denies it; returns what the model reads."""
        own = call_in_span(call.tool, call.id, call.arguments)
        in_events = call_in_event(call.tool, call.id, call.arguments)
        with self.records.span("tool", call.agent, own):
            refusal = self.asked_hooks(call)
            decided = {"decision": "accept", "source": "config"}
            if refusal is not None:
                decided = {"decision": "reject", "source": "hook"}
            with self.records.span("tool.blocked_on_user", call.agent, decided):
                self.records.event("tool_decision", call.agent, in_events | decided)
            if refusal is not None:
                report(call, refusal, denied=True)
                return refusal
            began_s = time.monotonic()
            executed = {key: own[key] for key in ("tool_use_id", TOOL_CALL_ID)}
            with self.records.span("tool.execution", None, executed) as span:
                result, succeeded = self.run(call)
                span.set_attribute("success", succeeded)
            ended = {
                "success": str(succeeded).lower(),
                "duration_ms": str(milliseconds_since(began_s)),
                "tool_input": json.dumps(call.arguments),
                **({} if succeeded else {"error_type": "ShellError"}),
            }
        self.records.event("tool_result", call.agent, in_events | ended)
        report(call, result)
        return result

    def asked_hooks(self, call: Call) -> str | None:
        """Why a hook denies a call; None: none does. To ask a person is to deny: there is none."""
        event = {
            "session_id": self.session,
            "cwd": str(Path.cwd()),
            "hook_event_name": "PreToolUse",
            "permission_mode": "default",
            "tool_name": call.tool,
            "tool_input": call.arguments,
            "tool_use_id": call.id,
        }
        for command in self.settings.hooks:
            ran = subprocess.run(  # noqa: S602  (hooks are command lines)
                command,
                shell=True,
                input=json.dumps(event),
                env={**os.environ, **self.settings.variables},
                capture_output=True,
                text=True,
                timeout=HOOK_S,
                check=True,
            )
            answer: Any = json.loads(ran.stdout) if ran.stdout.strip() else {}
            decided = answer.get("hookSpecificOutput", {})
            if decided.get("permissionDecision") in {"deny", "ask"}:
                return str(decided["permissionDecisionReason"])
        return None

    def run(self, call: Call) -> tuple[str, bool]:
        """What a tool returns, and whether it succeeded."""
        if call.tool == "Agent":
            inner = f"a{uuid.uuid4().hex[:16]}"
            return self.converse(SUBAGENT, call.arguments["prompt"], inner, ("Bash",)), True
        environment = {
            **os.environ,
            "TRACEPARENT": traceparent(),
            "CLAUDE_CODE_SESSION_ID": self.session,
        }
        ran = subprocess.run(  # noqa: S602  (a shell is what the tool is)
            call.arguments["command"],
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        return ran.stdout, ran.returncode == 0


def schema(tool: str) -> Any:
    """A tool, as the model is offered it."""
    properties = BASH if tool == "Bash" else AGENT
    parameters = {"type": "object", "properties": properties, "required": [*properties]}
    return {"type": "function", "function": {"name": tool, "parameters": parameters}}


def report(call: Call, result: str, *, denied: bool = False) -> None:
    """Print one call for whoever started this program."""
    line = {"agent": call.agent, "tool": call.tool, "arguments": call.arguments}
    write(line | {"result": result, "denied": denied})


def write(line: Mapping[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do the task once."""
    agent = CodingAgent(Settings.of_home())
    try:
        write({"answer": agent.work(TASK)})
    finally:
        agent.records.close()


if __name__ == "__main__":
    main()
