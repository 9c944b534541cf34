"""Approvals that cover more than was shown, answers that cross each other, and floods of requests."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from aftershock.approval import Gate
from aftershock.gate.decide import Call
from aftershock.guard.connection import Refused
from aftershock.limits import DEFAULTS
from aftershock.policy.policy import Policy
from aftershock.recorder.process_gate import ProcessGate
from aftershock_collector.control import board as boards
from aftershock_collector.control.board import Board
from aftershock_collector.control.bodies import BODY_BYTES_MAX, Bad, read_body
from aftershock_collector.control.day_counts import DayCounts
from aftershock_collector.notify.approval_page import effect_lines
from aftershock_collector.store import tickets as ticket_store
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.collector.control.test_approval_pages import SECRETS, SLACK, ask, ticket_of
from tests.support.live_collector import LiveCollector, live_collector

S = 1_000_000_000


def form_of(collector: LiveCollector, number: int, action: str) -> dict[str, str]:
    """The hidden fields of a form as its document holds them, and the box that is ticked."""
    document = httpx.get(f"{collector.url}/approvals/{number}").text
    form = document[document.index(f'action="/approvals/{number}/{action}') :]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("</form>")])
    return dict(fields)


def send(collector: LiveCollector, number: int, action: str, form: Mapping[str, str]) -> int:
    given = {"by": "ann", "because": "", **form}
    place = f"{collector.url}/approvals/{number}/{action}"
    return httpx.post(place, data=given).status_code


def test_a_group_is_answered_as_far_as_it_was_shown(home: Path) -> None:
    """What is asked after the page was made, in another tier or by another sender, waits."""
    with live_collector(home) as collector:
        first, second = ask(collector, "a"), ask(collector, "b")
        ask(collector, "other-tier", action={"tool": "drop_table", "tier": "write"})
        shown = httpx.get(f"{collector.url}/approvals/{first}").text
        form = form_of(collector, first, "approve")
        joined = ask(collector, "joined", arguments={"name": "everything"})
        status = send(collector, first, "approve", form)

    assert status == 200
    assert "name = b" in shown, "each call of the group is shown with what it would do"
    assert form["similar"] == str(second)
    states = [ticket_of(home, one).state for one in (first, second, joined)]
    assert states == [TicketState.APPROVED, TicketState.APPROVED, TicketState.ASKED]


def test_an_approval_does_not_undo_a_denial_that_nobody_had_seen(home: Path) -> None:
    with live_collector(home) as collector:
        number = ask(collector)
        before = form_of(collector, number, "approve")
        send(collector, number, "deny", form_of(collector, number, "deny"))
        crossed = send(collector, number, "approve", before)
        denied = ticket_of(home, number).state
        seen = send(collector, number, "approve", form_of(collector, number, "approve"))

    assert (crossed, denied) == (409, TicketState.DENIED)
    assert seen == 200, "who has read the denial may decide otherwise"
    assert ticket_of(home, number).state is TicketState.APPROVED


def test_a_button_in_slack_does_not_undo_a_denial(home: Path) -> None:
    with live_collector(home, webhook_secrets=SECRETS) as collector:
        number = ask(collector)
        send(collector, number, "deny", form_of(collector, number, "deny"))
        pressed = {
            "user": {"id": "U1", "name": "bob"},
            "actions": [{"action_id": "approve", "value": str(number)}],
        }
        body = urlencode({"payload": json.dumps(pressed)}).encode()
        stamp = str(int(time.time()))
        signed = hmac.new(SLACK.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        answer = httpx.post(
            f"{collector.url}/api/v1/approvals/slack",
            content=body,
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "x-slack-request-timestamp": stamp,
                "x-slack-signature": f"v0={signed.hexdigest()}",
            },
        )

    assert "was denied by ann" in answer.json()["message"]
    assert ticket_of(home, number).state is TicketState.DENIED


def test_arguments_that_a_page_leaves_out_are_counted() -> None:
    arguments = {f"a{place}": place for place in range(30)}
    wanted = Ticket("d", "scale", "provision", "r", 0, 1, arguments=arguments)

    assert re.fullmatch(r"… and \d+ arguments more", effect_lines(wanted)[-1])


# --- Floods ----------------------------------------------------------------------------------------


def test_a_flood_of_requests_hides_none_of_another_agent(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_store, "LISTED_MAX", 20)
    monkeypatch.setattr(ticket_store, "WAITING_MAX", 60)
    with live_collector(home) as collector:
        waits = ask(collector, "victim", run={"id": "v", "agent": "careful-bot"})
        for place in range(59):
            ask(collector, f"flood-{place}", targets=[f"t{place}"], valid_s=1)
        with pytest.raises(Refused, match="wait for an answer"):
            ask(collector, "one-more")
        listed = httpx.get(f"{collector.url}/approvals").text
        time.sleep(1.1)
        with pytest.raises(Refused, match="wait for an answer"):
            ask(collector, "after they expired")

    assert f'href="/approvals/{waits}"' in listed


def test_every_change_is_pushed_however_many_there_are(home: Path) -> None:
    store = SqliteStore.open(home / "aftershock.db")
    try:
        tickets = SqliteTickets(store)
        now_ns = time.time_ns()
        for place in range(ticket_store.LISTED_MAX - 1):
            tickets.ask(Ticket(f"d{place}", "t", "write", "r", now_ns, now_ns + 60 * S))
        tickets.ask(Ticket("e", "t", "write", "r", now_ns, now_ns + 60 * S, sender="other"))
        tickets.ask(Ticket("f", "t", "write", "r", now_ns + 1, now_ns + 60 * S, sender="other"))
        changed = tickets.changed_since(now_ns - 1)
    finally:
        store.close()

    assert len({ticket.number for ticket in changed}) == ticket_store.LISTED_MAX + 1


def test_processes_of_one_sender_push_none_of_another_off_the_board(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is forgotten would be missing from no answer to a stop."""
    monkeypatch.setattr(boards, "PROCESSES_MAX", 50)
    store = SqliteStore.open(home / "aftershock.db")

    async def scene() -> set[str]:
        board = Board(SqliteTickets(store), {}, DayCounts(DEFAULTS, time.time_ns()))
        await board.poll({"id": "victim"}, None, (), "team-a")
        for place in range(200):
            await board.poll({"id": f"p{place}"}, None, (), "flooder")
        return {one.sender for one in board.processes}

    try:
        assert asyncio.run(scene()) == {"team-a", "flooder"}
    finally:
        store.close()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"{}," * 5_000_000 + b"{}]}",
        b'{"a":[' + b"1," * 7_000_000 + b"1]}",
        b'{"a":[' + b'"",' * 5_000_000 + b'""]}',
    ],
    ids=["mappings", "numbers", "texts"],
)
def test_a_body_of_millions_of_values_is_refused_before_it_is_read(body: bytes) -> None:
    assert len(body) <= BODY_BYTES_MAX
    with pytest.raises(Bad, match="values"):
        read_body(body)


def test_a_file_of_ten_megabytes_is_one_value() -> None:
    text = 'if (x) { y[1], "z\\" }\n' * 400_000

    assert read_body(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize("number", [10**30, -1, True, "1"])
def test_a_number_that_no_request_can_have_is_no_error_of_ours(home: Path, number: Any) -> None:
    with live_collector(home) as collector:
        polled = collector.post(
            "/v1/guard/poll", {"process": {"id": "p"}, "revision": None, "waiting": [number]}
        )
        with pytest.raises(Refused, match="number and nonce"):
            collector.post("/v1/guard/spend", {"number": number, "nonce": "n", "digest": "d"})

    assert polled["tickets"] == []


# --- Calls that cannot be asked about --------------------------------------------------------------


def test_a_call_that_the_collector_refuses_to_be_asked_about_does_not_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent may ask until it is refused: that is no absent collector."""
    monkeypatch.setattr(ticket_store, "WAITING_MAX", 0)
    policy = Policy.from_mapping(
        {
            "gate": {"mode": "enforce", "when_unreachable": {"write": "allow"}},
            "tools": {"put_file": {"tier": "write", "gate": "ask"}},
        }
    )
    call = Call("put_file", {"name": "x"}, "r", "bot")
    with live_collector(home) as collector:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        refused = ProcessGate().enter(call, policy)
    monkeypatch.setenv("AFTERSHOCK_COLLECTOR", "http://127.0.0.1:9")
    away = ProcessGate().enter(call, policy)

    assert not refused.passes
    assert refused.admission.gate is Gate.ASK
    assert away.passes, "this is what the policy names for a collector that is away"


def test_a_call_that_makes_the_guard_fail_is_judged_by_its_own_gate() -> None:
    """A number that Python does not print can be bound to no approval."""
    policy = Policy.from_mapping(
        {"gate": {"mode": "enforce"}, "tools": {"get_file": {"tier": "read", "gate": "ask"}}}
    )

    passage = ProcessGate().enter(Call("get_file", {"n": 10**5_000}, "r", "bot"), policy)

    assert not passage.passes
