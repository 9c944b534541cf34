"""The play with a coding agent: how its session is started, and what an onlooker sees of it.

The agent is connected as anybody would connect theirs, by `aftershock connect claude-code --write`.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import Any

from aftershock_collector.demo.display import Display
from aftershock_collector.demo.processes import Child, FailedError
from aftershock_collector.demo.stage import PROGRAM, Stage

NAME = "coding_agent"
CONNECT_S = 30.0
WHAT_IS_REAL = (
    "A stand-in plays Claude Code, with its telemetry, its settings and its hook, and a scripted"
    " model decides. Real are PostgreSQL and its log, the shell, psql, the rows, the shop with its"
    " customers, and the collector, which knows nothing of the script."
)


def start_session(stage: Stage, *, gate: bool) -> Child:
    """Connect the agent and give it its task. Raises FailedError."""
    home = stage.agent_home
    binaries = home / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    program = binaries / "aftershock"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    developer = dict(stage.shop.developer)
    environment = {
        **developer,
        "PATH": f"{binaries}{os.pathsep}{developer['PATH']}",
        "HOME": str(home),
        "AFTERSHOCK_HOME": str(stage.home),
        "AFTERSHOCK_POLICY": str(stage.policy),
    }
    settings = home / ".claude" / "settings.json"
    settings.unlink(missing_ok=True)  # an earlier play in the same folder
    command = [str(program), "connect", "claude-code", "--write", "--endpoint", stage.collector]
    connected = stage.children.start(
        "connect", [*command, *(["--gate"] if gate else [])], environment
    )
    if connected.wait_for_end(CONNECT_S) != 0:
        raise FailedError(f"aftershock connect failed.\n{connected.last_words()}")
    return stage.children.start(
        NAME,
        [sys.executable, "-m", f"aftershock_collector.demo.agents.{NAME}"],
        {**environment, "OPENAI_BASE_URL": stage.model, "OPENAI_API_KEY": "none"},
    )


class CodingSession:
    """Shows what the agents run, what is held back, and what the parent answers."""

    def __init__(self, child: Child, display: Display) -> None:
        self._child = child
        self._display = display
        self._shown = 0
        self.held: str | None = None  # what the sub-agent's model read in place of a result
        self.answer: str | None = None

    def come_in(self) -> None:
        """Show what is new."""
        lines = self._child.lines
        for line in lines[self._shown :]:
            self._show(json.loads(line))
        self._shown = len(lines)

    def _show(self, line: dict[str, Any]) -> None:
        if "answer" in line:
            self.answer = str(line["answer"])
            self._display.panel("claude-code · its answer", self.answer, "cyan")
            return
        if line["tool"] != "Bash":
            return  # it ends after everything that the sub-agent did, which was shown
        agent = "claude-code" if line["agent"] is None else f"its sub-agent {line['agent']}"
        result = str(line["result"]).rstrip()
        if line["denied"]:
            self.held = result
            self._display.panel(f"{agent} · held back, this is read instead", result, "yellow")
            return
        self._display.panel(
            f"{agent} · runs", f"$ {line['arguments']['command']}\n{result}", "blue"
        )

    @property
    def words(self) -> str:
        """What became of it, in one sentence."""
        return "Nothing was held back." if self.held is None else "The deletion was held back."
