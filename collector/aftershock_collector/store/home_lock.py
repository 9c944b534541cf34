"""The folder that holds all state: one collector at a time works in it."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aftershock_collector.store.interface import StoreRefused


@contextmanager
def held(home: Path) -> Generator[None]:
    """Lock the folder while inside; the system releases it even after kill -9.

    Raises:
        StoreRefused: another collector holds it.
    """
    private_folder(home)
    path = home / "collector.lock"
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreRefused("another collector works in this folder") from error
        yield


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can read; one that exists keeps its mode.

    What agents send may hold content that their users never meant others to read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
