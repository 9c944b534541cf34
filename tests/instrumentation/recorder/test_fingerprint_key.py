"""The key of fingerprints: configured, read from the collector's folder, or random and reported."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aftershock.fingerprints.keyed import key_id, use_key
from aftershock.recorder import fingerprint_key
from aftershock_collector.config import model

KEY = "a key that is long enough"


@pytest.fixture(autouse=True)
def unkeyed() -> Iterator[None]:
    use_key(b"")
    yield
    use_key(b"")


def installed(environment: dict[str, str]) -> str:
    """The id of the key that a process with this environment uses."""
    use_key(b"")
    fingerprint_key.install(environment)
    return key_id()


def test_the_environment_names_the_key_or_its_file(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_text(f"{KEY}\n")
    home = {"AFTERSHOCK_HOME": str(tmp_path)}

    direct = installed({**home, "AFTERSHOCK_FINGERPRINT_KEY": KEY})
    assert direct == installed({**home, "AFTERSHOCK_FINGERPRINT_KEY_FILE": str(place)})


def test_the_collector_makes_a_key_once_and_agents_on_the_host_read_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(fingerprint_key.create, [tmp_path] * 1))
    keys.add(fingerprint_key.create(tmp_path))
    place = tmp_path / "fingerprint.key"

    assert len(keys) == 1
    assert place.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["fingerprint.key"]
    use_key(keys.pop())
    assert installed({"AFTERSHOCK_HOME": str(tmp_path)}) == key_id()


def test_without_a_key_there_is_a_random_one_and_one_line_about_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "aftershock"):
        first = installed({"AFTERSHOCK_HOME": str(tmp_path)})
        second = installed({"AFTERSHOCK_HOME": str(tmp_path)})

    assert first
    assert first != second
    assert len(caplog.messages) == 2
    assert all("within this process only" in line for line in caplog.messages)


@pytest.mark.parametrize(
    "environment",
    [
        {"AFTERSHOCK_FINGERPRINT_KEY": "short"},
        {"AFTERSHOCK_FINGERPRINT_KEY_FILE": "/nowhere/key"},
    ],
)
def test_a_key_that_cannot_be_used_is_replaced_and_reported(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert installed(environment)
    assert len(caplog.messages) == 1


def test_agents_and_the_collector_agree_on_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERSHOCK_HOME", raising=False)
    assert fingerprint_key.home(os.environ) == model.home()
    monkeypatch.setenv("AFTERSHOCK_HOME", "~/elsewhere")
    assert fingerprint_key.home(os.environ) == model.home()
