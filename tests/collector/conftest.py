"""What several rooms' tests share: the command, with a home of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import Main, run_main


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
