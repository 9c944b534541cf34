"""Standard input and output: the server is a child process, and its streams pass through us."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import TYPE_CHECKING

from aftershock.proxy.admitting import MESSAGE_BYTES_MAX, record_unread
from aftershock.proxy.relay import Relay
from aftershock.recorder.launcher import NOT_EXECUTABLE, NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aftershock.proxy.sessions import Session

READ_BYTES = 65_536
HEAD_BYTES = 4_096  # of a message that is not read: where its id is
END_S = 2.0  # for a server to end once its input has ended, as MCP's own clients wait
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def relay_stdio(command: list[str], environment: Mapping[str, str], session: Session) -> int:
    """Run a server until it or its client ends. Returns its exit code."""
    loop = asyncio.get_running_loop()
    try:
        server = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=dict(environment)
        )
    except OSError as error:
        sys.stderr.write(f"aftershock mcp-proxy: {command[0]}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    assert server.stdin is not None
    assert server.stdout is not None
    for number in PASSED_ON:
        loop.add_signal_handler(number, send_signal, server, number)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout.buffer
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    relay = Relay(session, line_to(server.stdin), line_to(writer))
    client_side = asyncio.create_task(from_client(reader, relay))
    server_side = asyncio.create_task(from_server(server.stdout, writer, relay))
    await asyncio.wait({client_side, server_side}, return_when=asyncio.FIRST_COMPLETED)
    if client_side.done():
        await relay.settle(END_S)
    client_side.cancel()
    code = await ended(server, server_side)
    await relay.close()
    return code


async def from_client(reader: asyncio.StreamReader, relay: Relay) -> None:
    """Until the client sends no more."""

    async def too_large(head: bytes) -> None:
        del head  # it is refused, and so is the rest
        await relay.refuse()

    async def drop(_rest: bytes) -> None:
        """The end of what was refused."""

    await each_line(reader, relay.from_client, too_large, drop)


async def from_server(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relay: Relay
) -> None:
    """Until the server sends no more. What is too large to be read passes unread."""

    async def too_large(head: bytes) -> None:
        record_unread(relay.session, head[:HEAD_BYTES])
        await pass_on(head)

    async def pass_on(piece: bytes) -> None:
        writer.write(piece)
        with suppress(ConnectionError):  # the client is gone, which its own side notices
            await writer.drain()

    await each_line(reader, relay.from_server, too_large, pass_on)


async def each_line(
    reader: asyncio.StreamReader,
    whole: Callable[[bytes], Awaitable[None]],
    too_large: Callable[[bytes], Awaitable[None]],
    rest: Callable[[bytes], Awaitable[None]],
) -> None:
    """Each line, whole; of one beyond the bound its head and, in pieces, its rest."""
    held = bytearray()
    is_large = False
    while data := await reader.read(READ_BYTES):
        *ended_lines, last = data.split(b"\n")
        for line in ended_lines:
            if is_large:
                await rest(line + b"\n")
            elif held or line.strip():
                await whole(bytes(held) + line)
            held.clear()
            is_large = False
        if is_large:
            await rest(last)
            continue
        held += last
        if len(held) > MESSAGE_BYTES_MAX:
            is_large = True
            await too_large(bytes(held))
            held.clear()
    if held:
        await whole(bytes(held))


def line_to(writer: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
    """A function that sends one message as a line, and waits while the other side is slow."""

    async def send(raw: bytes) -> None:
        writer.write(raw + b"\n")
        with suppress(ConnectionError):  # it is gone, which the reading side notices
            await writer.drain()

    return send


async def ended(server: Process, reading: asyncio.Task[None]) -> int:
    """The server's exit code, once it got the time to end that MCP gives it."""
    assert server.stdin is not None
    server.stdin.close()  # the client is gone, or the server: both end like this
    for stop in (lambda: None, server.terminate, server.kill):
        with suppress(ProcessLookupError):
            stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait(), END_S)
            break
    with suppress(TimeoutError):  # what it wrote last
        await asyncio.wait_for(reading, END_S)
    code = server.returncode
    return os.EX_SOFTWARE if code is None else code


def send_signal(server: Process, number: int) -> None:
    """Pass a signal on."""
    with suppress(ProcessLookupError):
        server.send_signal(number)
