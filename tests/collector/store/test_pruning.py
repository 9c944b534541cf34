"""What is pruned by age and by size, and what stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aftershock.model import Claim, Closing, Report
from aftershock_collector.store.database import PAGE_BYTES
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import PRUNE_ROWS_MAX, SqliteStore
from tests.collector.store.rows import DAY, NOW, change, events_of, finding, some_runs, spans_of


def prune_all(store: SqliteStore, before_ns: int, bytes_max: int) -> int:
    calls = 1
    while store.prune(before_ns, bytes_max).more:
        calls += 1
    return calls


def test_what_arrived_long_ago_goes_and_what_is_new_stays(
    store: SqliteStore, store_path: Path
) -> None:
    old, new = some_runs(2)
    for run, at in ((old, NOW), (new, NOW + 2 * DAY)):
        store.append(spans_of(run), events_of(run), [change(run.run_id)], at)
        closed = Claim(finding(run.run_id), NOW, NOW, Closing.RUN_ENDED)
        still_open = Claim(replace(finding(run.run_id), subject="other"), NOW)
        store.record(Report(NOW, opened=(closed, still_open)), [], at)
    prune_all(store, NOW + DAY, 10**9)

    with Reader.open(store_path) as reader:
        assert [new.run_id] == [summary.run_id for summary in reader.runs()]
        assert list(reader.spans(old.run_id)) == []
        assert len(new.spans) == len(list(reader.spans(new.run_id)))
        assert [new.run_id] == [c.id for c in reader.changes(0, NOW)]
        kept = {(c.finding.run_id, c.finding.subject) for c in reader.claims()}
        assert kept == {
            (old.run_id, "other"),  # open: nobody has seen the end of it
            (new.run_id, "search"),
            (new.run_id, "other"),
        }
    assert store.append(spans_of(old), [], [], NOW + 3 * DAY).spans == len(old.spans)
    with Reader.open(store_path) as reader:
        assert len(old.spans) == len(list(reader.spans(old.run_id)))


@pytest.mark.slow
def test_too_much_loses_its_oldest_spans_and_the_file_shrinks(
    store: SqliteStore, store_path: Path
) -> None:
    runs = some_runs(900)
    for first in range(0, 900, 100):
        store.append(spans_of(*runs[first : first + 100]), [], [], NOW)
    ((spans,),) = store.select("SELECT count(*) FROM spans")
    assert spans > PRUNE_ROWS_MAX  # so that it takes more than one call
    limit = store.size_bytes() // 4
    calls = prune_all(store, 0, limit)
    store.close()

    assert calls > 1
    assert store_path.stat().st_size <= limit + 4 * PAGE_BYTES
    with Reader.open(store_path) as reader:
        assert list(reader.spans(runs[0].run_id)) == []
        assert 0 < reader.counts()["spans"] < spans // 2
