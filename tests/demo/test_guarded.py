"""The guarded play end to end: the call that broke it is held back, and the next one is right."""

from __future__ import annotations

import re
import time

import pytest

from aftershock.model import Level
from aftershock.policy.policy import EMPTY
from aftershock_collector.demo.approver import held_text
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.tickets import SqliteTickets, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.demo.test_incident import Played, play


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("guarded"), "--guarded")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_call_that_breaks_checkout_is_held_back_and_the_approved_one_breaks_nothing(
    guarded: Played,
) -> None:
    with Reader.open(guarded.out / "home" / "aftershock.db") as reader:
        (run,) = [run for run in reader.runs() if run.agent == "sre-agent"]
        steps = [one for one in reader.steps(run.run_id, EMPTY) if one.ended_at_ns is not None]
        alarms = [c for c in reader.claims() if c.finding.level is Level.ALARM]
    calls = [step.action for step in steps if step.action and step.name == "scale_workers"]
    store = SqliteStore.open(guarded.out / "home" / "aftershock.db")
    try:
        tickets = SqliteTickets(store).tickets(range(1, 10))
        canaries = SqliteCanaries(store).newest(time.time_ns())
    finally:
        store.close()

    # Whoever may approve is asked; nobody is told of an incident.
    assert {page["key"] for page in guarded.pages} == {"aftershock-approval-1"}
    assert alarms == []
    held, passed = calls
    assert held.error_class == "held_back"
    assert passed.error_class is None
    (ticket,) = tickets
    assert (ticket.state, ticket.by) == (TicketState.SPENT, "dba")
    assert ticket.arguments == {"service": "checkout", "workers": 6}
    assert "db_connections_in_use / db_connections_max of db/orders" in ticket.examined[0]
    (canary,) = canaries
    assert (canary.before, canary.call.amount, canary.damage) == (4, 6, "")
    impact = guarded.impacts["scale_workers"]
    assert (impact.probability or 0.0) < 0.8


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_stranger_reads_what_was_held_back_why_and_who_approved_what(guarded: Played) -> None:
    printed = " ".join(guarded.printed.split())

    assert "scale_workers was not run." in printed
    assert "maintenance_window of prod: never read" in printed
    assert re.search(r"maintenance window on db/orders began 2\d min ago", printed)
    assert "20 of 37 are used" in printed
    assert "workers = 6" in printed
    assert "Call it with a value from 2 to 8, and go on from there." in printed
    assert "approved 1 (scale_workers) by dba" in printed
    assert "Nobody was paged." in printed
    assert "One call was held back; dba approved another." in printed
    assert guarded.left_behind == []


def test_what_the_agent_read_is_shown_once_it_is_whole() -> None:
    lines = ["x", "scale_workers was not run.", "- why", ""]

    assert held_text(lines) is None
    assert held_text([*lines, "===== Ai Message ====="]) == "scale_workers was not run.\n- why"
    assert held_text(["x"]) is None
