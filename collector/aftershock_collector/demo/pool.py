"""A worker's connection pool: opened at start, refilled while connections are missing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from aftershock_collector.demo.orders import Orders, RefusedError

RETRY_S = 0.5  # a worker that lacks connections asks again twice a second


class PoolTimeoutError(Exception):
    """No connection became free in time."""


class Pool:
    """`size` connections, opened by a thread of its own that never gives up."""

    def __init__(
        self, connect: Callable[[], Orders], size: int, wait_s: float, refused: Callable[[], None]
    ) -> None:
        self.connect = connect
        self.size = size
        self.wait_s = wait_s
        self.refused = refused
        self.idle: queue.LifoQueue[Orders] = queue.LifoQueue()
        self.opened = 0
        self.lock = threading.Lock()
        self.missing = threading.Event()
        self.missing.set()
        self.closed = threading.Event()
        self.filler = threading.Thread(target=self.fill, daemon=True)
        self.filler.start()

    @property
    def complete(self) -> bool:
        """True once every connection is open."""
        return self.opened == self.size

    @property
    def in_use(self) -> int:
        """Connections that a request holds now."""
        return max(0, self.opened - self.idle.qsize())

    def fill(self) -> None:
        """Open what is missing; where the database refuses, try again."""
        while self.missing.wait() and not self.closed.is_set():
            if self.complete:
                self.missing.clear()
                continue
            try:
                connection = self.connect()
            except RefusedError:
                self.refused()
                self.closed.wait(RETRY_S)
                continue
            with self.lock:
                self.opened += 1
            self.idle.put(connection)

    @contextmanager
    def connection(self) -> Generator[Orders]:
        """One connection for the time of a request. Raises PoolTimeoutError."""
        try:
            connection = self.idle.get(timeout=self.wait_s)
        except queue.Empty:
            raise PoolTimeoutError(f"no connection within {self.wait_s} s") from None
        try:
            yield connection
        except Exception:
            connection.close()  # its state is unknown
            with self.lock:
                self.opened -= 1
            self.missing.set()
            raise
        self.idle.put(connection)

    def close(self) -> None:
        """Close every idle connection; those in use end with their process."""
        self.closed.set()
        self.missing.set()
        while not self.idle.empty():
            self.idle.get_nowait().close()
