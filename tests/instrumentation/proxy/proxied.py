"""Real MCP clients and servers of the SDK, with the proxy as a real process between them."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.types import Implementation

from tests.instrumentation.running import PROGRAMS, environment
from tests.support.otlp_sink import Received, Sink

PROXY = [sys.executable, "-m", "aftershock_collector.cli", "mcp-proxy"]
SERVER = str(PROGRAMS / "mcp_server.py")
NOWHERE = "http://127.0.0.1:9"  # no collector listens there
ME = Implementation(name="city-bot", version="1")


def variables(url: str, policy: Path | None = None, **more: str) -> dict[str, str]:
    """Of a proxy that sends to `url`, with no collector to ask unless one is named."""
    given = {"AFTERSHOCK_COLLECTOR": NOWHERE, **more}
    if policy is not None:
        given["AFTERSHOCK_POLICY"] = str(policy)
    return environment(OTEL_EXPORTER_OTLP_ENDPOINT=url, **given)


@asynccontextmanager
async def over_stdio(
    marks: Path, env: dict[str, str], *options: str, client: dict[str, Any] | None = None
) -> AsyncGenerator[Client]:
    """A client whose server is behind the proxy."""
    command = [*PROXY, *options, "--", sys.executable, SERVER, str(marks)]
    server = StdioServerParameters(command=command[0], args=command[1:], env=env)
    async with Client(server, client_info=ME, **(client or {})) as connected:
        yield connected


@contextmanager
def http_server(marks: Path, kind: str = "") -> Generator[str]:
    """A server over streamable HTTP; gives its URL."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, SERVER, str(marks), str(port), kind],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.kill()
        server.wait()


@contextmanager
def http_proxy(url: str, env: dict[str, str], *options: str) -> Generator[str]:
    """The proxy before a URL; gives its own."""
    port = free_port()
    listen = ["--url", url, "--listen", f"127.0.0.1:{port}"]
    proxy = subprocess.Popen([*PROXY, *listen, *options], env=env)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        proxy.terminate()
        assert proxy.wait(30) == 0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port: int) -> None:
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def calls_in(sink: Sink, tool: str) -> list[Received]:
    """Ended spans of calls of a tool."""
    return [span for span in sink.spans if span.name == f"execute_tool {tool}"]


def text_in(result: Any) -> str:
    """What the model reads."""
    return "".join(part.text for part in result.content)


def ran(marks: Path) -> list[str]:
    """What the server really ran."""
    return marks.read_text().splitlines() if marks.exists() else []


async def until_ran(marks: Path, line: str) -> None:
    """Until the server has run something."""
    deadline_s = time.monotonic() + 60
    while line not in ran(marks) and time.monotonic() < deadline_s:  # noqa: ASYNC110 (a file)
        await asyncio.sleep(0.05)
