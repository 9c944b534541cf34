"""Connections that say nothing, or little: each is closed in time, and others are served."""

from __future__ import annotations

import asyncio
import resource
import socket
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import Running, running
from aftershock_collector.sources import descriptors, http_connections
from aftershock_collector.sources.descriptors import CONNECTIONS_MAX, CONNECTIONS_MIN

HERE = Address("127.0.0.1", 0)
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_grpc: Any = grpc
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@asynccontextmanager
async def collector(home: Path) -> AsyncGenerator[Running]:
    async with running(replace(Config(home, http=HERE, grpc=HERE), tick_s=0.05)) as up:
        yield up


def connect(up: Running, text: bytes = b"") -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", up.http.port), timeout=5)
    stream.sendall(text)
    return stream


def seconds_to_the_end(stream: socket.socket) -> float:
    """Until the other side closed it; what it answered first is not looked at."""
    began_s = time.monotonic()
    try:
        while stream.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began_s


def refused(up: Running, reason: str) -> float:
    labels = {"transport": "http", "reason": reason}
    return up.telemetry.registry.get_sample_value("aftershock_refused_total", labels) or 0


@pytest.mark.parametrize(
    "text",
    [b"", b"G", HEAD, HEAD + b"\r\n" + HEAD],
    ids=["nothing", "one byte", "half a head", "a second half"],
)
def test_a_head_that_never_ends_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_S", 0.3)

    async def wait() -> tuple[float, float]:
        async with collector(tmp_path) as up:
            with connect(up, text) as stream:
                return await asyncio.to_thread(seconds_to_the_end, stream), refused(up, "timeout")

    seconds, counted = asyncio.run(wait())

    assert 0.1 < seconds < 3
    assert counted == 1


def test_a_head_that_trickles_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_S", 0.4)

    def trickle(stream: socket.socket) -> float:
        began_s = time.monotonic()
        try:
            while time.monotonic() - began_s < 5:
                stream.sendall(b"X")
                time.sleep(0.05)
        except OSError:
            pass
        return time.monotonic() - began_s

    async def wait() -> float:
        async with collector(tmp_path) as up:
            with connect(up, HEAD) as stream:
                return await asyncio.to_thread(trickle, stream)

    assert asyncio.run(wait()) < 3


@pytest.mark.slow
def test_a_reader_that_does_not_read_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipelined requests whose answers fill every buffer."""
    monkeypatch.setattr(http_connections, "REQUEST_S", 0.5)

    def stuff(stream: socket.socket) -> float:
        began_s = time.monotonic()
        request = HEAD.replace(b"/healthz", b"/metrics") + b"\r\n"
        try:
            while time.monotonic() - began_s < 10:
                stream.sendall(request * 100)
        except OSError:
            pass
        return time.monotonic() - began_s

    async def wait() -> float:
        async with collector(tmp_path) as up:
            with connect(up) as stream:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                stream.settimeout(15)
                return await asyncio.to_thread(stuff, stream)

    assert asyncio.run(wait()) < 9


def test_a_connection_between_requests_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_S", 0.2)

    async def ask() -> list[int]:
        async with collector(tmp_path) as up:
            limits = httpx.Limits(max_connections=1)
            async with httpx.AsyncClient(base_url=f"http://{up.http}", limits=limits) as client:
                statuses: list[int] = []
                for _ in range(3):
                    statuses.append((await client.get("/healthz")).status_code)
                    await asyncio.sleep(0.5)
                assert refused(up, "timeout") == 0
                return statuses

    assert asyncio.run(ask()) == [200, 200, 200]


def test_half_open_connections_make_room_for_those_that_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "aftershock_collector.sources.otlp_http.connections_max", lambda: CONNECTIONS_MIN
    )

    async def ask() -> tuple[int, float]:
        async with collector(tmp_path) as up:
            with ExitStack() as stack:
                for _ in range(CONNECTIONS_MIN * 3):
                    stack.enter_context(await asyncio.to_thread(connect, up, b"G"))
                async with httpx.AsyncClient(base_url=f"http://{up.http}") as client:
                    response = await client.get("/healthz")
                return response.status_code, refused(up, "connections")

    status, counted = asyncio.run(ask())

    assert status == 200
    assert counted > CONNECTIONS_MIN


def test_the_limit_of_connections_leaves_descriptors_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def limit(soft: int) -> int:
        def getrlimit(_: int) -> tuple[int, int]:
            return soft, soft

        monkeypatch.setattr(resource, "getrlimit", getrlimit)
        return descriptors.connections_max()

    assert limit(1_024) * 2 + descriptors.RESERVED == 1_024
    assert limit(10**6) == CONNECTIONS_MAX
    assert limit(64) == CONNECTIONS_MIN
    assert limit(resource.RLIM_INFINITY) == CONNECTIONS_MAX


PROGRAM = """
    import asyncio, logging, resource, socket, sys, time
    from pathlib import Path
    import httpx
    from aftershock_collector.config.model import Address, Config
    from aftershock_collector.service import wiring

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    here = Address("127.0.0.1", 0)

    async def main():
        wiring.prepare_process()
        config = Config(Path(sys.argv[1]), http=here, grpc=here)
        async with wiring.running(config) as up:
            print(up.http.port, up.grpc.port, flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_p7_half_open_connections_stop_nobody_at_a_low_limit_of_descriptors(
    tmp_path: Path,
) -> None:
    """1,000 half-open connections to each server of a process with `ulimit -n 1024`."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM), "utf-8")
    needed = 2_500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
    process = subprocess.Popen(
        ["bash", "-c", f"ulimit -n 1024; exec {sys.executable} {program} {tmp_path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "log").open("wb"),
        text=True,
    )
    try:
        assert process.stdout is not None
        http, grpc_port = map(int, process.stdout.readline().split())
        with ExitStack() as stack:
            for port in (http, grpc_port):
                for _ in range(1_000):
                    stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            began_s = time.monotonic()
            for _ in range(5):
                response = httpx.get(f"http://127.0.0.1:{http}/healthz", timeout=10)
                assert response.status_code == 200
            assert time.monotonic() - began_s < 5
            with _grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
                channel.unary_unary(EXPORT)(b"", timeout=30, wait_for_ready=True)
    finally:
        process.communicate("", timeout=20)

    assert (tmp_path / "log").stat().st_size < 10_000


@pytest.mark.slow
def test_a_response_on_a_kept_connection_waits_for_no_acknowledgement(tmp_path: Path) -> None:
    """Without TCP_NODELAY the second part of each response comes 40 ms later."""

    async def ask() -> float:
        async with collector(tmp_path) as up, httpx.AsyncClient() as client:
            times: list[float] = []
            for _ in range(40):
                began_s = time.monotonic()
                await client.get(f"http://{up.http}/healthz")
                times.append(time.monotonic() - began_s)
            return statistics.median(times)

    assert asyncio.run(ask()) < 0.02
