"""The embedded store on real files: what is kept, what is refused, what survives, who may read."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aftershock.grade import Grade
from aftershock.model import (
    Change,
    ChangeKind,
    Claim,
    Closing,
    Finding,
    Impact,
    Level,
    Parts,
    Report,
    Step,
    StepKind,
)
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.store.interface import Delivery, State, StoreRefused, StoreUnavailable
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import PAGE_BYTES, PRUNE_ROWS_MAX, SqliteStore
from tests.support.traffic import Traffic, any_runs, log_request, looping_run, span_request

PROTOBUF = "application/x-protobuf"
DAY = 86_400 * 10**9
NOW = 1_800_000_000 * 10**9
Spans = list[tuple[Span, Step | None]]
Events = list[tuple[LogEvent, Step | None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "aftershock.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    opened.close()


def spans_of(*runs: Traffic) -> Spans:
    body = span_request(span for run in runs for span in run.spans)
    return [(span, read(span, EMPTY)) for span in decode_traces(body, PROTOBUF).items]


def events_of(run: Traffic) -> Events:
    items = decode_logs(log_request(run.started), PROTOBUF).items
    return [(event, step) for event in items if isinstance(step := read_event(event, EMPTY), Step)]


def some_runs(count: int, seed: int = 1) -> list[Traffic]:
    return list(any_runs(random.Random(seed), count))


def change(identity: str = "c1", began: int = NOW, ended: int | None = None) -> Change:
    return Change(identity, ChangeKind.ALERT, "db/orders", "SlowQueries", began, ended)


def finding(run: str = "r1", level: Level = Level.WARN, summary: str = "again") -> Finding:
    return Finding("repeated_action", run, "search", level, NOW, NOW, ("s1",), summary)


def impact(probability: float, entity: str = "db/orders") -> Impact:
    return Impact(
        "s1", "t1", "r1", "bot", "scale", NOW, entity, probability, Grade.SUSPECTED,
        Parts(1.0, 0.0, 0.0, 0.0), (), NOW,
    )  # fmt: skip


# --- Keeping -----------------------------------------------------------------------------------


def test_spans_come_back_byte_for_byte_and_as_the_same_steps(
    store: SqliteStore, path: Path
) -> None:
    runs = some_runs(4)
    rows = spans_of(*runs)
    appended = store.append(rows, [], [], NOW)

    assert (len(rows), 0) == (appended.spans, appended.duplicates)
    with Reader.open(path) as reader:
        for run in runs:
            kept = {span.span_id: span for span in reader.spans(run.run_id)}
            sent = {s.span_id: s for s, step in rows if step and step.run_id == run.run_id}
            assert sent == kept
            assert {s.body for s in sent.values()} == {s.body for s in kept.values()}
            assert {s.resource_body for s in kept.values()} == {rows[0][0].resource_body}
            steps = reader.steps(run.run_id, EMPTY)
            assert sorted(steps, key=lambda s: (s.began_at_ns, s.span_id)) == steps
            assert {s.span_id for s in steps} == set(sent)


def test_resources_and_scopes_are_stored_once(store: SqliteStore, path: Path) -> None:
    store.append(spans_of(*some_runs(5)), [], [], NOW)

    with Reader.open(path) as reader:
        assert reader.counts()["spans"] > 20
    assert [(2,)] == store.select("SELECT count(*) FROM origins")


def test_what_is_known_is_not_stored_again_and_counted(store: SqliteStore, path: Path) -> None:
    run = looping_run(random.Random(2))
    spans, events = spans_of(run), events_of(run)
    first = store.append(spans, events, [change()], NOW)
    again = store.append(spans, events, [change()], NOW + DAY)

    assert (len(spans), len(events), 1, 0) == first
    assert again.spans == again.events == 0
    assert len(spans) + len(events) == again.duplicates - (1 - again.changes)
    with Reader.open(path) as reader:
        assert (len(spans), len(events)) == (reader.counts()["spans"], reader.counts()["events"])


def test_an_ended_span_replaces_its_open_version_and_never_the_other_way(
    store: SqliteStore, path: Path
) -> None:
    run = looping_run(random.Random(3))
    ((span, step),) = spans_of(Traffic(run.run_id, run.spans[:1]))
    still_open = span._replace(ended_at_ns=0)
    store.append([(still_open, step)], [], [], NOW)
    with Reader.open(path) as reader:
        assert [1] == [summary.open for summary in reader.runs()]

    assert store.append([(span, step)], [], [], NOW).spans == 1
    assert store.append([(still_open, step)], [], [], NOW).duplicates == 1
    with Reader.open(path) as reader:
        assert [0] == [summary.open for summary in reader.runs()]
        assert [span] == list(reader.spans(run.run_id))


def test_a_change_that_ended_stays_ended(store: SqliteStore, path: Path) -> None:
    store.append([], [], [change()], NOW)
    store.append([], [], [change(ended=NOW + 5)], NOW)
    store.append([], [], [change()], NOW)

    with Reader.open(path) as reader:
        assert [change(ended=NOW + 5)] == reader.changes(NOW - 1, NOW + 1)
        assert [] == reader.changes(NOW + 6, NOW + 9)
        assert [change(ended=NOW + 5)] == reader.changes(NOW + 3, NOW + 9)


def test_runs_are_summed_up_newest_first(store: SqliteStore, path: Path) -> None:
    runs = some_runs(6, seed=4)
    for run in runs:
        store.append(spans_of(run), events_of(run), [], NOW)
    looping = finding(runs[0].run_id, Level.ALARM)
    store.record(Report(NOW, opened=(Claim(looping, NOW),)), [], NOW)

    with Reader.open(path) as reader:
        found = {summary.run_id: summary for summary in reader.runs()}
        assert sorted((s.last_ns for s in reader.runs()), reverse=True) == [
            s.last_ns for s in reader.runs()
        ]
        for run in runs:
            summary = found[run.run_id]
            assert len(run.spans) == sum(summary.steps.values())
            assert run.spans[-1].end_time_unix_nano == summary.ended_at_ns
            assert (0, "shop-agents") == (summary.open, summary.service)
        assert (1, 0) == (found[runs[0].run_id].alarms, found[runs[1].run_id].alarms)
        agents = {s.agent for s in found.values()}
        assert agents <= {"clerk", "poller", "retrier"}
        (one,) = [s.run_id for s in reader.runs(prefix=runs[2].run_id[:12])]
        assert runs[2].run_id == one
        assert {s.agent for s in reader.runs(agent="poller")} <= {"poller"}
        assert len(reader.runs(limit=2)) == 2


def test_a_run_that_only_started_is_listed_with_its_open_step(
    store: SqliteStore, path: Path
) -> None:
    run = looping_run(random.Random(5))
    store.append([], events_of(run)[:1], [], NOW)

    with Reader.open(path) as reader:
        (summary,) = reader.runs()
        assert (1, None, {}) == (summary.open, summary.ended_at_ns, summary.steps)
        assert len(reader.steps(run.run_id, EMPTY)) == 1
        assert [run.run_id] == reader.live_since(summary.last_ns)
        assert [] == reader.live_since(summary.last_ns + 1)


def test_spans_that_are_nobodys_step_are_kept_without_a_run(store: SqliteStore, path: Path) -> None:
    rows: Spans = [(span, None) for span, _ in spans_of(*some_runs(1))]
    store.append(rows, [], [], NOW)

    with Reader.open(path) as reader:
        assert (len(rows), 0) == (reader.counts()["spans"], reader.counts()["runs"])


# --- Claims, verdicts, deliveries ------------------------------------------------------------------


def test_a_claim_is_updated_in_place_and_a_second_life_is_a_second_row(
    store: SqliteStore, path: Path
) -> None:
    first = Claim(finding(), NOW)
    worse = replace(first, finding=finding(level=Level.ALARM, summary="worse"))
    over = replace(worse, closed_at_ns=NOW + 9, closing=Closing.CONTRADICTED)
    later = Claim(finding(summary="later"), NOW + 20)
    store.record(Report(NOW, opened=(first,)), [], NOW)
    store.record(Report(NOW, updated=(worse,)), [], NOW)
    with Reader.open(path) as reader:
        assert [worse] == reader.claims() == reader.claims("r1", open_only=True)
    store.record(Report(NOW, closed=(over,)), [], NOW)
    store.record(Report(NOW, closed=(over,)), [], NOW)
    store.record(Report(NOW, opened=(later,)), [], NOW)

    with Reader.open(path) as reader:
        assert [later, over] == reader.claims("r1")
        assert [later] == reader.claims(open_only=True)
        assert [] == reader.claims("r2")
        assert [later] == reader.claims(since_ns=NOW + 1)


def test_a_claim_that_opened_and_closed_between_two_looks_is_closed(
    store: SqliteStore, path: Path
) -> None:
    claim = Claim(finding(), NOW, NOW + 1, Closing.RUN_ENDED)
    store.record(Report(NOW, opened=(claim,), closed=(claim,)), [], NOW)

    with Reader.open(path) as reader:
        assert [claim] == reader.claims()


def test_the_newest_attribution_of_an_action_and_an_entity_counts(
    store: SqliteStore, path: Path
) -> None:
    store.record(Report(NOW, impacts=(impact(0.4), impact(0.1, "service/a"))), [], NOW)
    store.record(Report(NOW, impacts=(impact(0.9),)), [], NOW)

    with Reader.open(path) as reader:
        assert [impact(0.9), impact(0.1, "service/a")] == reader.impacts("r1")


def test_one_page_per_finding_state_and_receiver(store: SqliteStore) -> None:
    report = Report(NOW, opened=(Claim(finding(), NOW),))
    page = Delivery(finding().id, State.OPENED, "webhook", "{}")
    other = replace(page, receiver="slack")
    outbox = SqliteOutbox(store)

    assert store.record(report, [page, other], NOW) == 2
    assert store.record(report, [page], NOW) == 0
    assert store.record(report, [replace(page, state=State.CLOSED)], NOW) == 1
    assert [("webhook", "opened"), ("slack", "opened")] == [
        (due.receiver, due.state) for due in outbox.due(NOW)
    ]


def test_deliveries_wait_for_their_time_and_end_delivered_or_given_up(store: SqliteStore) -> None:
    outbox = SqliteOutbox(store)
    pages = [Delivery("f", State.OPENED, receiver, "{}") for receiver in ("a", "b")]
    store.record(Report(NOW), pages, NOW)
    first, second = outbox.due(NOW)
    outbox.postpone(first.id, NOW + 5, "timeout " * 1_000)
    outbox.give_up(second.id, "404")

    assert outbox.due(NOW + 4) == []
    (again,) = outbox.due(NOW + 5)
    assert (first.id, 1) == (again.id, again.attempts)
    outbox.delivered(again.id, NOW + 6)
    assert outbox.due(NOW + DAY) == []
    assert {"delivered": 1, "given_up": 1} == outbox.counts()


# --- Refusing ----------------------------------------------------------------------------------


def test_a_row_that_cannot_be_stored_refuses_its_transaction_and_nothing_is_half_there(
    store: SqliteStore, path: Path
) -> None:
    rows = spans_of(*some_runs(1))
    span, step = rows[-1]
    for bad in (span._replace(began_at_ns=2**63), span._replace(trace_id="not hex")):
        with pytest.raises(StoreRefused):
            store.append([*rows[:-1], (bad, step)], [], [], NOW)
    with Reader.open(path) as reader:
        assert {0} == set(reader.counts().values())
    assert store.trouble is None

    assert store.append(rows, [], [], NOW).spans == len(rows)
    with Reader.open(path) as reader:
        assert len(list(reader.spans(step.run_id if step else ""))) > 0


def test_a_full_store_says_so_keeps_what_it_has_and_recovers(
    store: SqliteStore, path: Path
) -> None:
    runs = some_runs(60)
    store.append(spans_of(runs[0]), [], [], NOW)
    ((pages,),) = store.select("PRAGMA page_count")
    store.select(f"PRAGMA max_page_count = {pages + 4}")

    with pytest.raises(StoreUnavailable) as caught:
        store.append(spans_of(*runs[1:]), [], [], NOW)
    assert ("full", "full") == (caught.value.reason, store.trouble)
    with Reader.open(path) as reader:
        assert len(runs[0].spans) == reader.counts()["spans"]
    store.select("PRAGMA max_page_count = 1000000")
    store.append(spans_of(*runs[1:]), [], [], NOW)

    assert store.trouble is None
    with Reader.open(path) as reader:
        assert sum(len(run.spans) for run in runs) == reader.counts()["spans"]
        assert all(list(reader.spans(run.run_id)) for run in runs)


def test_a_store_that_another_writer_holds_says_locked_at_once(
    store: SqliteStore, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
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
        path = tmp_path / f"{name}.db"
        if application is None:
            SqliteStore.open(path).close()
        with sqlite3.connect(path) as other:
            other.execute("PRAGMA user_version = 999")
            if application is not None:
                other.execute(f"PRAGMA application_id = {application}")
        other.close()
        with pytest.raises(StoreRefused, match=says):
            SqliteStore.open(path)
        with pytest.raises(StoreUnavailable):
            Reader.open(path)


def test_reading_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Reader.open(tmp_path / "nothing.db")

    assert caught.value.reason == "cannot_open"
    assert list(tmp_path.iterdir()) == []


# --- Reading meanwhile, and surviving --------------------------------------------------------------

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
    store: SqliteStore, path: Path
) -> None:
    runs = some_runs(120)
    store.append(spans_of(runs[0]), [], [], NOW)
    writing = threading.Thread(
        target=lambda: [store.append(spans_of(run), [], [], NOW) for run in runs[1:]]
    )
    command = [sys.executable, "-c", READING, str(path)]
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


def test_kill_9_loses_nothing_that_was_committed(path: Path) -> None:
    command = [sys.executable, "-c", WRITING, str(path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        acknowledged = sum(int(writer.stdout.readline()) for _ in range(40))
        writer.send_signal(signal.SIGKILL)
        acknowledged += sum(int(line) for line in writer.stdout.read().splitlines())

    with Reader.open(path) as reader:  # before anybody repaired it
        assert reader.counts()["spans"] >= acknowledged > 100
    store = SqliteStore.open(path)
    assert [("ok",)] == store.select("PRAGMA integrity_check")
    store.close()
    with Reader.open(path) as reader:
        assert reader.counts()["spans"] >= acknowledged
        for summary in reader.runs(limit=10_000):
            assert len(list(reader.spans(summary.run_id))) == sum(summary.steps.values())


# --- Pruning -----------------------------------------------------------------------------------


def prune_all(store: SqliteStore, before_ns: int, bytes_max: int) -> int:
    calls = 1
    while store.prune(before_ns, bytes_max).more:
        calls += 1
    return calls


def test_what_arrived_long_ago_goes_and_what_is_new_stays(store: SqliteStore, path: Path) -> None:
    old, new = some_runs(2)
    for run, at in ((old, NOW), (new, NOW + 2 * DAY)):
        store.append(spans_of(run), events_of(run), [change(run.run_id)], at)
        closed = Claim(finding(run.run_id), NOW, NOW, Closing.RUN_ENDED)
        still_open = Claim(replace(finding(run.run_id), subject="other"), NOW)
        store.record(Report(NOW, opened=(closed, still_open)), [], at)
    prune_all(store, NOW + DAY, 10**9)

    with Reader.open(path) as reader:
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
    with Reader.open(path) as reader:
        assert len(old.spans) == len(list(reader.spans(old.run_id)))


def test_too_much_loses_its_oldest_spans_and_the_file_shrinks(
    store: SqliteStore, path: Path
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
    assert path.stat().st_size <= limit + 4 * PAGE_BYTES
    with Reader.open(path) as reader:
        assert list(reader.spans(runs[0].run_id)) == []
        assert 0 < reader.counts()["spans"] < spans // 2


def test_traces_of_services_are_kept_and_not_listed_as_runs(path: Path, store: SqliteStore) -> None:
    span, tool = spans_of(looping_run(random.Random(1)))[0]
    assert tool is not None
    call = replace(tool, kind=StepKind.OUTGOING, action=None)
    with Reader.open(path) as reader:
        store.append([(span, call)], [], [], NOW)

        assert ([], []) == (reader.runs(), reader.live_since(0))
        store.append([(span._replace(span_id="3d" * 8), tool)], [], [], NOW)
        assert [tool.run_id] == [run.run_id for run in reader.runs()] == reader.live_since(0)
        assert 2 == len(list(reader.spans(tool.run_id)))
