"""`aftershock run CMD…`: start a program recorded, without a change to its code."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from aftershock.recorder.settings import service_name, set_defaults

USAGE = """usage: aftershock run COMMAND [ARGUMENT…]

Runs a program with its agents recorded: python agent.py, uvicorn app:api, pytest, a shell script…
Its child processes are recorded too. Telemetry goes to where OTEL_EXPORTER_OTLP_ENDPOINT says, else
to the collector on this machine: collector.http of aftershock.yaml, or AFTERSHOCK_HTTP.
"""
STARTUP = Path(__file__).parent / "startup"  # holds our sitecustomize
NOT_FOUND, NOT_EXECUTABLE = 127, 126  # what a shell answers


def main(argv: list[str]) -> int:
    """Replace this process by the command, instrumented. Returns only where that fails."""
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command or command[0] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0 if command else 2
    environment = os.environ
    set_defaults()
    environment["PYTHONPATH"] = with_startup(environment.get("PYTHONPATH", ""))
    if name := service_name(command):
        environment.setdefault("AFTERSHOCK_SERVICE_NAME", name)
    program = shutil.which(command[0])
    if program is None:
        sys.stderr.write(f"aftershock: {command[0]}: command not found\n")
        return NOT_FOUND
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(program, command)  # noqa: S606 (the user's own command)
    except OSError as error:
        sys.stderr.write(f"aftershock: {command[0]}: {error.strerror}\n")
        return NOT_EXECUTABLE


def with_startup(path: str) -> str:
    """A PYTHONPATH that begins with our folder."""
    places = [place for place in path.split(os.pathsep) if place and place != str(STARTUP)]
    return os.pathsep.join([str(STARTUP), *places])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
