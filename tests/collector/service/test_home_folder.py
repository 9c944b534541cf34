"""Faults of the home folder under a real collector: removed while it runs, full when it starts."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import socket
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import running
from aftershock_collector.store.reader import Reader
from tests.support.traffic import looping_run, span_request

HEADERS = {"content-type": "application/x-protobuf"}
HERE = Address("127.0.0.1", 0)
BODY = span_request(looping_run(random.Random(1)).spans)


def test_p16_a_home_folder_that_is_removed_is_noticed_and_nothing_is_acknowledged(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    config = Config(home, http=HERE, grpc=HERE, tick_s=0.05, answer_s=3.0)

    async def lose() -> tuple[int, int, int, str]:
        async with running(config) as up, httpx.AsyncClient(base_url=f"http://{up.http}") as client:
            before = await client.post("/v1/traces", content=BODY, headers=HEADERS)
            shutil.rmtree(home)
            await asyncio.sleep(0.3)  # some ticks, and nothing sent
            ready = await client.get("/readyz")
            after = await client.post("/v1/traces", content=BODY, headers=HEADERS)
            page = await client.get("/")
        assert page.status_code == 503
        return before.status_code, after.status_code, ready.status_code, ready.text

    before, after, ready, text = asyncio.run(lose())

    assert (before, after, ready) == (200, 503, 503)
    assert "removed" in text


def test_p21_what_is_kept_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = Config(home, http=HERE, grpc=HERE, tick_s=0.05)

    async def keep() -> dict[str, int]:
        async with running(config) as up, httpx.AsyncClient(base_url=f"http://{up.http}") as client:
            await client.post("/v1/traces", content=BODY, headers=HEADERS)
            return {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}

    modes = asyncio.run(keep())

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert "aftershock.db" in modes
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


PROGRAM = """
    import asyncio, sys
    from pathlib import Path
    from aftershock_collector.config.model import Address, Config
    from aftershock_collector.service import wiring

    async def main():
        port = int(sys.argv[2])
        config = Config(Path(sys.argv[1]), http=Address("127.0.0.1", port),
                        grpc=Address("127.0.0.1", 0), answer_s=0.5)
        async with wiring.running(config) as up:
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())
"""


def state(base: str, path: str) -> int:
    try:
        return httpx.get(f"{base}{path}", timeout=5).status_code
    except httpx.TransportError:
        return 0


def wait_for(base: str, path: str, status: int) -> None:
    until = time.monotonic() + 30
    while state(base, path) != status:
        assert time.monotonic() < until, f"{path} never answered {status}"
        time.sleep(0.05)


@pytest.mark.slow
def test_p20_it_starts_on_a_full_disk_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    """No file may grow: what a full disk looks like to a process."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM), "utf-8")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    process = subprocess.Popen(
        ["bash", "-c", f"ulimit -S -f 0; exec {sys.executable} -B {program} {home} {port}"],
        stdin=subprocess.PIPE,
    )
    try:
        wait_for(base, "/healthz", 200)
        assert state(base, "/readyz") == 503
        busy = httpx.post(f"{base}/v1/traces", content=BODY, headers=HEADERS, timeout=10)
        assert (busy.status_code, "retry-after" in busy.headers) == (503, True)

        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for(base, "/readyz", 200)
        kept = httpx.post(f"{base}/v1/traces", content=BODY, headers=HEADERS, timeout=10)
        assert kept.status_code == 200
    finally:
        process.communicate(b"", timeout=20)

    with Reader.open(home / "aftershock.db") as reader:
        assert reader.counts()["spans"] > 0
