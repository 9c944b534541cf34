"""The page about the collector itself: when it opens, what it says, when it closes."""

from __future__ import annotations

from pathlib import Path

from aftershock.model import Report
from aftershock_collector.config.on_call import OnCall, Route
from aftershock_collector.impact.fair_shares import Holding, most_of
from aftershock_collector.notify import alertmanager
from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.notify.fullness import LASTS_NS, QUIET_NS, Bound, Fullness, Overflow
from aftershock_collector.notify.fullness_page import KIND, compose, title_of
from aftershock_collector.notify.page import Page
from aftershock_collector.store.interface import State
from aftershock_collector.store.reader import Reader
from tests.support.desk import NOW, Desk
from tests.support.receiver import Receiver

S = 10**9
FLOODER = Holding("ci", "shop", "clerk", 0.83)
OTHER = Holding("prod", "shop", "clerk", 0.6)


def page_of(fullness: Fullness, *overflows: Overflow, at_ns: int = NOW) -> Page:
    about = fullness.tick(overflows, at_ns)
    assert about is not None
    return compose(about, "http://collector:4318")


def lost(bound: Bound, count: int = 1, holding: Holding | None = FLOODER) -> Overflow:
    return Overflow(bound, count, holding)


def test_an_action_that_is_judged_no_further_is_told_at_once_with_who_floods() -> None:
    page = page_of(Fullness(), lost(Bound.ACTIONS, 40))

    assert page.state is State.OPENED
    assert page.severity == "warning"
    assert page.title == (
        "Aftershock itself is full (observed actions): sender ci holds 83 %, "
        "most of it agent clerk of service shop"
    )
    assert "40 actions will not be judged for what they degraded" in page.text
    assert "aftershock token list, then revoke what ci sends with" in page.text


def test_a_burst_that_the_queue_refuses_is_sent_again_and_told_to_no_one() -> None:
    fullness = Fullness()

    assert fullness.tick([lost(Bound.QUEUE)], NOW) is None
    assert fullness.tick([], NOW + LASTS_NS[Bound.QUEUE]) is None
    assert fullness.tick([lost(Bound.QUEUE)], NOW + 3 * LASTS_NS[Bound.QUEUE]) is None
    assert fullness.bounds == ()


def test_a_queue_that_stays_full_is_told_with_its_count() -> None:
    fullness = Fullness()
    for second in range(10):
        assert fullness.tick([lost(Bound.QUEUE, 3)], NOW + second * S) is None
    page = page_of(fullness, lost(Bound.QUEUE, 3), at_ns=NOW + 10 * S)

    assert "33 requests had to wait outside" in page.text
    assert page.began_at_ns == NOW


def test_a_store_that_cannot_write_is_critical_and_says_why() -> None:
    fullness = Fullness()
    fullness.tick([Overflow(Bound.STORE, 1, why="full")], NOW)
    page = page_of(fullness, Overflow(Bound.STORE, 1, why="full"), at_ns=NOW + 10 * S)

    assert page.severity == "critical"
    assert "(full)" in page.text


def test_another_bound_updates_the_page_at_once_and_more_of_the_same_does_not() -> None:
    fullness = Fullness()
    opened = page_of(fullness, lost(Bound.ACTIONS))
    assert fullness.tick([lost(Bound.ACTIONS, 900)], NOW + S) is None
    updated = page_of(fullness, lost(Bound.MEMORY), at_ns=NOW + 2 * S)

    assert (updated.state, updated.key, updated.revision) == (State.UPDATED, opened.key, 1)
    assert updated.title.startswith("Aftershock itself is full (memory, observed actions)")


def test_another_flooder_updates_the_page_within_five_minutes() -> None:
    fullness = Fullness()
    page_of(fullness, lost(Bound.ACTIONS))
    assert fullness.tick([lost(Bound.ACTIONS, 1, OTHER)], NOW + S) is None

    assert "sender prod" in page_of(fullness, lost(Bound.ACTIONS), lost(Bound.ACTIONS, 1, OTHER),
                                    at_ns=NOW + 300 * S).title  # fmt: skip


def test_it_closes_when_nothing_was_lost_for_five_minutes_and_opens_anew() -> None:
    fullness = Fullness()
    first = page_of(fullness, lost(Bound.ACTIONS))
    assert fullness.tick([], NOW + QUIET_NS - S) is None
    closed = page_of(fullness, at_ns=NOW + QUIET_NS)

    assert (closed.state, closed.key) == (State.CLOSED, first.key)
    assert closed.closed_at_ns == NOW
    assert fullness.tick([], NOW + 2 * QUIET_NS) is None
    assert page_of(fullness, lost(Bound.ACTIONS), at_ns=NOW + 2 * QUIET_NS).key != first.key


def test_nobody_is_blamed_where_no_sender_holds_half() -> None:
    fullness = Fullness()
    page = page_of(fullness, lost(Bound.ACTIONS, 1, Holding("a", "s", "x", 0.4)))

    assert page.title == "Aftershock itself is full (observed actions)"
    assert "revoke" not in page.text


def test_an_address_cannot_be_revoked() -> None:
    page = page_of(Fullness(), lost(Bound.ACTIONS, 1, Holding("10.0.0.7", "", "", 0.9)))

    assert "10.0.0.7 sends without a token" in page.text


def test_names_of_a_flooder_break_no_page() -> None:
    hostile = Holding("a\x1b[31m\nb", "<script>", "\u202eagent" * 100, 0.9)
    fullness = Fullness()
    about = fullness.tick([lost(Bound.ACTIONS, 1, hostile)], NOW)
    assert about is not None

    assert len(title_of(about.bounds)) <= 150
    assert all(line.isprintable() for line in compose(about).body)


def test_most_is_the_sender_with_most_and_there_the_agent_with_most() -> None:
    held = [("a", "s", "x", 3.0), ("b", "s", "x", 2.0), ("b", "s", "y", 2.0), ("b", "s", "y", 1.0)]

    assert most_of(held) == Holding("b", "s", "y", 5 / 8)
    assert most_of([]) is None


def test_receivers_get_it_once_and_its_end_after_a_restart_too(
    tmp_path: Path, receiver: Receiver
) -> None:
    on_call = OnCall(webhook_url=receiver.url, routes=(Route("aftershock", "platform"),))
    desk, fullness = Desk(tmp_path, on_call), Fullness()
    about = fullness.tick([lost(Bound.ACTIONS)], NOW)
    assert about is not None
    desk.keep(Report(NOW), desk.notifications.report_fullness(about, NOW))
    desk.send()

    desk, fullness = Desk(tmp_path, on_call), Fullness()
    with Reader.open(desk.path) as reader:
        assert reader.unclosed(f"{KIND}/") == about.subject
    fullness.resume(about.subject, about.began_ns, NOW + S)
    over = fullness.tick([], NOW + S + QUIET_NS)
    assert over is not None
    desk.keep(Report(NOW), desk.notifications.report_fullness(over, NOW + S + QUIET_NS))
    desk.send(NOW + S + QUIET_NS)

    assert [request.json["state"] for request in receiver.requests] == ["opened", "closed"]
    assert receiver.requests[0].json["team"] == "platform"
    with Reader.open(desk.path) as reader:
        assert reader.unclosed(f"{KIND}/") is None


def test_alertmanager_has_it_under_the_name_of_the_slow_rule_and_is_sent_it_again(
    tmp_path: Path,
) -> None:
    desk, fullness = Desk(tmp_path, OnCall(alertmanager_url="http://nowhere")), Fullness()
    about = fullness.tick([lost(Bound.ACTIONS)], NOW)
    assert about is not None
    desk.notifications.report_fullness(about, NOW)
    (page,) = desk.notifications.open_pages()
    (alert,) = alertmanager.alerts(page, page.state, NOW)

    assert alert["labels"]["alertname"] == alert_name(KIND) == "AftershockFull"
    assert alert["labels"]["team"] == "platform"
