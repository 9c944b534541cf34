"""The processes of the demo: started with a log each, awaited, and stopped to the last one."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

READY_TIMEOUT_S = 120.0  # on a busy machine; one that ends is noticed at once
STOP_TIMEOUT_S = 6.0
REDIRECTING = ("AFTERSHOCK_", "LANGCHAIN_", "LANGSMITH_", "OPENAI_", "OTEL_", "PG", "PROMETHEUS_")


class FailedError(Exception):
    """A process of the demo could not start, or ended when it should not have."""


class Child:
    """One process, in a group of its own: Ctrl-C reaches it only through us.

    What it prints goes to `<name>.out`, what it complains about to `<name>.log`.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        logs: Path,
        environment: Mapping[str, str],
        **how: Any,
    ) -> None:
        self.name = name
        self.printed = logs / f"{name}.out"
        self.log = logs / f"{name}.log"
        with self.printed.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 (our own programs)
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env={**ordinary_environment(), **environment},
                start_new_session=True,
                **how,
            )

    @property
    def lines(self) -> list[str]:
        """The whole lines that it has printed so far."""
        return self.printed.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]

    @property
    def running(self) -> bool:
        """False once it has ended."""
        return self.process.poll() is None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until it is ready. Raises FailedError with the end of its log."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running:
                raise FailedError(f"{self.name} ended at once.\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise FailedError(f"{self.name} was not ready in time.\n{self.last_words()}")
            time.sleep(0.05)

    def wait_for_end(self, timeout_s: float) -> int | None:
        """Its exit code; None where it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(timeout_s)
        return None

    def addresses(self) -> dict[str, str]:
        """Where it listens: the first line that it prints, JSON."""
        self.wait_until(lambda: bool(self.lines))
        found: dict[str, str] = json.loads(self.lines[0])
        return found

    def last_words(self) -> str:
        """The end of its log, for a person."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def ask_to_stop(self) -> None:
        """Ask it to end."""
        if self.running:
            self.process.terminate()

    def stop(self) -> None:
        """Ask it to end, then make it, with everything that it started."""
        self.ask_to_stop()
        self.wait_for_end(STOP_TIMEOUT_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def ordinary_environment() -> dict[str, str]:
    """This process's environment, without what would send the demo's own traffic elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(REDIRECTING)}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


class Children:
    """Every process that was started; leaving the context stops them all."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.started: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self.started):
            child.ask_to_stop()
        for child in reversed(self.started):
            child.stop()

    def named(self, name: str) -> Child:
        """The newest process of that name."""
        return next(child for child in reversed(self.started) if child.name == name)

    def remark(self, text: str) -> None:
        """Keep a remark beside the logs."""
        with (self.logs / "notes.log").open("a", encoding="utf-8") as notes:
            notes.write(f"{text}\n")

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Child:
        """Start a program. Raises FailedError where it can't be."""
        try:
            child = Child(name, command, self.logs, environment or {}, **how)
        except OSError as error:
            raise FailedError(f"{name} could not be started: {error}") from error
        self.started.append(child)
        return child

    def start_module(self, name: str, *arguments: str) -> Child:
        """Start one of the demo's own programs, `aftershock_collector.demo.<name>`."""
        module = f"aftershock_collector.demo.{name}"
        return self.start(name, [sys.executable, "-m", module, *arguments])


# --- On the other side: a program of the demo, talking to whoever started it --------------------


def announce(**addresses: str) -> None:
    """Print where this program listens, for `Child.addresses`."""
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()


def stop_event() -> threading.Event:
    """Set when this program is told to stop."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped
