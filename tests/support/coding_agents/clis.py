"""Coding agents from the package registry: where they are installed, and how each is started.

Each gets an empty home, no login, a scripted model and a receiver on loopback. The programs are
kept in the user's cache, so that a version is fetched once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

CACHE = Path.home() / ".cache" / "aftershock-coding-agents"
INSTALL_S, RUN_S = 600, 120
MODEL = "scripted-1"
GONE = "http://127.0.0.1:9"  # nobody listens: for agents that are to send nowhere
CONNECTED = {"gemini-cli": "gemini", "qwen-code": "qwen"}  # as `aftershock connect` calls them
QUICK = {
    "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    "OTEL_LOGS_EXPORT_INTERVAL": "1000",
    "OTEL_TRACES_EXPORT_INTERVAL": "1000",
}


@dataclass(slots=True)
class Session:
    """One session's surroundings. `environment` and files in `home` are what the agent gets."""

    home: Path
    work: Path
    model: str
    environment: dict[str, str] = field(default_factory=dict[str, str])
    arguments: list[str] = field(default_factory=list[str])  # before those of its agent

    def write(self, path: str, document: Any) -> None:
        """A file in the home that keeps what stands in it already; JSON, or a text."""
        place = self.home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(document, str):
            text = place.read_text() if place.exists() else ""
            place.write_text(document + text)
        else:
            before: Any = json.loads(place.read_text()) if place.exists() else {}
            place.write_text(json.dumps(merged(before, document)))


def merged(before: Any, more: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(more, dict):
        return more
    found = cast("dict[str, Any]", before)
    added = cast("dict[str, Any]", more)
    return found | {key: merged(found.get(key), value) for key, value in added.items()}


@dataclass(frozen=True, slots=True)
class Agent:
    """One coding agent."""

    name: str  # as `aftershock connect` calls it
    package: str
    version: str
    binary: str
    prepare: Callable[[Session], None]
    arguments: Callable[[str], list[str]]

    @property
    def place(self) -> Path:
        return CACHE / f"{self.name}-{self.version}"

    @property
    def program(self) -> Path:
        return self.place / "node_modules" / ".bin" / self.binary

    def install(self) -> None:
        """Fetch it once. Raises OSError or CalledProcessError where that does not work."""
        if self.program.exists():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("npm is not installed")
        self.place.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(self.place), "--no-audit", "--no-fund",
                   "--loglevel=error", f"{self.package}@{self.version}"]  # fmt: skip
        subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True)

    def run(self, session: Session, prompt: str) -> subprocess.CompletedProcess[str]:
        """One headless session, to its end."""
        self.prepare(session)
        environment = {
            "HOME": str(session.home), "PATH": os.environ["PATH"], "TERM": "dumb", "NO_COLOR": "1",
            **session.environment,
        }  # fmt: skip
        return subprocess.run(
            [str(self.program), *session.arguments, *self.arguments(prompt)],
            cwd=session.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_S,
        )


def claude_code(session: Session) -> None:
    session.environment |= {
        "ANTHROPIC_BASE_URL": session.model,
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_PROPAGATE_TRACEPARENT": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def codex(session: Session) -> None:
    session.environment["LOOPBACK_KEY"] = "dummy"
    settings = {
        "model": "gpt-5.1-codex",
        "model_provider": "loopback",
        "approval_policy": "never",
        "sandbox_mode": "danger-full-access",
        "check_for_update_on_startup": False,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    provider = {"name": "loopback", "base_url": f"{session.model}/v1", "wire_api": "responses",
                "env_key": "LOOPBACK_KEY", "supports_websockets": False}  # fmt: skip
    more = ["", "[model_providers.loopback]"]
    more += [f"{key} = {json.dumps(value)}" for key, value in provider.items()]
    more += ["", "[analytics]", "enabled = false", ""]
    place = session.home / ".codex" / "config.toml"
    before = place.read_text() if place.exists() else ""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("\n".join([*lines, "", before, *more]) + "\n")


def gemini(session: Session) -> None:
    session.write(
        ".gemini/settings.json",
        {
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "general": {"enableAutoUpdate": False},
            "privacy": {"usageStatisticsEnabled": False},
        },
    )
    session.environment |= {
        "GEMINI_API_KEY": "dummy",
        "GOOGLE_GEMINI_BASE_URL": session.model,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }


def qwen(session: Session) -> None:
    session.write(
        ".qwen/settings.json",
        {
            "security": {"auth": {"selectedType": "openai"}},
            "general": {"enableAutoUpdate": False},
            "privacy": {"usageStatisticsEnabled": False},
        },
    )
    session.environment |= {
        "OPENAI_API_KEY": "dummy",
        "OPENAI_BASE_URL": f"{session.model}/v1",
        "OPENAI_MODEL": MODEL,
    }


def copilot(session: Session) -> None:
    session.environment |= {
        "COPILOT_PROVIDER_BASE_URL": f"{session.model}/v1",
        "COPILOT_PROVIDER_API_KEY": "dummy",
        "COPILOT_MODEL": MODEL,
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
    }


def opencode(session: Session) -> None:
    options = {"baseURL": f"{session.model}/v1", "apiKey": "dummy"}
    session.write(
        ".config/opencode/opencode.json",
        {
            "autoupdate": False,
            "share": "disabled",
            "model": f"loopback/{MODEL}",
            "small_model": f"loopback/{MODEL}",
            "permission": {"*": "allow"},
            "provider": {
                "loopback": {
                    "npm": "@ai-sdk/openai-compatible",
                    "options": options,
                    "models": {MODEL: {}},
                }
            },
        },
    )
    session.environment |= {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }


def goose(session: Session) -> None:
    session.environment |= {
        "GOOSE_PROVIDER": "openai",
        "GOOSE_MODEL": MODEL,
        "GOOSE_MODE": "auto",
        "GOOSE_DISABLE_KEYRING": "1",
        "OPENAI_API_KEY": "dummy",
        "OPENAI_HOST": session.model,
    }


# By its program for one system: it says less than the others, so a test of its own asks for less.
GOOSE = Agent(
    "goose",
    "@aaif/goose-binary-linux-x64",
    "0.20.1",
    "goose",
    goose,
    lambda prompt: ["run", "--with-builtin", "developer", "--quiet", "-t", prompt],
)

# It sends nothing to its user's collector.
CLINE = Agent(
    "cline",
    "cline",
    "3.0.65",
    "cline",
    lambda _session: None,
    lambda prompt: [
        "--json",
        "--auto-approve",
        "true",
        "-P",
        "openai-compatible",
        "-m",
        MODEL,
        prompt,
    ],
)

AGENTS = {
    agent.name: agent
    for agent in (
        Agent("claude-code", "@anthropic-ai/claude-code", "2.1.332", "claude", claude_code,
              lambda prompt: ["-p", prompt, "--output-format", "json",
                              "--allowedTools", "Bash", "Read", "Agent"]),
        Agent("codex", "@openai/codex", "0.171.0", "codex", codex,
              lambda prompt: ["exec", "--json", "--skip-git-repo-check", prompt]),
        Agent("gemini-cli", "@google/gemini-cli", "0.61.0", "gemini", gemini,
              lambda prompt: ["-p", prompt, "--approval-mode", "yolo", "--skip-trust",
                              "-m", "gemini-2.5-pro", "--output-format", "json"]),
        Agent("qwen-code", "@qwen-code/qwen-code", "0.24.4", "qwen", qwen,
              lambda prompt: ["-p", prompt, "--approval-mode", "yolo", "--auth-type", "openai",
                              "--output-format", "json"]),
        Agent("copilot", "@github/copilot", "1.0.102", "copilot", copilot,
              lambda prompt: ["-p", prompt, "--allow-all-tools", "--allow-all-paths"]),
        Agent("opencode", "opencode-ai", "1.18.33", "opencode", opencode,
              lambda prompt: ["run", "--format", "json", prompt]),
    )
}  # fmt: skip
