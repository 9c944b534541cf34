"""Another process reads meanwhile, and a killed writer loses nothing committed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aftershock_collector.store.database import KEY_FILE
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.store.rows import NOW, some_runs, spans_of

READING = """
import sys
from pathlib import Path
from aftershock_collector.store.reader import Reader
with Reader.open(Path(sys.argv[1])) as reader:
    for _ in sys.stdin:
        with reader.moment():
            runs = sum(sum(s.steps.values()) for s in reader.runs(limit=10_000))
            print(runs, reader.counts()["spans"], flush=True)
"""


def test_another_process_reads_one_consistent_moment_while_this_one_writes(
    store: SqliteStore, store_path: Path
) -> None:
    runs = some_runs(120)
    store.append(spans_of(runs[0]), [], [], NOW)
    writing = threading.Thread(
        target=lambda: [store.append(spans_of(run), [], [], NOW) for run in runs[1:]]
    )
    command = [sys.executable, "-c", READING, str(store_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        writing.start()
        seen: list[tuple[int, int]] = []
        while writing.is_alive() or len(seen) < 3:
            other.stdin.write("look\n")
            other.stdin.flush()
            by_run, all_spans = map(int, other.stdout.readline().split())
            seen.append((by_run, all_spans))
        other.stdin.close()
        writing.join()

    assert all(by_run == all_spans for by_run, all_spans in seen)
    assert sorted(seen) == seen


WRITING = """
import random, sys
from pathlib import Path
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.reading.read import read
from tests.support.traffic import any_runs, span_request
store = SqliteStore.open(Path(sys.argv[1]))
for run in any_runs(random.Random(9), 10_000):
    spans = decode_traces(span_request(run.spans), "application/x-protobuf").items
    store.append([(span, read(span, EMPTY)) for span in spans], [], [], 1)
    print(len(spans), flush=True)
"""


def test_kill_9_loses_nothing_that_was_committed(store_path: Path) -> None:
    command = [sys.executable, "-c", WRITING, str(store_path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        acknowledged = sum(int(writer.stdout.readline()) for _ in range(40))
        writer.send_signal(signal.SIGKILL)
        acknowledged += sum(int(line) for line in writer.stdout.read().splitlines())

    with Reader.open(store_path) as reader:  # before anybody repaired it
        assert reader.counts()["spans"] >= acknowledged > 100
    store = SqliteStore.open(store_path)
    assert [("ok",)] == store.select("PRAGMA integrity_check")
    store.close()
    with Reader.open(store_path) as reader:
        assert reader.counts()["spans"] >= acknowledged
        for summary in reader.runs(limit=10_000):
            assert len(list(reader.spans(summary.run_id))) == sum(summary.steps.values())


ANSWERING = """
import sys
from pathlib import Path
from aftershock_collector.store.writer import SqliteStore
SqliteStore.open(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("key", [None, "0123456789abcdef" * 4], ids=["plain", "encrypted"])
def test_a_command_that_writes_and_ends_leaves_the_journal_of_a_running_collector(
    store_path: Path, key: str | None
) -> None:
    """SQLite's last user removes the journal: a lock that was lost makes a command the last one."""
    store_path.parent.mkdir(mode=0o700)
    if key is not None:
        (store_path.parent / KEY_FILE).write_text(key, "ascii")
    store = SqliteStore.open(store_path)
    first, second = some_runs(2)
    store.append(spans_of(first), [], [], NOW)
    with Reader.open(store_path):  # as the collector's own pages do
        pass
    journal = store_path.with_name(f"{store_path.name}-wal")
    was = journal.stat().st_ino
    subprocess.run([sys.executable, "-c", ANSWERING, str(store_path)], check=True, timeout=60)

    assert journal.exists()
    assert journal.stat().st_ino == was
    store.append(spans_of(second), [], [], NOW)
    with Reader.open(store_path) as reader:
        assert len(reader.runs(limit=10)) == 2
    store.close()
