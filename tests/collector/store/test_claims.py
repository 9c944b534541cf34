"""Claims, attributions and deliveries in the store: updated in place, ended once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aftershock.grade import Grade
from aftershock.model import Claim, Closing, Impact, Level, Parts, Report
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.store.rows import DAY, NOW, finding


def impact(probability: float, entity: str = "db/orders") -> Impact:
    return Impact(
        "s1", "t1", "r1", "bot", "scale", NOW, entity, probability, Grade.SUSPECTED,
        Parts(1.0, 0.0, 0.0, 0.0), (), NOW,
    )  # fmt: skip


def test_a_claim_is_updated_in_place_and_a_second_life_is_a_second_row(
    store: SqliteStore, store_path: Path
) -> None:
    first = Claim(finding(), NOW)
    worse = replace(first, finding=finding(level=Level.ALARM, summary="worse"))
    over = replace(worse, closed_at_ns=NOW + 9, closing=Closing.CONTRADICTED)
    later = Claim(finding(summary="later"), NOW + 20)
    store.record(Report(NOW, opened=(first,)), [], NOW)
    store.record(Report(NOW, updated=(worse,)), [], NOW)
    with Reader.open(store_path) as reader:
        assert [worse] == reader.claims() == reader.claims("r1", open_only=True)
    store.record(Report(NOW, closed=(over,)), [], NOW)
    store.record(Report(NOW, closed=(over,)), [], NOW)
    store.record(Report(NOW, opened=(later,)), [], NOW)

    with Reader.open(store_path) as reader:
        assert [later, over] == reader.claims("r1")
        assert [later] == reader.claims(open_only=True)
        assert [] == reader.claims("r2")
        assert [later] == reader.claims(since_ns=NOW + 1)


def test_a_claim_that_opened_and_closed_between_two_looks_is_closed(
    store: SqliteStore, store_path: Path
) -> None:
    claim = Claim(finding(), NOW, NOW + 1, Closing.RUN_ENDED)
    store.record(Report(NOW, opened=(claim,), closed=(claim,)), [], NOW)

    with Reader.open(store_path) as reader:
        assert [claim] == reader.claims()


def test_the_newest_attribution_of_an_action_and_an_entity_counts(
    store: SqliteStore, store_path: Path
) -> None:
    store.record(Report(NOW, impacts=(impact(0.4), impact(0.1, "service/a"))), [], NOW)
    store.record(Report(NOW, impacts=(impact(0.9),)), [], NOW)

    with Reader.open(store_path) as reader:
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
