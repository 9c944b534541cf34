"""Approvals: one exact call, one use, one answer; over real sockets and across restarts."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

from aftershock_collector.config.model import Address
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.support.commands import Main, printed_data
from tests.support.guarded import GuardedProcess, guarded_process
from tests.support.live_collector import live_collector

ASK = {"mode": "enforce", "tiers": {"destructive": "ask"}, "wait": "30s"}
S = 1_000_000_000


def in_thread(process: GuardedProcess, found: list[Any], **arguments: Any) -> threading.Thread:
    thread = threading.Thread(
        target=lambda: found.append(process.call("delete_database", **arguments))
    )
    thread.start()
    return thread


def waiting(main: Main, count: int = 1) -> list[dict[str, Any]]:
    """The requests that wait, once there are as many."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        listed = printed_data(main, "approvals")
        if len(listed) == count:
            return listed
        time.sleep(0.1)
    raise AssertionError("nobody asks")


def test_a_call_waits_for_its_approval_and_then_runs_once(main: Main, home: Path) -> None:
    found: list[Any] = []
    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        thread = in_thread(process, found, name="a")
        (asked,) = waiting(main)

        code, out, _ = main("approvals", "approve", str(asked["number"]), "--by", "ann")
        thread.join(20)
        (spent,) = printed_data(main, "approvals", "--ended")

    assert code == 0
    assert f"approved {asked['number']} (delete_database) by ann" in out
    assert ("destructive", {"name": "a"}) == (asked["tier"], asked["arguments"])
    assert found[0].passes
    assert "ann" == found[0].progress.answered_by
    assert found[0].progress.held_ns > 0
    assert [("asked", "asked"), ("answered", "spent")] == process.reports
    assert "spent" == spent["state"]


def test_a_denial_is_a_result_that_says_who_and_why(main: Main, home: Path) -> None:
    found: list[Any] = []
    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        thread = in_thread(process, found, name="a")
        (asked,) = waiting(main)
        main("approvals", "deny", str(asked["number"]), "--by", "ann", "--because", "not on Friday")
        thread.join(20)
        again = process.call("delete_database", name="a")

    assert not found[0].passes
    assert "ann denied delete_database: not on Friday." == found[0].admission.reasons[0].text
    assert "ann denied delete_database: not on Friday." == again.admission.reasons[0].text


def test_an_agent_that_cannot_wait_tries_again_and_spends_the_grant(main: Main, home: Path) -> None:
    quick = {**ASK, "wait": "100ms"}
    with live_collector(home) as collector, guarded_process(collector.url, gate=quick) as process:
        first = process.call("delete_database", name="a")
        (asked,) = waiting(main)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        other = process.call("delete_database", name="b")
        second = process.call("delete_database", name="a", run="a later run")
        third = process.call("delete_database", name="a")

    assert ["unanswered"] == [str(reason.code) for reason in first.admission.reasons]
    assert not other.passes, "an approval covers its arguments only"
    assert second.passes
    assert not third.passes, "and one call"


def test_a_call_that_waits_is_answered_after_a_restart_of_the_collector(
    main: Main, home: Path
) -> None:
    found: list[Any] = []
    with live_collector(home) as collector:
        http = collector.http
        process = GuardedProcess(collector.url, gate=ASK)
        thread = in_thread(process, found, name="a")
        (asked,) = waiting(main)
    main("approvals", "approve", str(asked["number"]), "--by", "ann")
    with live_collector(home, http=Address(http.host, http.port)):
        thread.join(30)
        process.channel.stop()

    assert found[0].passes


def test_an_agent_that_was_restarted_while_it_waited_finds_its_answer(
    main: Main, home: Path
) -> None:
    quick = {**ASK, "wait": "100ms"}
    with live_collector(home) as collector:
        with guarded_process(collector.url, gate=quick) as process:
            process.call("delete_database", name="a")
        (asked,) = waiting(main)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        with guarded_process(collector.url, gate=quick) as restarted:
            assert restarted.call("delete_database", name="a").passes


def test_two_calls_that_wait_for_one_approval_are_one_call(main: Main, home: Path) -> None:
    found: list[Any] = []
    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        threads = [in_thread(process, found, name="a") for _ in range(4)]
        (asked,) = waiting(main)
        time.sleep(0.3)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        for thread in threads:
            thread.join(30)

    assert [False, False, False, True] == sorted(one.passes for one in found)


def test_what_cannot_be_bound_is_approved_for_the_call_that_waits_only(
    main: Main, home: Path
) -> None:
    found: list[Any] = []
    shown = {**ASK, "wait": "100ms"}
    with live_collector(home) as collector, guarded_process(collector.url, gate=shown) as process:
        process.hides_arguments = True
        process.call("delete_database", name=object())
        (asked,) = waiting(main)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        found.append(process.call("delete_database", name=object()))

    assert not found[0].passes


def test_a_stop_ends_the_waiting_and_spends_nothing(main: Main, home: Path) -> None:
    found: list[Any] = []
    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        thread = in_thread(process, found, name="a")
        (asked,) = waiting(main)
        collector.order("stop", all=True)
        thread.join(20)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        (kept,) = printed_data(main, "approvals", "--ended")

    assert ["order"] == [str(reason.code) for reason in found[0].admission.reasons]
    assert "approved" == kept["state"]


def test_an_approval_given_while_the_agent_is_paused_holds_until_it_resumes(
    main: Main, home: Path
) -> None:
    found: list[Any] = []
    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        thread = in_thread(process, found, name="a")
        (asked,) = waiting(main)
        collector.order("pause", all=True)
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        time.sleep(0.5)
        held = not found
        collector.order("resume", all=True)
        thread.join(20)

    assert held
    assert found[0].passes


def test_an_async_call_waits_without_blocking_its_loop(main: Main, home: Path) -> None:
    async def scene(process: GuardedProcess) -> bool:
        call = asyncio.create_task(process.call_async("delete_database", name="a"))
        (asked,) = await asyncio.to_thread(waiting, main)
        assert not call.done()
        await asyncio.to_thread(main, "approvals", "approve", str(asked["number"]), "--by", "ann")
        return (await asyncio.wait_for(call, 20)).passes

    with live_collector(home) as collector, guarded_process(collector.url, gate=ASK) as process:
        assert asyncio.run(scene(process))


# --- The store alone ---------------------------------------------------------------------------


def asked_for(digest: str = "d", at_ns: int = S, valid_s: int = 60) -> Ticket:
    return Ticket(digest, "drop", "destructive", "run", at_ns, at_ns + valid_s * S)


def test_what_has_expired_can_be_neither_answered_nor_used(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "a.db")
    tickets = SqliteTickets(store)
    ticket = tickets.ask(asked_for())
    approved = tickets.ask(asked_for("e"))
    tickets.answer(approved.number, approve=True, by="ann", because="", now_ns=2 * S)

    expired = tickets.answer(ticket.number, approve=True, by="ann", because="", now_ns=61 * S)
    used = tickets.spend(approved.number, "e", "n", "run", 61 * S, "")
    asked_again = tickets.ask(asked_for(at_ns=61 * S))
    store.close()

    assert (False, TicketState.EXPIRED) == (expired[0], expired[1] and expired[1].state)
    assert (False, TicketState.EXPIRED) == (used[0], used[1] and used[1].state)
    assert asked_again.number > ticket.number


def test_a_lost_answer_to_spending_can_be_asked_for_again_by_the_same_call_only(
    tmp_path: Path,
) -> None:
    store = SqliteStore.open(tmp_path / "a.db")
    tickets = SqliteTickets(store)
    number = tickets.ask(asked_for()).number
    assert not tickets.spend(number, "d", "n", "run", 2 * S, "")[0], "nobody has approved it"
    tickets.answer(number, approve=True, by="ann", because="", now_ns=2 * S)

    spent = [
        tickets.spend(number, digest, nonce, run, 3 * S, "")[0]
        for digest, nonce, run in (
            ("other", "n", "run"), ("d", "n", "run"), ("d", "n", "run"),
            ("d", "m", "run"), ("d", "n", "other"),
        )
    ]  # fmt: skip
    denied = tickets.answer(number, approve=False, by="bo", because="", now_ns=4 * S)
    store.close()

    assert [False, True, True, False, False] == spent
    assert denied[0] is False
