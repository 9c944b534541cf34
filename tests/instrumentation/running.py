"""Running a program of `programs/` under `aftershock run`, as a user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
# Our loggers, modules and source files.
OURS = re.compile(
    r"\baftershock(?:_collector)?[.:]|instrumentation/aftershock/|collector/aftershock"
)


def environment(**more: str) -> dict[str, str]:
    """This environment without OpenTelemetry's variables, with these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "AFTERSHOCK_"))}
    key = {"AFTERSHOCK_FINGERPRINT_KEY": "a key that the tests have in common"}
    return {**kept, "OPENAI_API_KEY": "none", **key, **more}


def lines_of_ours(errors: str) -> list[str]:
    """What our code logged or raised, in the errors of a program.

    The folder of the checkout may have our name, and stands in every path of its environment.
    """
    return [line for line in errors.splitlines() if OURS.search(line)]


def run_program(
    program: str, variables: dict[str, str], *, recorded: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    launcher = [sys.executable, "-m", "aftershock.recorder.launcher"] if recorded else []
    command = [*launcher, sys.executable, str(PROGRAMS / program)]
    return subprocess.run(
        command,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=PROGRAMS.parent,
    )
