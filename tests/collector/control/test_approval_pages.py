"""Requests for approval where people are: web page, one-time links, Slack, PagerDuty, bypasses."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from aftershock.guard.connection import Connection
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.on_call import NamedReceiver, OnCall
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.support.commands import Main, printed_data
from tests.support.live_collector import LiveCollector, live_collector
from tests.support.receiver import Receiver, eventually

SLACK, PAGERDUTY = "slack-signing-secret", "pagerduty-secret"
SECRETS = {"slack": SLACK, "pagerduty": PAGERDUTY}
S = 1_000_000_000


def ask(collector: LiveCollector, name: str = "a", **more: Any) -> int:
    """Ask for an approval as an agent's process does; its number."""
    body: dict[str, Any] = {
        "action": {"tool": "drop_table", "tier": "destructive"},
        "targets": ["db/orders"],
        "run": {"id": "run-1", "agent": "sre-bot"},
        "digest": f"digest-{name}",
        "arguments": {"name": name},
        "reasons": [{"text": "The policy wants a person's approval for drop_table."}],
        **more,
    }
    return int(collector.post("/v1/guard/tickets", body)["ticket"]["number"])


def ticket_of(home: Path, number: int) -> Ticket:
    store = SqliteStore.open(home / "aftershock.db")
    try:
        (found,) = SqliteTickets(store).tickets([number])
        return found
    finally:
        store.close()


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def linked(receiver: Receiver) -> dict[str, str]:
    """The links of the newest page, by their labels."""
    return {one["label"]: one["url"] for one in receiver.requests[-1].json["links"]}


def here(collector: LiveCollector, url: str) -> str:
    """A link of a page, at the port that the collector really has."""
    return collector.url + "/" + url.split("/", 3)[3]


def test_a_request_is_a_page_whose_link_answers_once(home: Path, hook: Receiver) -> None:
    with live_collector(home, on_call=OnCall(webhook_url=hook.url)) as collector:
        number = ask(collector, explanation="the table is empty since March")
        eventually(lambda: hook.requests, 20)
        page = hook.requests[0].json
        approve, deny = (here(collector, linked(hook)[one]) for one in ("Approve", "Deny"))
        opened = httpx.get(approve)
        untouched = ticket_of(home, number)
        nameless = httpx.post(approve, data={"by": ""})
        done = httpx.post(approve, data={"by": "ann", "because": "agreed with the DBA"})
        approved = ticket_of(home, number)
        eventually(lambda: len(hook.requests) == 2, 20)
        denied = httpx.post(deny, data={"by": "bob"})
        replayed = httpx.post(approve, data={"by": "eve"})
        end = ticket_of(home, number)

    assert page["title"].startswith(f"Approval {number}: sre-bot asks for drop_table on db/orders")
    assert "the table is empty since March" in " ".join(page["body"])
    assert (opened.status_code, untouched.state) == (200, TicketState.ASKED)
    assert nameless.status_code == 400
    assert done.status_code == 200
    assert approved.state is TicketState.APPROVED
    assert approved.by == "ann (one-time link to webhook)"
    assert approved.because == "agreed with the DBA"
    assert hook.requests[1].json["state"] == "closed"
    assert (denied.status_code, replayed.status_code) == (200, 400)
    assert "has answered request" in replayed.text
    assert (end.state, end.by) == (TicketState.DENIED, "bob (one-time link to webhook)")


def test_a_link_that_was_changed_or_is_too_old_does_nothing(home: Path, hook: Receiver) -> None:
    with live_collector(home, on_call=OnCall(webhook_url=hook.url)) as collector:
        number, other = ask(collector, "a", valid_s=2), ask(collector, "b")
        eventually(lambda: len(hook.requests) >= 2, 20)
        links = {one["label"]: one["url"] for one in hook.requests[0].json["links"]}
        approve = here(collector, links["Approve"])
        form = {"by": "eve"}
        changed = [
            approve.replace(f"/{number}/", f"/{other}/"),
            approve.replace("to=webhook", "to=slack"),
            approve.replace("/approve", "/deny"),
            approve.replace("expires=", "expires=9"),
            approve.replace("signature=", "signature=x"),
        ]
        answers = [httpx.post(one, data=form).status_code for one in changed]
        eventually(lambda: time.time_ns() > ticket_of(home, number).expires_at_ns + S, 10)
        overdue = httpx.post(approve, data=form).status_code
        eventually(lambda: any(one.json["state"] == "closed" for one in hook.requests), 20)

    assert [403] * 5 == answers
    assert overdue == 403
    assert ticket_of(home, other).state is TicketState.ASKED


def test_the_web_page_lists_and_answers_and_records_who_was_verified(home: Path) -> None:
    tokens = Tokens(home / "tokens.json")
    _, secret = tokens.create("dba-team", [Scope.ANSWER, Scope.READ])
    bearer = {"Authorization": f"Bearer {secret}"}
    with live_collector(home) as collector:
        numbers = [ask(collector, name) for name in "abc"]
        listed = httpx.get(f"{collector.url}/approvals", headers=bearer).text
        one = httpx.get(f"{collector.url}/approvals/{numbers[0]}", headers=bearer).text
        place = f"{collector.url}/approvals/{numbers[0]}/approve"
        refused = httpx.post(place, data={"by": "eve"})
        form = {"by": "ann", "because": "ok", "similar": ",".join(map(str, numbers[1:]))}
        done = httpx.post(place, data=form, headers=bearer)

    assert "3 requests for approval" in listed
    assert "name = a" in one
    assert "The policy wants a person" in one
    assert "2 like it" in one
    assert refused.status_code == 401
    assert done.status_code == 200
    found = [ticket_of(home, number) for number in numbers]
    assert {"ann (dba-team)"} == {ticket.by for ticket in found}
    assert {TicketState.APPROVED} == {ticket.state for ticket in found}


def test_similar_requests_are_one_page(home: Path, hook: Receiver) -> None:
    with live_collector(home, on_call=OnCall(webhook_url=hook.url)) as collector:
        first, second = ask(collector, "a"), ask(collector, "b")
        ask(collector, "c", targets=["db/customers"])
        eventually(lambda: len({one.json["key"] for one in hook.requests}) == 2, 20)
        keys = [one.json["key"] for one in hook.requests]
        assert f"aftershock-approval-{second}" not in keys
        with_link = httpx.post(
            here(collector, linked_of(hook, first)), data={"by": "ann", "because": ""}
        )
        # The next of the group gets a page of its own.
        eventually(
            lambda: f"aftershock-approval-{second}" in [o.json["key"] for o in hook.requests], 20
        )

    assert with_link.status_code == 200


def linked_of(hook: Receiver, number: int) -> str:
    pages = [one.json for one in hook.requests]
    page = next(one for one in pages if one["key"] == f"aftershock-approval-{number}")
    return next(one["url"] for one in page["links"] if one["label"] == "Approve")


def test_requests_go_only_to_the_receivers_that_are_named(home: Path, hook: Receiver) -> None:
    further = NamedReceiver("dba", "webhook", {"url": hook.url + "/dba"})
    on_call = OnCall(webhook_url=hook.url, receivers=(further,), approvals=("dba",))
    with live_collector(home, on_call=on_call) as collector:
        ask(collector)
        eventually(lambda: hook.requests, 20)
        time.sleep(0.5)

    assert ["/dba"] == [one.path for one in hook.requests]


def slack_request(
    number: int, action: str = "approve", secret: str = SLACK, at_s: float | None = None
) -> tuple[bytes, dict[str, str]]:
    """What Slack posts when a button was pressed, by its documentation."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U1", "name": "ann", "team_id": "T1"},
        "team": {"id": "T1", "domain": "acme"},
        "actions": [{"type": "button", "action_id": action, "value": str(number)}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    stamp = str(int(time.time() if at_s is None else at_s))
    signed = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return body, headers


def test_a_button_in_slack_answers_by_its_signature_only(home: Path, hook: Receiver) -> None:
    on_call = OnCall(slack_url=hook.url)
    with live_collector(home, on_call=on_call, webhook_secrets=SECRETS) as collector:
        number = ask(collector)
        eventually(lambda: hook.requests, 20)
        blocks = hook.requests[0].json["blocks"]
        buttons = next(one["elements"] for one in blocks if one["type"] == "actions")
        place = f"{collector.url}/api/v1/approvals/slack"

        def posted(*arguments: Any) -> int:
            body, headers = slack_request(*arguments)
            return httpx.post(place, content=body, headers=headers).status_code

        forged = posted(number, "approve", "another secret")
        old = posted(number, "approve", SLACK, time.time() - 400)
        unsigned = httpx.post(place, content=b"payload={}").status_code
        untouched = ticket_of(home, number)
        body, headers = slack_request(number)
        pressed = httpx.post(place, content=body, headers=headers)
        approved = ticket_of(home, number)
        posted(number, "deny")
        replayed = httpx.post(place, content=body, headers=headers)
        end = ticket_of(home, number)

    values = {one.get("action_id"): one.get("value") for one in buttons}
    assert (values["approve"], values["deny"]) == (str(number), str(number))
    assert (forged, old, unsigned) == (401, 401, 401)
    assert untouched.state is TicketState.ASKED
    assert pressed.status_code == 200
    assert (approved.state, approved.by) == (TicketState.APPROVED, "ann (Slack acme/U1)")
    assert "answered request" in replayed.text
    assert end.state is TicketState.DENIED


def test_a_note_in_pagerduty_answers_by_its_signature_only(home: Path) -> None:
    def event(text: str, identity: str) -> bytes:
        agent = {"id": "PXPGF42", "type": "user_reference", "summary": "Ann Lee"}
        data = {"content": text, "incident": {"id": "PT4KHLK"}, "type": "incident_note"}
        found = {"id": identity, "event_type": "incident.annotated", "agent": agent, "data": data}
        now = time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime())
        return json.dumps({"event": {**found, "occurred_at": now}}).encode()

    def signed(body: bytes, secret: str = PAGERDUTY) -> dict[str, str]:
        made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"X-PagerDuty-Signature": f"v1=00,v1={made}"}

    with live_collector(home, webhook_secrets=SECRETS) as collector:
        number = ask(collector)
        place = f"{collector.url}/api/v1/approvals/pagerduty"
        body = event(f"Approve {number}: agreed with the DBA", "e1")
        forged = httpx.post(place, content=body, headers=signed(body, "wrong"))
        chat = event("looking into it", "e2")
        ignored = httpx.post(place, content=chat, headers=signed(chat))
        untouched = ticket_of(home, number)
        httpx.post(place, content=body, headers=signed(body))
        approved = ticket_of(home, number)
        denial = event(f"deny {number}", "e3")
        httpx.post(place, content=denial, headers=signed(denial))
        httpx.post(place, content=body, headers=signed(body))
        end = ticket_of(home, number)

    assert (forged.status_code, ignored.status_code) == (401, 200)
    assert untouched.state is TicketState.ASKED
    assert (approved.state, approved.by) == (TicketState.APPROVED, "Ann Lee (PagerDuty PXPGF42)")
    assert approved.because == "agreed with the DBA"
    assert end.state is TicketState.DENIED


def test_without_a_secret_there_is_no_route_for_answers_of_services(home: Path) -> None:
    with live_collector(home) as collector:
        body, headers = slack_request(ask(collector))

        answered = httpx.post(
            f"{collector.url}/api/v1/approvals/slack", content=body, headers=headers
        )

    assert answered.status_code == 404


def test_a_bypass_lets_pass_for_its_time_and_each_call_names_it(main: Main, home: Path) -> None:
    with live_collector(home) as collector:
        waiting = ask(collector, "before")
        reasonless, _, problem = main("approvals", "bypass", "--agent", "sre-*", "--by", "ann")
        code, out, _ = main(
            "approvals", "bypass", "--agent", "sre-*", "--tool", "drop_*", "--for", "10m",
            "--by", "ann", "--because", "the migration of tonight",
        )  # fmt: skip
        during = ask(collector, "during")
        other = ask(collector, "other", run={"id": "r", "agent": "web-bot"})
        too_long, *_ = main("approvals", "bypass", "--for", "3d", "--by", "a", "--because", "b")
        _, listed, _ = main("approvals")
        main("approvals", "end-bypass", "1")
        after = ask(collector, "after")
        connection = Connection(collector.url, {})
        spend = {"number": during, "digest": "digest-during", "nonce": "n", "run": "run-1"}
        spent = connection.post("/v1/guard/spend", spend, 5)
        connection.close()

    assert (reasonless, too_long) == (2, 2)
    assert "--because" in problem
    assert code == 0
    assert "Bypass 1: ann approves drop_* of sre-*" in out
    assert "Bypass 1" in listed
    for number in (waiting, during):
        ticket = ticket_of(home, number)
        assert (ticket.by, ticket.because) == ("ann (bypass 1)", "the migration of tonight")
    assert spent["spent"] is True
    assert [TicketState.ASKED] * 2 == [ticket_of(home, one).state for one in (other, after)]


def test_a_group_is_answered_with_one_command(main: Main, home: Path) -> None:
    with live_collector(home) as collector:
        numbers = [ask(collector, name) for name in "abc"]
        other = ask(collector, "d", targets=["db/customers"])
        main("approvals", "deny", str(numbers[0]), "--similar", "--by", "ann")
        (waits,) = printed_data(main, "approvals")

    assert waits["number"] == other
    assert {TicketState.DENIED} == {ticket_of(home, number).state for number in numbers}
