"""SQLite's errors as the store's own: unavailable now, or refused for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from aftershock_collector.store.database import errors
from aftershock_collector.store.interface import StoreRefused, StoreUnavailable

_REASONS = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_IOERR: "input_output",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_NOMEM: "out_of_memory",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}


@contextmanager
def translated() -> Generator[None]:
    """Raise StoreUnavailable or StoreRefused for what SQLite raises inside."""
    try:
        yield
    except errors() as error:
        code = getattr(error, "sqlite_errorcode", None)
        reason = None if code is None else _REASONS.get(code & 0xFF)
        if reason is not None:
            raise StoreUnavailable(reason, str(error)) from error
        raise StoreRefused(str(error)) from error
    except (OverflowError, TypeError, ValueError) as error:
        if isinstance(error, StoreRefused):
            raise
        raise StoreRefused(str(error)) from error
