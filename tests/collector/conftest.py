"""What the tests of several files share: the command, an empty store, servers that are sent to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from aftershock_collector.store.writer import SqliteStore
from tests.support.commands import Main, run_main
from tests.support.mail_server import MailServer
from tests.support.receiver import Receiver


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder that holds the store."""
    return tmp_path / "home"


@pytest.fixture
def main(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Main:
    """The command in this process, with its own home: (exit code, stdout, stderr)."""
    monkeypatch.setenv("AFTERSHOCK_HOME", str(home))
    monkeypatch.delenv("AFTERSHOCK_POLICY", raising=False)
    monkeypatch.chdir(tmp_path)
    return partial(run_main, capsys)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where the store's database is, whether or not it was opened."""
    return tmp_path / "home" / "aftershock.db"


@pytest.fixture
def store(store_path: Path) -> Iterator[SqliteStore]:
    """An empty store that takes rows."""
    opened = SqliteStore.open(store_path)
    yield opened
    opened.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A service on a real port that keeps the pages it is sent."""
    with Receiver() as found:
        yield found


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server on a real port that accepts every mail."""
    server = MailServer()
    yield server
    server.close()
