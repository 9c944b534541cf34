"""Opens aftershock.db: as it is, or encrypted as a whole where a key lies beside it.

SQLCipher encrypts each page (AES-256, HMAC-SHA512), its journal too. The key is 64 hexadecimal
digits, so that no time goes into deriving one each time the file is opened.
"""

from __future__ import annotations

import re
import sqlite3
from enum import Enum, auto
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.schema import APPLICATION_ID

KEY_FILE = "store.key"
PAGE_BYTES = 16_384  # a dozen spans to a page: as fast as 4 kB and less space lost at the ends
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{64}")


class Content(Enum):
    """What is in a file, for whoever has no key."""

    EMPTY = auto()
    PLAIN = auto()
    ENCRYPTED = auto()  # or no database at all


def connect(path: Path, wait_s: float, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file, with the key beside it if there is one; a plain file is encrypted then.

    Args:
        path: of the database.
        wait_s: seconds that each statement waits for the lock of another process.
        read_only: of an existing file.

    Raises StoreUnavailable where the key is missing, malformed or another one, or SQLCipher is not
    installed; otherwise what SQLite raises.
    """
    key = key_beside(path)
    library = sqlite3 if key is None else _sqlcipher(path)
    connection = _opened(library, path, wait_s, read_only=read_only)
    content = _content(library, connection)
    if key is None:
        if content is not Content.ENCRYPTED:
            return connection
        connection.close()
        why = f"{path} is not a database, or it is encrypted and {KEY_FILE} is missing beside it"
        raise StoreUnavailable("damaged", why)
    connection.close()  # a key is given before anything is read
    if content is Content.PLAIN:
        if read_only:
            raise _refused(path, f"{KEY_FILE} is there and it is plain: start the collector once")
        _encrypt(library, path, key, wait_s)
    connection = _opened(library, path, wait_s, read_only=read_only)
    _unlock(connection, key)
    if _content(library, connection) is Content.ENCRYPTED:
        connection.close()
        raise _refused(path, f"the key in {KEY_FILE} is not the one it was encrypted with")
    return connection


def key_beside(path: Path) -> str | None:
    """The key for a database, None where there is none; raises StoreUnavailable for a wrong one."""
    place = path.parent / KEY_FILE
    try:
        text = place.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(place, f"it can't be read: {error}") from error
    if not _HEXADECIMAL.fullmatch(text):
        raise _refused(place, "it is not 64 hexadecimal digits: `openssl rand -hex 32` makes some")
    return text


def errors() -> tuple[type[Exception], ...]:
    """What a database raises: SQLite's error, and SQLCipher's where it is installed."""
    try:
        return sqlite3.Error, import_module("sqlcipher3.dbapi2").Error
    except ImportError:
        return (sqlite3.Error,)


def _opened(library: Any, path: Path, wait_s: float, *, read_only: bool) -> sqlite3.Connection:
    where = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"
    return library.connect(
        where, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
    )


def _unlock(connection: sqlite3.Connection, key: str, schema: str = "main") -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to stderr by itself
    if schema == "main":
        connection.execute(f"PRAGMA key = \"x'{key}'\"")
    connection.execute(f"PRAGMA {schema}.cipher_page_size = {PAGE_BYTES}")


def _encrypt(library: Any, path: Path, key: str, wait_s: float) -> None:
    """Replace a plain file by an encrypted one with the same content."""
    made = path.with_name(f"{path.name}.encrypting")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    connection = _opened(library, path, wait_s, read_only=False)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"ATTACH DATABASE ? AS made KEY \"x'{key}'\"", (str(made),))
    _unlock(connection, key, "made")
    connection.execute("PRAGMA made.auto_vacuum = INCREMENTAL")
    connection.execute("SELECT sqlcipher_export('made')").fetchone()
    connection.execute(f"PRAGMA made.user_version = {version}")
    connection.execute(f"PRAGMA made.application_id = {APPLICATION_ID}")
    connection.execute("DETACH DATABASE made")
    connection.close()
    made.replace(path)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _sqlcipher(path: Path) -> Any:
    try:
        return import_module("sqlcipher3.dbapi2")
    except ImportError as error:
        needed = "SQLCipher is not installed: pip install 'aftershock[encryption]'"
        raise _refused(path, f"{KEY_FILE} is there and {needed}") from error


def _content(library: Any, connection: sqlite3.Connection) -> Content:
    """What a file holds, as the library reads it.

    Nothing else may open the file: to close it gives up every lock that the process holds on it
    (POSIX), and another process that ends would remove the journal, with what is being written.
    """
    try:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except library.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            return Content.ENCRYPTED
        connection.close()
        raise
    return Content.PLAIN if pages else Content.EMPTY


def _refused(path: Path, why: str) -> StoreUnavailable:
    return StoreUnavailable("cannot_open", f"{path}: {why}")
