"""Incidents, responses, mutes and snapshots in the store, and who may read its files."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from aftershock.model import Claim, Finding, Level, Report
from aftershock_collector.store.home_lock import held
from aftershock_collector.store.incidents import (
    Incident,
    Mute,
    Response,
    ResponseAction,
    Severity,
)
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore

NOW = 1_800_000_000 * 10**9
S = 10**9
DAY = 86_400 * S
FINDING = Finding("missing_fact", "r1", "scale/limit", Level.ALARM, NOW, NOW, ("s1",), "It acted.")
INCIDENT = Incident(
    number=1,
    key="aftershock-1",
    title="It acted.",
    severity=Severity.CRITICAL,
    opened_at_ns=NOW,
    updated_at_ns=NOW,
    findings=(FINDING.id,),
    runs=("r1",),
    agents=("bot",),
    kinds=("missing_fact",),
    open_findings=1,
)
PAGE = Delivery(INCIDENT.key, State.OPENED, "webhook", "{}", incident=1)


def keep(store: SqliteStore, incident: Incident, *pages: Delivery, at_ns: int = NOW) -> int:
    report = Report(at_ns, opened=(Claim(FINDING, NOW),))
    return store.record(report, pages, at_ns, incidents=[incident])


def test_an_incident_comes_back_with_its_findings(store: SqliteStore, store_path: Path) -> None:
    keep(store, INCIDENT)
    keep(store, replace(INCIDENT, title="It broke something."))

    with Reader.open(store_path) as reader:
        assert reader.incident(1) == replace(INCIDENT, title="It broke something.")
        assert [claim.finding for claim in reader.claims_of(1)] == [FINDING]
        assert reader.incidents(run_id="r1") == reader.incidents(open_only=True)
        assert reader.incidents(run_id="r2") == []
        assert reader.incident(2) is None


def test_closed_incidents_are_listed_by_the_time_they_were_open(
    store: SqliteStore, store_path: Path
) -> None:
    keep(store, replace(INCIDENT, closed_at_ns=NOW + 60 * S))

    with Reader.open(store_path) as reader:
        assert reader.incidents(open_only=True) == []
        assert len(reader.incidents(since_ns=NOW + 30 * S)) == 1
        assert reader.incidents(since_ns=NOW + 61 * S) == []
        assert reader.incidents(until_ns=NOW - S) == []


def test_a_number_is_never_given_twice_even_after_pruning(
    store: SqliteStore, store_path: Path
) -> None:
    keep(store, replace(INCIDENT, number=7, closed_at_ns=NOW))
    store.prune(NOW + DAY, 10**9)

    with Reader.open(store_path) as reader:
        assert reader.incidents() == []
        assert reader.newest_incident() == 7


def test_responses_wait_until_a_collector_has_applied_them(
    store: SqliteStore, store_path: Path
) -> None:
    response = Response(1, ResponseAction.SNOOZE, "alice", "deploying", NOW, NOW + 600 * S)
    store.respond(response)

    with Reader.open(store_path) as reader:
        assert reader.unapplied_responses() == [(1, response)]
        store.record(Report(NOW), [], NOW, responses=[1])
        assert reader.unapplied_responses() == []
        assert reader.responses(1) == [response]


def test_a_mute_holds_until_it_expires_or_is_ended(store: SqliteStore, store_path: Path) -> None:
    ten_minutes = Mute("alice", "a known loop", NOW, NOW + 600 * S, agent="bot")
    for_good = Mute("bob", "by design", NOW, rule="context_pressure")
    numbers = [store.mute(ten_minutes), store.mute(for_good)]

    with Reader.open(store_path) as reader:
        assert [mute.number for mute in reader.mutes(NOW)] == numbers[::-1]
        assert [mute.rule for mute in reader.mutes(NOW + 600 * S)] == ["context_pressure"]
        assert store.unmute(numbers[1], "alice", NOW + 700 * S)
        assert not store.unmute(numbers[1], "alice", NOW + 701 * S)
        assert not store.unmute(99, "alice", NOW)
        assert reader.mutes(NOW + 800 * S) == []
        assert reader.mutes()[0].ended_by == "alice"


def test_a_snapshot_is_the_newest(store: SqliteStore, store_path: Path) -> None:
    store.save_snapshot("observations", b"1", NOW)
    store.save_snapshot("observations", b"2", NOW + S)

    with Reader.open(store_path) as reader:
        assert reader.snapshot("observations") == b"2"
        assert reader.snapshot("other") is None


def test_an_opening_that_was_not_sent_is_brought_up_to_date_instead_of_followed(
    store: SqliteStore,
) -> None:
    outbox = SqliteOutbox(store)
    assert keep(store, INCIDENT, PAGE) == 1
    update = replace(PAGE, state=State.UPDATED, revision=1, body='{"state":"updated","n":2}')
    assert keep(store, INCIDENT, update) == 0
    (due,) = outbox.due(NOW)
    assert (due.state, due.body) == (State.OPENED, '{"state":"opened","n":2}')

    outbox.delivered(due.id, NOW)
    assert keep(store, INCIDENT, update) == 1
    assert outbox.confirmed(INCIDENT.key, "webhook")


def test_a_page_waits_for_siblings_unless_it_becomes_urgent(store: SqliteStore) -> None:
    outbox = SqliteOutbox(store)
    keep(store, INCIDENT, replace(PAGE, wait_ns=5 * S))
    assert outbox.due(NOW) == []
    assert outbox.next_ns("webhook") == NOW + 5 * S

    keep(store, INCIDENT, replace(PAGE, urgent=True, body='{"state":"updated"}'), at_ns=NOW + S)
    assert [due.body for due in outbox.due(NOW + S)] == ['{"state":"opened"}']


def test_urgent_pages_are_sent_first(store: SqliteStore) -> None:
    other = replace(INCIDENT, number=2, key="aftershock-2")
    keep(store, INCIDENT, PAGE)
    keep(store, other, replace(PAGE, subject=other.key, incident=2, urgent=True))

    assert [due.incident for due in SqliteOutbox(store).due(NOW)] == [2, 1]


def test_an_opening_knows_that_its_closing_waits_behind_it(store: SqliteStore) -> None:
    keep(store, INCIDENT, PAGE)
    keep(store, INCIDENT, replace(PAGE, state=State.CLOSED))

    (due,) = SqliteOutbox(store).due(NOW)
    assert due.closing is not None


def test_only_the_owner_can_read_the_store(store: SqliteStore, store_path: Path) -> None:
    keep(store, INCIDENT)

    def mode(place: Path) -> int:
        return stat.S_IMODE(place.stat().st_mode)

    assert mode(store_path.parent) == 0o700
    assert [mode(file) for file in sorted(store_path.parent.iterdir())] == [0o600] * 3


def test_a_file_that_an_older_version_left_open_is_narrowed(tmp_path: Path) -> None:
    place = tmp_path / "aftershock.db"
    place.touch(mode=0o644)
    with held(tmp_path):
        SqliteStore.open(place).close()

    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_folder_of_somebody_else_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    SqliteStore.open(shared / "aftershock.db").close()

    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
