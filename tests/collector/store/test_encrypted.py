"""A database beside a key: nothing of it can be read without the key, and everything with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aftershock_collector.store.database import KEY_FILE
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.store.rows import NOW, some_runs, spans_of
from tests.collector.store.rows import change as alert

KEY = "0123456789abcdef" * 4
PLAIN = b"SQLite format 3\0"  # how a file begins that is not encrypted
MARKER = b"SlowQueries"  # the name of the alert


@pytest.fixture
def key(store_path: Path) -> Path:
    store_path.parent.mkdir(mode=0o700)
    place = store_path.parent / KEY_FILE
    place.write_text(KEY + "\n", "ascii")
    return place


def filled(path: Path) -> SqliteStore:
    store = SqliteStore.open(path)
    store.append(spans_of(*some_runs(3)), [], [alert()], NOW)
    return store


def bytes_of(folder: Path) -> bytes:
    """Of the database, its journal and its index."""
    return b"".join(place.read_bytes() for place in sorted(folder.glob("aftershock.db*")))


def test_nothing_in_the_folder_is_readable_and_everything_comes_back(
    store_path: Path, key: Path
) -> None:
    store = filled(store_path)
    with Reader.open(store_path) as reader:
        while_open = reader.counts()
    left = bytes_of(store_path.parent)
    store.close()
    left += bytes_of(store_path.parent)

    assert MARKER not in left
    assert PLAIN not in left
    with Reader.open(store_path) as reader:
        assert reader.counts() == while_open
        assert while_open["spans"] > 0
        assert [each.name for each in reader.changes(0, NOW)] == [MARKER.decode()]


def test_a_plain_database_is_encrypted_when_it_is_opened_with_a_key(store_path: Path) -> None:
    store = filled(store_path)
    was = store.select("PRAGMA auto_vacuum") + store.select("SELECT * FROM spans ORDER BY id")
    store.close()
    assert MARKER in bytes_of(store_path.parent)
    (store_path.parent / KEY_FILE).write_text(KEY, "ascii")

    store = SqliteStore.open(store_path)

    assert (
        store.select("PRAGMA auto_vacuum") + store.select("SELECT * FROM spans ORDER BY id") == was
    )
    store.close()
    assert MARKER not in bytes_of(store_path.parent)
    assert store_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f" * 64, "not the one it was encrypted with"),
        ("too short", "not 64 hexadecimal digits"),
        (None, "store.key is missing"),
    ],
)
def test_without_its_key_it_is_refused_in_words(
    store_path: Path, key: Path, text: str | None, why: str
) -> None:
    filled(store_path).close()
    if text is None:
        key.unlink()
    else:
        key.write_text(text, "ascii")
    before = store_path.read_bytes()

    for opened in (SqliteStore.open, Reader.open):
        with pytest.raises(StoreUnavailable, match=why):
            opened(store_path)
    assert store_path.read_bytes() == before


def test_where_sqlcipher_is_not_installed_a_key_says_what_to_install(
    store_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlcipher3.dbapi2", None)  # as an import that fails

    with pytest.raises(StoreUnavailable, match=r"pip install 'aftershock\[encryption\]'"):
        SqliteStore.open(store_path)
