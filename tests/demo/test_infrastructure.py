"""The shop really saturates its database where the limit is tight, and only there."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aftershock_collector.demo import infrastructure, orders, postgres
from aftershock_collector.demo.infrastructure import Shop, let_customers_in, open_shop
from aftershock_collector.demo.processes import Child, Children, FailedError
from aftershock_collector.demo.stage import read_json


def wait_for(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def post(url: str, body: Any) -> dict[str, Any]:
    request = urllib.request.Request(url, data=json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def metric(url: str, name: str) -> float:
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@contextmanager
def shop_of(folder: Path, *, tight: bool) -> Generator[tuple[Shop, Child]]:
    with tempfile.TemporaryDirectory() as place, Children(folder) as children:
        Path(place).chmod(0o711)  # the database may run as another user
        shop = open_shop(children, Path(place), tight=tight)
        wait_for(lambda: workers(shop)["ready"] == infrastructure.WORKERS)
        yield shop, let_customers_in(children, shop)


def workers(shop: Shop) -> dict[str, int]:
    found: dict[str, int] = read_json(f"{shop.checkout['admin']}/admin/status")["workers"]
    return found


def connections(shop: Shop) -> dict[str, int]:
    return read_json(f"{shop.operations['admin']}/connections")


def failures(load: Child, service: str, seconds: int) -> int:
    """How many customers failed in the next so many seconds."""
    known = len(load.lines)
    wait_for(lambda: len(load.lines) >= known + seconds)
    return sum(json.loads(line)[service]["errors"] for line in load.lines[known:])


@pytest.fixture(params=["PostgreSQL", "SQLite"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "SQLite":
        monkeypatch.setattr(postgres, "find_programs", lambda: None)
    elif postgres.find_programs() is None:
        pytest.skip("PostgreSQL's server program is not installed")
    return str(request.param)


@pytest.mark.slow
def test_scaling_checkout_beyond_a_tight_limit_breaks_it_and_only_it(tmp_path: Path, database: str):
    with shop_of(tmp_path, tight=True) as (shop, load):
        before = connections(shop)
        assert failures(load, "checkout", 4) == 0

        post(f"{shop.checkout['admin']}/admin/scale", {"workers": 12})
        wait_for(lambda: workers(shop)["running"] == 12)
        broken = failures(load, "checkout", 5)
        after = connections(shop)
        refused = metric(shop.checkout["admin"], "db_connect_refused_total")
        slow = max(json.loads(line)["checkout"]["p95_ms"] for line in load.lines[-5:])
        assert failures(load, "catalog", 1) == 0
        state = read_json(f"{shop.checkout['admin']}/admin/status")["state"]

    assert shop.database == database
    assert before["connections_used"] == infrastructure.WORKERS * infrastructure.POOL_SIZE
    assert after["connections_used"] >= after["connections_max"] - 1
    assert broken > 10
    assert refused > 10
    assert slow > 900  # those who got no connection waited for one
    assert state == "rolling out"


@pytest.mark.slow
def test_scaling_checkout_within_an_ample_limit_breaks_nothing(tmp_path: Path, database: str):
    with shop_of(tmp_path, tight=False) as (shop, load):
        post(f"{shop.checkout['admin']}/admin/scale", {"workers": 6})
        wait_for(lambda: workers(shop)["ready"] == 6)

        assert failures(load, "checkout", 5) == 0
        assert connections(shop)["connections_used"] == 6 * infrastructure.POOL_SIZE
        assert metric(shop.checkout["admin"], "db_connect_refused_total") == 0
        post(f"{shop.checkout['admin']}/admin/scale", {"workers": 3})
        wait_for(lambda: connections(shop)["connections_used"] == 3 * infrastructure.POOL_SIZE)
        assert failures(load, "checkout", 3) == 0
    assert shop.database == database


def test_a_limited_sqlite_refuses_one_connection_too_many(tmp_path: Path):
    address = f"sqlite:{tmp_path / 'orders.db'}?connections=3"
    opened = [orders.connect(address) for _ in range(3)]

    with pytest.raises(orders.RefusedError, match="all 3"):
        orders.connect(address)
    assert (opened[1].place(7, 1, 100), opened[2].place(7, 2, 50)) == (100, 150)
    assert opened[0].use() == (2, 2, 3, 2)
    opened.pop().close()
    orders.connect(address).close()


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path):
    with Children(tmp_path) as children:
        child = children.start_module(
            "operations", "--database", f"sqlite:{tmp_path}/no/db?connections=1"
        )

        with pytest.raises(FailedError, match=r"(?s)operations ended at once.*No such file"):
            child.addresses()


def test_stopping_takes_everything_that_a_program_started(tmp_path: Path):
    script = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    with Children(tmp_path) as children:
        child = children.start("parent", [sys.executable, "-c", f"{script}; time.sleep(60)"])
        child.wait_until(lambda: bool(child.lines))
        grandchild = int(child.lines[0])

    wait_for(lambda: not is_alive(grandchild))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_services_refuse_what_they_cannot_do(tmp_path: Path):
    with Children(tmp_path) as children:
        catalog = children.start_module("catalog").addresses()["admin"]

        with pytest.raises(urllib.error.HTTPError, match="400"):
            post(f"{catalog}/admin/cache", {"ttl": 1})
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read_json(f"{catalog}/nowhere")
        assert post(f"{catalog}/admin/cache", {"ttl_s": 5})["ttl_s"] == 5
