"""What the store refuses, and how it recovers: bad rows, a full disk, a lock, foreign files."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from aftershock_collector.store.interface import StoreRefused, StoreUnavailable
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.store.rows import NOW, some_runs, spans_of


def test_a_row_that_cannot_be_stored_refuses_its_transaction_and_nothing_is_half_there(
    store: SqliteStore, store_path: Path
) -> None:
    rows = spans_of(*some_runs(1))
    span, step = rows[-1]
    for bad in (span._replace(began_at_ns=2**63), span._replace(trace_id="not hex")):
        with pytest.raises(StoreRefused):
            store.append([*rows[:-1], (bad, step)], [], [], NOW)
    with Reader.open(store_path) as reader:
        assert {0} == set(reader.counts().values())
    assert store.trouble is None

    assert store.append(rows, [], [], NOW).spans == len(rows)
    with Reader.open(store_path) as reader:
        assert len(list(reader.spans(step.run_id if step else ""))) > 0


def test_a_full_store_says_so_keeps_what_it_has_and_recovers(
    store: SqliteStore, store_path: Path
) -> None:
    runs = some_runs(60)
    store.append(spans_of(runs[0]), [], [], NOW)
    ((pages,),) = store.select("PRAGMA page_count")
    store.select(f"PRAGMA max_page_count = {pages + 4}")

    with pytest.raises(StoreUnavailable) as caught:
        store.append(spans_of(*runs[1:]), [], [], NOW)
    assert ("full", "full") == (caught.value.reason, store.trouble)
    with Reader.open(store_path) as reader:
        assert len(runs[0].spans) == reader.counts()["spans"]
    store.select("PRAGMA max_page_count = 1000000")
    store.append(spans_of(*runs[1:]), [], [], NOW)

    assert store.trouble is None
    with Reader.open(store_path) as reader:
        assert sum(len(run.spans) for run in runs) == reader.counts()["spans"]
        assert all(list(reader.spans(run.run_id)) for run in runs)


def test_a_store_that_another_writer_holds_says_locked_at_once(
    store: SqliteStore, store_path: Path
) -> None:
    other = sqlite3.connect(store_path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        store.append(spans_of(*some_runs(1)), [], [], NOW)
    waited = time.monotonic() - began
    other.execute("COMMIT")
    other.close()

    assert caught.value.reason == "locked"
    assert waited < 2.0
    assert store.append(spans_of(*some_runs(1)), [], [], NOW).spans > 0


def test_a_file_that_is_no_database_or_not_ours_or_newer_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqliteStore.open(noise)
    for name, application, says in (("foreign", 7, "another program"), ("newer", None, "newer")):
        other_path = tmp_path / f"{name}.db"
        if application is None:
            SqliteStore.open(other_path).close()
        with sqlite3.connect(other_path) as other:
            other.execute("PRAGMA user_version = 999")
            if application is not None:
                other.execute(f"PRAGMA application_id = {application}")
        other.close()
        with pytest.raises(StoreRefused, match=says):
            SqliteStore.open(other_path)
        with pytest.raises(StoreUnavailable):
            Reader.open(other_path)


def test_reading_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Reader.open(tmp_path / "nothing.db")

    assert caught.value.reason == "cannot_open"
    assert list(tmp_path.iterdir()) == []
