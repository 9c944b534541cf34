"""What each coding agent needs to send its telemetry here, and to ask the gate.

Pure. An agent reads JSON settings, TOML settings, or environment variables alone; variables are
written into a file of ours that a shell reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Needs:
    """What one agent needs. Paths begin with `~` or with a folder's placeholder."""

    agent: str
    service: str  # as its runs are called
    documents: Mapping[str, Json] = field(default_factory=dict[str, Json])  # JSON: merged
    texts: Mapping[str, str] = field(default_factory=dict[str, str])  # our block in a text
    files: Mapping[str, str] = field(default_factory=dict[str, str])  # files of our own
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    remarks: tuple[str, ...] = ()


def needs_of(agent: str, endpoint: str, gate: str | None) -> Needs:
    """What an agent needs.

    Args:
        agent: one of AGENTS.
        endpoint: where OTLP over HTTP is received, without a path.
        gate: the command that answers hooks; None: no hook is wanted.
    """
    return AGENTS[agent](endpoint.rstrip("/"), gate)


def pre_tool_use(command: str) -> Json:
    """A hook before each tool call, in the form that Claude Code gave it."""
    return {"PreToolUse": [{"matcher": "*", "hooks": [{"type": "command", "command": command}]}]}


def claude_code(endpoint: str, gate: str | None) -> Needs:
    """Claude Code: one file for variables and hooks."""
    variables = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_LOG_TOOL_DETAILS": "1",
    }
    document: dict[str, Any] = {"env": variables}
    if gate is not None:
        document["hooks"] = pre_tool_use(f"{gate} --agent claude-code")
    remarks = ("OTEL_LOG_TOOL_DETAILS sends commands and file names; secrets are removed here.",)
    return Needs(
        "claude-code", "claude-code", {"~/.claude/settings.json": document}, remarks=remarks
    )


def codex(endpoint: str, gate: str | None) -> Needs:
    """Codex: its log events; its traces are internals. Hooks have a file of their own."""
    exporter = f'{{ otlp-http = {{ endpoint = "{endpoint}/v1/logs", protocol = "binary" }} }}'
    hooks = f"{gate} --agent codex"
    documents = {} if gate is None else {"~/.codex/hooks.json": {"hooks": pre_tool_use(hooks)}}
    remarks = () if gate is None else ("Codex asks once whether it may trust the hook: /hooks.",)
    block = f"[otel]\nexporter = {exporter}\n"
    return Needs("codex", "codex", documents, {"~/.codex/config.toml": block}, remarks=remarks)


def gemini(endpoint: str, gate: str | None) -> Needs:
    """Gemini CLI."""
    # Without prompts it sends no arguments either, and no exit codes.
    document = like_gemini(endpoint, prompts=True)
    if gate is not None:
        command = f"{gate} --agent gemini-cli"
        hook = {"matcher": "*", "hooks": [{"type": "command", "command": command}]}
        document |= {"hooksConfig": {"enabled": True}, "hooks": {"BeforeTool": [hook]}}
    remarks = (
        "Arguments come only with prompts and answers, which are removed when they arrive here.",
    )
    return Needs("gemini", "gemini-cli", {"~/.gemini/settings.json": document}, remarks=remarks)


def qwen(endpoint: str, gate: str | None) -> Needs:
    """Qwen Code, with Claude Code's hooks."""
    document = like_gemini(endpoint, prompts=False)
    if gate is not None:
        document["hooks"] = pre_tool_use(f"{gate} --agent qwen-code")
    return Needs("qwen", "qwen-code", {"~/.qwen/settings.json": document})


def like_gemini(endpoint: str, *, prompts: bool) -> dict[str, Any]:
    """The settings that Qwen Code has in common with Gemini CLI."""
    telemetry = {
        "enabled": True,
        "target": "local",
        "otlpProtocol": "http",
        "otlpEndpoint": endpoint,
        "logPrompts": prompts,
    }
    return {"telemetry": telemetry}


def copilot(endpoint: str, gate: str | None) -> Needs:
    """Copilot CLI: variables alone."""
    variables = {
        "COPILOT_OTEL_ENABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
    }
    hook = {"type": "command", "bash": f"{gate} --agent copilot", "timeoutSec": 60}
    document = {"version": 1, "hooks": {"preToolUse": [hook]}}
    files = {} if gate is None else {"~/.copilot/hooks/aftershock.json": json.dumps(document)}
    remarks = (
        "Arguments come only with prompts and answers, which are removed when they arrive here.",
    )
    return Needs("copilot", "github-copilot", {}, {}, files, variables, remarks)


def goose(endpoint: str, _gate: str | None) -> Needs:
    """Goose."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    remarks = ("It has no hooks, and does not say how calls ended.",)
    return Needs("goose", "goose", variables=variables, remarks=remarks)


def opencode(endpoint: str, gate: str | None) -> Needs:
    """OpenCode: a plug-in is its hook."""
    document = {"experimental": {"openTelemetry": True}}
    files = (
        {}
        if gate is None
        else {"~/.config/opencode/plugin/aftershock.js": PLUGIN % json.dumps(gate)}
    )
    return Needs(
        "opencode",
        "opencode",
        {"~/.config/opencode/opencode.json": document},
        {},
        files,
        {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
        ("Commands that OpenCode runs inherit the variable.",),
    )


def openclaw(endpoint: str, _gate: str | None) -> Needs:
    """OpenClaw."""
    telemetry = {
        "enabled": True,
        "endpoint": endpoint,
        "protocol": "http/protobuf",
        "traces": True,
        "metrics": True,
        "logs": True,
    }
    document = {
        "diagnostics": {"enabled": True, "otel": telemetry},
        "plugins": {"entries": {"diagnostics-otel": {"enabled": True}}},
    }
    remarks = ("By OpenClaw's documentation; not tried with a real one.",)
    return Needs(
        "openclaw", "openclaw-gateway", {"~/.openclaw/openclaw.json": document}, remarks=remarks
    )


def cline(_endpoint: str, _gate: str | None) -> Needs:
    """Cline: nothing can be set."""
    remarks = (
        "Cline 3.0.65 sends its telemetry to its maker only: no setting of yours changes where.",
        "Its session files are read: aftershock import --transcripts.",
    )
    return Needs("cline", "cline", remarks=remarks)


AGENTS = {
    "claude-code": claude_code,
    "codex": codex,
    "gemini": gemini,
    "qwen": qwen,
    "copilot": copilot,
    "goose": goose,
    "opencode": opencode,
    "openclaw": openclaw,
    "cline": cline,
}

# A call that the gate cannot be asked about does not run: it was put there to be asked.
PLUGIN = """\
import { spawnSync } from "node:child_process"

export const Aftershock = async () => ({
  "tool.execute.before": async (input, output) => {
    const event = { ...input, args: output.args }
    const options = { input: JSON.stringify(event), encoding: "utf8", shell: true, timeout: 60000 }
    const asked = spawnSync(%s + " --agent opencode", options)
    if (asked.error || asked.status !== 0)
      throw new Error("aftershock gate did not answer: " + (asked.error || asked.stderr))
    const answer = asked.stdout.trim() ? JSON.parse(asked.stdout) : {}
    if (answer.deny) throw new Error(answer.reason)
  },
})
"""
