"""The database's owner in the guarded play: sees what was held back, reads a request, approves it.

They use what anybody would use: the commands of `aftershock approvals`, each a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from aftershock_collector.demo.display import Display
from aftershock_collector.demo.processes import FailedError
from aftershock_collector.demo.stage import Stage

AGENT, TOOL = "sre_agent", "scale_workers"
HELD = f"{TOOL} was not run."
READS_S = 2.0  # a person reads before they answer
COMMAND_S = 30.0
NAME = "dba"
BECAUSE = "it leaves one worker's connections free"


class Approver:
    """Comes in once a second."""

    def __init__(self, stage: Stage, display: Display) -> None:
        self._stage = stage
        self._display = display
        self._read_s: float | None = None
        self.held: str | None = None  # what the model read in place of a result
        self.ticket: dict[str, Any] | None = None
        self.approved = False

    def come_in(self) -> None:
        """Show what was held back; read and answer what is asked."""
        if self.held is None:
            self.held = held_text(self._stage.children.named(AGENT).lines)
            if self.held is not None:
                self._display.panel("held back · what the model reads instead", self.held, "yellow")
        elif self.ticket is None:
            asked: list[dict[str, Any]] = json.loads(self._command("--json"))["data"]
            if asked:
                self.ticket, self._read_s = asked[0], time.monotonic()
                text = self._command("show", str(self.ticket["number"]))
                self._display.panel(f"approval · what {NAME} reads", text.strip(), "cyan")
        elif not self.approved and time.monotonic() - (self._read_s or 0.0) >= READS_S:
            number = str(self.ticket["number"])
            answer = self._command("approve", number, "--by", NAME, "--because", BECAUSE)
            self.approved = True
            self._display.panel("approved", f"{answer.strip()}: {BECAUSE}", "green")

    @property
    def words(self) -> str:
        """What became of it, in one sentence."""
        if self.held is None:
            return "No call was held back."
        kept = "One call was held back"
        return f"{kept}; {NAME} approved another." if self.approved else f"{kept}."

    def _command(self, *words: str) -> str:
        """What `aftershock approvals` prints. Raises FailedError."""
        ran = subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", "aftershock_collector.cli", "approvals", *words],
            env={**os.environ, "AFTERSHOCK_HOME": str(self._stage.home)},
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if ran.returncode != 0:
            raise FailedError(f"aftershock approvals {' '.join(words)}: {ran.stderr.strip()}")
        return ran.stdout


def held_text(lines: Sequence[str]) -> str | None:
    """What the agent printed in place of the tool's result; None: not yet, or not all of it."""
    if HELD not in lines:
        return None
    found: list[str] = []
    for line in lines[lines.index(HELD) :]:
        if line.startswith("====="):  # the next message of the conversation
            return "\n".join(found).rstrip()
        found.append(line)
    return None
