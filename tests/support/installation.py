"""`aftershock` as people run it: processes of their own, real sockets, a folder, a receiver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from tests.support.receiver import eventually

AFTERSHOCK = (sys.executable, "-m", "aftershock_collector.cli")
READY_S = 60.0  # a cold start on a machine that does much else


class Installation:
    """One folder with its aftershock.yaml; `up` runs while inside, and again after `kill`."""

    def __init__(self, folder: Path, document: dict[str, Any], **environment: str) -> None:
        self.folder = folder
        self.http = ""
        self.process: subprocess.Popen[str] | None = None
        anywhere = {"http": "127.0.0.1:0", "grpc": "127.0.0.1:0", "tick": "100ms"}
        whole = {**document, "collector": {**anywhere, **document.get("collector", {})}}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "aftershock.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
        clean = {key: v for key, v in os.environ.items() if not key.startswith("AFTERSHOCK_")}
        self.environment = clean | environment | {"AFTERSHOCK_HOME": str(folder / "home")}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill(signal.SIGTERM)

    def start(self) -> list[str]:
        """Start `aftershock up`; returns the lines that it greets with."""
        self.process = subprocess.Popen(
            [*AFTERSHOCK, "up"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "up.log").open("a", encoding="utf-8"),
            text=True,
        )
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line.strip().startswith("next"):
                break
        assert lines, (self.folder / "up.log").read_text(encoding="utf-8")
        self.http = lines[0].split("http://")[1].split(",")[0]
        eventually(self.is_ready, READY_S)
        return lines

    def is_ready(self) -> bool:
        """True where it accepts telemetry and stores it."""
        try:
            return httpx.get(f"http://{self.http}/readyz", timeout=READY_S).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the collector, as an operator or the kernel would."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command in this folder."""
        return subprocess.run(
            [*AFTERSHOCK, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def run_agent(self, source: str, **environment: str) -> None:
        """Run a program with its agents recorded by this collector."""
        program = self.folder / "agent.py"
        program.write_text(source, encoding="utf-8")
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.http}"}
        done = self.run("run", sys.executable, str(program), **(endpoint | environment))
        assert done.returncode == 0, done.stderr
