"""What the store keeps of spans, events and changes, and how it sums up runs."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from aftershock.model import Claim, Level, Report, StepKind
from aftershock.policy.policy import EMPTY
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.store.rows import (
    DAY,
    NOW,
    Spans,
    change,
    events_of,
    finding,
    some_runs,
    spans_of,
)
from tests.support.traffic import Traffic, looping_run


def test_spans_come_back_byte_for_byte_and_as_the_same_steps(
    store: SqliteStore, store_path: Path
) -> None:
    runs = some_runs(4)
    rows = spans_of(*runs)
    appended = store.append(rows, [], [], NOW)

    assert (len(rows), 0) == (appended.spans, appended.duplicates)
    with Reader.open(store_path) as reader:
        for run in runs:
            kept = {span.span_id: span for span in reader.spans(run.run_id)}
            sent = {s.span_id: s for s, step in rows if step and step.run_id == run.run_id}
            assert sent == kept
            assert {s.body for s in sent.values()} == {s.body for s in kept.values()}
            assert {s.resource_body for s in kept.values()} == {rows[0][0].resource_body}
            steps = reader.steps(run.run_id, EMPTY)
            assert sorted(steps, key=lambda s: (s.began_at_ns, s.span_id)) == steps
            assert {s.span_id for s in steps} == set(sent)


def test_resources_and_scopes_are_stored_once(store: SqliteStore, store_path: Path) -> None:
    store.append(spans_of(*some_runs(5)), [], [], NOW)

    with Reader.open(store_path) as reader:
        assert reader.counts()["spans"] > 20
    assert [(2,)] == store.select("SELECT count(*) FROM origins")


def test_what_is_known_is_not_stored_again_and_counted(
    store: SqliteStore, store_path: Path
) -> None:
    run = looping_run(random.Random(2))
    spans, events = spans_of(run), events_of(run)
    first = store.append(spans, events, [change()], NOW)
    again = store.append(spans, events, [change()], NOW + DAY)

    assert (len(spans), len(events), 1, 0) == first
    assert again.spans == again.events == 0
    assert len(spans) + len(events) == again.duplicates - (1 - again.changes)
    with Reader.open(store_path) as reader:
        assert (len(spans), len(events)) == (reader.counts()["spans"], reader.counts()["events"])


def test_an_ended_span_replaces_its_open_version_and_never_the_other_way(
    store: SqliteStore, store_path: Path
) -> None:
    run = looping_run(random.Random(3))
    ((span, step),) = spans_of(Traffic(run.run_id, run.spans[:1]))
    still_open = span._replace(ended_at_ns=0)
    store.append([(still_open, step)], [], [], NOW)
    with Reader.open(store_path) as reader:
        assert [1] == [summary.open for summary in reader.runs()]

    assert store.append([(span, step)], [], [], NOW).spans == 1
    assert store.append([(still_open, step)], [], [], NOW).duplicates == 1
    with Reader.open(store_path) as reader:
        assert [0] == [summary.open for summary in reader.runs()]
        assert [span] == list(reader.spans(run.run_id))


def test_a_change_that_ended_stays_ended(store: SqliteStore, store_path: Path) -> None:
    store.append([], [], [change()], NOW)
    store.append([], [], [change(ended=NOW + 5)], NOW)
    store.append([], [], [change()], NOW)

    with Reader.open(store_path) as reader:
        assert [change(ended=NOW + 5)] == reader.changes(NOW - 1, NOW + 1)
        assert [] == reader.changes(NOW + 6, NOW + 9)
        assert [change(ended=NOW + 5)] == reader.changes(NOW + 3, NOW + 9)


def test_a_change_of_a_known_sender_is_not_overwritten_by_an_unknown_one(
    store: SqliteStore, store_path: Path
) -> None:
    store.append([], [], [change()], NOW)
    store.append([], [], [replace(change(ended=NOW + 5), vouched=False)], NOW)

    with Reader.open(store_path) as reader:
        assert [change()] == reader.changes(NOW - 1, NOW + 1)


def test_runs_are_summed_up_newest_first(store: SqliteStore, store_path: Path) -> None:
    runs = some_runs(6, seed=4)
    for run in runs:
        store.append(spans_of(run), events_of(run), [], NOW)
    looping = finding(runs[0].run_id, Level.ALARM)
    store.record(Report(NOW, opened=(Claim(looping, NOW),)), [], NOW)

    with Reader.open(store_path) as reader:
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
    store: SqliteStore, store_path: Path
) -> None:
    run = looping_run(random.Random(5))
    store.append([], events_of(run)[:1], [], NOW)

    with Reader.open(store_path) as reader:
        (summary,) = reader.runs()
        assert (1, None, {}) == (summary.open, summary.ended_at_ns, summary.steps)
        assert len(reader.steps(run.run_id, EMPTY)) == 1
        assert [run.run_id] == reader.live_since(summary.last_ns)
        assert [] == reader.live_since(summary.last_ns + 1)


def test_spans_that_are_nobodys_step_are_kept_without_a_run(
    store: SqliteStore, store_path: Path
) -> None:
    rows: Spans = [(span, None) for span, _ in spans_of(*some_runs(1))]
    store.append(rows, [], [], NOW)

    with Reader.open(store_path) as reader:
        assert (len(rows), 0) == (reader.counts()["spans"], reader.counts()["runs"])


def test_traces_of_services_are_kept_and_not_listed_as_runs(
    store_path: Path, store: SqliteStore
) -> None:
    span, tool = spans_of(looping_run(random.Random(1)))[0]
    assert tool is not None
    call = replace(tool, kind=StepKind.OUTGOING, action=None)
    with Reader.open(store_path) as reader:
        store.append([(span, call)], [], [], NOW)

        assert ([], []) == (reader.runs(), reader.live_since(0))
        store.append([(span._replace(span_id="3d" * 8), tool)], [], [], NOW)
        assert [tool.run_id] == [run.run_id for run in reader.runs()] == reader.live_since(0)
        assert 2 == len(list(reader.spans(tool.run_id)))


def test_a_run_is_called_after_its_agents_service_and_not_after_what_a_tool_started(
    store_path: Path, store: SqliteStore
) -> None:
    span, tool = spans_of(looping_run(random.Random(1)))[0]
    assert tool is not None
    command = replace(tool, kind=StepKind.OUTGOING, action=None, service="psql", agent=None)
    store.append([(span, command)], [], [], NOW)
    named = replace(tool, service="claude-code")
    store.append([(span._replace(span_id="3d" * 8), named)], [], [], NOW)
    with Reader.open(store_path) as reader:
        (run,) = reader.runs()

    assert run.service == "claude-code"


def test_p28_a_run_of_a_future_year_does_not_lead_the_list_for_ever(store: SqliteStore) -> None:
    (run,) = some_runs(1)
    ((span, step), *_) = spans_of(run)
    assert step is not None
    far = 8_000_000_000 * 10**9
    ahead = replace(step, run_id="future", began_at_ns=far, ended_at_ns=far + 1)
    for second in range(3):
        store.append([(span._replace(span_id=f"{second:016x}"), ahead)], [], [], NOW)
    store.append([(span, replace(step, run_id="honest", ended_at_ns=NOW + DAY))], [], [], NOW + DAY)
    with Reader.open(store.path) as reader:
        listed = reader.runs()

    assert [summary.run_id for summary in listed] == ["honest", "future"]
    assert listed[1].last_ns <= NOW + 10**9


def test_equal_ids_of_two_senders_are_two_spans_and_of_one_the_later_end_stays(
    store: SqliteStore,
) -> None:
    (run,) = some_runs(1)
    ((span, step), *_) = spans_of(run)
    assert step is not None
    later = span._replace(ended_at_ns=span.ended_at_ns + 5, name="later")
    owned, other = replace(step, sender="a"), replace(step, sender="b", run_id="apart")
    for rows in ([(span, other)], [(later, owned)], [(span, owned)]):
        store.append(rows, [], [], NOW)

    assert store.select("SELECT sender, ended_at_ns FROM spans ORDER BY sender") == [
        (1, span.ended_at_ns), (2, later.ended_at_ns),
    ]  # fmt: skip
