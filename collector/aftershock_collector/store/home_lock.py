"""The folder that holds all state: one collector at a time works in it."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from aftershock_collector.store.writer import StoreRefused


@contextmanager
def held(home: Path) -> Generator[None]:
    """Hold the folder while inside; the system lets go of it even after kill -9.

    Raises:
        StoreRefused: another collector holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "collector.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreRefused("another collector works in this folder") from error
        yield
