"""Dry runs: what a call would do, tried without an effect where the agent runs.

Two kinds are known to have none: a function that the tool's author gives for that, and commands
whose programs have such a mode. Anything else is never tried.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aftershock.gate.dry_commands import dry_command
from aftershock.gate.hooks import read_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aftershock.gate.decide import Call

COMMAND_S = 10.0  # a plan of some hundred resources; a person waits no longer for a request
DRY_RUN_S = COMMAND_S + 1.0  # a command is ended by its own time, and says so
AT_ONCE_MAX = 4  # of one process: threads that hang cannot be ended
OUTPUT_BYTES_MAX = 100_000  # read of one command: a plan's head
TEXT_CHARS_MAX = 6_000  # that a person is shown
NOT_KNOWN = "Not tried: nothing is known that would try this call without an effect."
TOO_LONG = f"Given up: it took longer than {COMMAND_S:.0f} s."
BUSY = "Not tried: earlier dry runs of this process have not ended yet."


class DryRuns:
    """Runs them for one process, on threads that nobody waits for at its end."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(AT_ONCE_MAX)

    def done(self, function: Callable[[], Any], timeout_s: float) -> str:
        """What a dry run says, or why it says nothing. Raises nothing."""
        if (running := self._start(function)) is None:
            return BUSY
        try:
            return running.result(timeout_s)
        except TimeoutError:
            return TOO_LONG

    async def done_async(self, function: Callable[[], Any], timeout_s: float) -> str:
        """The same without blocking the event loop."""
        if (running := self._start(function)) is None:
            return BUSY
        try:
            return await asyncio.wait_for(asyncio.wrap_future(running), timeout_s)
        except TimeoutError:
            return TOO_LONG

    def _start(self, function: Callable[[], Any]) -> Future[str] | None:
        """Begin on a thread of its own. None: too many still run."""
        if not self._free.acquire(blocking=False):
            return None
        running: Future[str] = Future()
        running.set_running_or_notify_cancel()  # waiting for it may end; it goes on

        def work() -> None:
            try:
                text = str(function())
            except BaseException as error:  # noqa: BLE001 (the author's: a person reads it)
                text = f"It failed: {type(error).__name__}: {error}"
            finally:
                self._free.release()
            running.set_result(text)

        threading.Thread(target=work, name="aftershock-dry-run", daemon=True).start()
        return running


def dry_run(call: Call) -> str:
    """What a call would do, as text."""
    if call.dry_run is not None:
        return text_of(call.dry_run())
    words = dry_command(call.tool, call.arguments)
    return NOT_KNOWN if words is None else run_command(words)


def tried(agent: str, event: Mapping[str, Any]) -> str:
    """What the call of a coding agent's event would do, as text."""
    call = read_event(agent, event)
    words = None if call is None else dry_command(call.tool, call.arguments)
    return NOT_KNOWN if words is None else run_command(words)


def text_of(result: Any) -> str:
    """What an author's function returned, also where it is async."""
    if inspect.isawaitable(result):

        async def awaited() -> Any:
            return await result

        result = asyncio.run(awaited())
    return str(result)[:TEXT_CHARS_MAX]


def run_command(words: list[str]) -> str:
    """The command, what it printed, and how it ended; it is ended after its time."""
    head = f"$ {' '.join(words)}\n"
    try:
        process = subprocess.Popen(  # noqa: S603 (words of one program; no shell reads them)
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what it started ends with it
        )
    except OSError as error:
        return f"{head}It could not be tried: {error.strerror or error}"
    assert process.stdout is not None
    ended = threading.Timer(COMMAND_S, end, [process])
    ended.start()
    try:
        printed = process.stdout.read(OUTPUT_BYTES_MAX)
        is_cut = len(printed) == OUTPUT_BYTES_MAX
        if is_cut:
            end(process)
        code = process.wait()
    finally:
        was_ended = not ended.is_alive()
        ended.cancel()
        process.stdout.close()
    text = printed.decode("utf-8", "replace").strip()
    last = TOO_LONG if was_ended else "" if is_cut or code == 0 else f"Exit code {code}."
    room = TEXT_CHARS_MAX - len(head) - len(last) - 20
    cut = f"{text[:room]}\n… (cut)" if is_cut or len(text) > room else text
    return f"{head}{cut}\n{last}".rstrip()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
