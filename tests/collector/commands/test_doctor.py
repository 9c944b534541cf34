"""`aftershock doctor`: each thing that keeps pages from being sent is named, with what to do."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import running
from aftershock_collector.store.writer import SqliteStore
from tests.support.commands import Main, schema


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP", "GRPC"):
        monkeypatch.setenv(f"AFTERSHOCK_{name}", "127.0.0.1:0")


def examined(main: Main) -> dict[str, dict[str, Any]]:
    document = json.loads(main("doctor", "--json")[1])
    schema().validate(document)
    return {one["name"]: one for one in document["data"]}


def test_a_fresh_machine_is_told_what_is_missing(main: Main) -> None:
    code, out, _ = main("doctor")
    found = examined(main)

    assert code == 1
    assert "no one is paged" in out
    assert found["receivers"]["health"] == "problem"
    assert found["store"]["advice"] == "aftershock up"
    assert found["policy"]["health"] == "ok"


def test_with_a_receiver_and_a_store_nothing_is_in_the_way(
    main: Main, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    SqliteStore.open(home / "aftershock.db").close()
    monkeypatch.setenv("AFTERSHOCK_WEBHOOK_URL", "http://127.0.0.1:9/page")
    code, out, _ = main("doctor")

    assert code == 0
    assert "webhook" in out
    assert "no agent's telemetry has arrived" in out


def test_a_wrong_file_a_taken_port_and_a_damaged_store_are_problems(
    main: Main, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "aftershock.db").write_bytes(b"not a database" * 100)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("AFTERSHOCK_GRPC", f"127.0.0.1:{other.getsockname()[1]}")
        found = examined(main)
    (tmp_path / "aftershock.yaml").write_text("nonsense: 1\n")
    wrong = examined(main)

    assert found["grpc"]["found"].endswith("is in use by another program")
    assert found["store"]["health"] == "problem"
    assert wrong["policy"]["health"] == "problem"


def test_a_running_collector_is_recognised(
    home: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(home=home, http=Address("127.0.0.1", 0), grpc=Address("127.0.0.1", 0))

    async def visit() -> dict[str, dict[str, Any]]:
        async with running(config) as collector:
            monkeypatch.setenv("AFTERSHOCK_HTTP", str(collector.http))
            return await asyncio.to_thread(examined, main)

    home.mkdir()
    assert asyncio.run(visit())["http"]["found"].startswith("the collector listens on ")
