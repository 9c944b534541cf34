"""Ten attacks of 30 November 2026 over real sockets. Numbers are those of SECURITY.md."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock_collector.access.tokens import Scope, TokenError, Tokens
from aftershock_collector.config.model import Config
from aftershock_collector.notify.signed_links import LinkAction, LinkSigner
from aftershock_collector.store.tickets import SqliteTickets
from aftershock_collector.store.writer import SqliteStore
from tests.collector.access.test_attacks import collector
from tests.collector.access.test_forged_forms import (
    ACKNOWLEDGE,
    FORM,
    LASTING,
    MUTE,
    home,
    responses,
    tokens_of,
)
from tests.support.commands import Main

__all__ = ["home"]  # a fixture
EVIL = "<script>alert(1)</script>\x1b[31m"
JSON = {"content-type": "application/json"}
DIGEST = "d" * 32
NOW_S = int(time.time())


def bearer(place: Path, name: str, *scopes: Scope) -> dict[str, str]:
    _, secret = Tokens(Config(place).tokens).create(name, scopes)
    return {"authorization": f"Bearer {secret}"}


def asked(tool: str = "read_status", digest: str = DIGEST, **more: Any) -> dict[str, Any]:
    return {"digest": digest, "action": {"tool": tool, "tier": "read"}, "run": {"id": "r"}, **more}


# --- A1: a signature that is none -------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["nosignature=1", "x=1&my_signature=1", "x=signature=", "signature", "signature=&signature=x"],
)
def test_a1_a_query_that_only_looks_signed_opens_nothing(home: Path, query: str) -> None:
    """With a control token in force, so that a form needs one."""
    bearer(home, "ops", Scope.CONTROL)

    async def attack() -> set[int]:
        async with collector(home, on_call=LASTING) as (_, client):
            return {
                (await client.post(f"{path}?{query}", data=FORM | {"for": "1h"}, headers=given)).status_code
                for path in (ACKNOWLEDGE, MUTE)
                for given in ({}, {"authorization": "Bearer x"}, {"authorization": "x"})
            }  # fmt: skip

    assert asyncio.run(attack()) <= {401, 403}
    assert responses(home) == 0


# --- A2: a signed link in other hands ---------------------------------------------------------------


def test_a2_a_signed_link_acts_on_its_incident_and_in_its_time_only(home: Path) -> None:
    signer = LinkSigner.of(home)
    good = signer.url("", LinkAction.ACKNOWLEDGE, 1, NOW_S)
    stolen = re.sub("/1/", "/2/", good)
    old = signer.url("", LinkAction.ACKNOWLEDGE, 1, NOW_S - 8 * 86_400)
    longer = re.sub(r"expires=\d+", f"expires={NOW_S + 10**9}", good)
    bearer(home, "ops", Scope.CONTROL)

    async def attack() -> list[int]:
        async with collector(home, on_call=LASTING) as (_, client):
            links = (stolen, old, longer, good.replace("acknowledge", "mute"), good, good)
            return [(await client.post(link, data=FORM)).status_code for link in links]

    # The incident of the first is not known. The last is a replay: it says the same once more.
    assert asyncio.run(attack()) == [404, 403, 403, 403, 200, 200]


# --- A3: another sender's approval ------------------------------------------------------------------


def test_a3_a_stolen_ingest_token_gets_and_spends_no_other_senders_approval(
    tmp_path: Path,
) -> None:
    victim = bearer(tmp_path, "prod", Scope.INGEST)
    thief = bearer(tmp_path, "ci", Scope.INGEST)

    async def attack() -> tuple[dict[str, Any], dict[str, Any], list[int]]:
        async with collector(tmp_path) as (_, client):

            async def post(path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
                return await client.post(f"/v1/guard/{path}", json=body, headers=headers)

            mine = (await post("tickets", asked("drop_database"), victim)).json()["ticket"]
            approve(tmp_path, mine["number"])
            theirs = (await post("tickets", asked("drop_database"), thief)).json()["ticket"]
            spend = {"number": mine["number"], "digest": DIGEST, "nonce": "n", "run": "r"}
            stolen = (await post("spend", spend, thief)).status_code
            spent = await post("spend", spend, victim)
            assert spent.json()["spent"]
            return mine, theirs, [stolen, spent.status_code]

    mine, theirs, statuses = asyncio.run(attack())

    assert theirs["number"] != mine["number"]
    assert theirs["state"] == "asked"
    assert statuses == [400, 200]


def test_a3_a_harmless_request_of_another_sender_approves_no_call_of_ours(tmp_path: Path) -> None:
    victim = bearer(tmp_path, "prod", Scope.INGEST)
    thief = bearer(tmp_path, "ci", Scope.INGEST)

    async def attack() -> dict[str, Any]:
        async with collector(tmp_path) as (_, client):
            planted = await client.post("/v1/guard/tickets", json=asked(), headers=thief)
            approve(tmp_path, planted.json()["ticket"]["number"])
            wanted = asked("drop_database")
            answer = await client.post("/v1/guard/tickets", json=wanted, headers=victim)
            return answer.json()["ticket"]

    ticket = asyncio.run(attack())

    assert (ticket["tool"], ticket["state"]) == ("drop_database", "asked")


def approve(place: Path, number: int) -> None:
    store = SqliteStore.open(Config(place).store)
    done, _ = SqliteTickets(store).answer(
        number, approve=True, by="ann", because="", now_ns=time.time_ns()
    )
    store.close()
    assert done


# --- A4: a forged process ---------------------------------------------------------------------------


def test_a4_nobody_acknowledges_an_order_in_another_process_name(tmp_path: Path) -> None:
    victim = bearer(tmp_path, "prod", Scope.INGEST)
    thief = bearer(tmp_path, "ci", Scope.INGEST)
    order = {"verb": "stop", "all": True, "by": "ann", "because": "a test", "wait_s": 1.0}

    async def attack() -> dict[str, Any]:
        async with collector(tmp_path) as (_, client):

            async def poll(headers: dict[str, str], revision: int | None) -> Any:
                body = {"process": {"id": "p1"}, "revision": revision}
                return (await client.post("/v1/guard/poll", json=body, headers=headers)).json()

            known = (await poll(victim, None))["revision"]
            ordering = asyncio.create_task(client.post("/v1/orders", json=order))
            await asyncio.sleep(0.3)
            for revision in (known + 1, known + 2, 10**30):
                polled = asyncio.create_task(poll(thief, revision))
                await asyncio.sleep(0.05)
                polled.cancel()
            return (await ordering).json()

    answer = asyncio.run(attack())

    assert [one["sender"] for one in answer["missing"]] == ["prod"]
    assert "prod" not in [one["sender"] for one in answer["acknowledged"]]


# --- A5: numbers that are none ----------------------------------------------------------------------

HUGE = ("1" + "0" * 400, "-1", "NaN", "Infinity", "-Infinity", "1e999", "true", "null", '"9"')


@pytest.mark.parametrize("number", HUGE)
def test_a5_no_number_in_a_body_is_a_failure_of_ours(tmp_path: Path, number: str) -> None:
    bodies = {
        "/v1/guard/spend": f'{{"number": {number}, "digest": "d", "nonce": "n"}}',
        "/v1/guard/tickets": json.dumps(asked())[:-1] + f', "valid_s": {number}}}',
        "/v1/guard/poll": f'{{"process": {{"id": "p", "pid": {number}}}, "revision": {number},'
        f' "waiting": [{number}]}}',
        "/v1/orders": '{"verb": "stop", "run": "r", "by": "a", "because": "b",'
        f' "wait_s": {number if number not in {"1e999", "Infinity"} else 0}}}',
    }

    async def attack() -> tuple[dict[str, int], str]:
        async with collector(tmp_path) as (_, client):
            statuses = {
                path: (await client.post(path, content=body, headers=JSON, timeout=60)).status_code
                for path, body in bodies.items()
            }
            return statuses, (await client.get("/metrics")).text

    statuses, metrics = asyncio.run(attack())

    assert set(statuses.values()) <= {200, 400}, statuses
    assert "aftershock_failures_total{" not in metrics


def test_a5_times_before_1970_and_after_the_end_of_64_bits_are_read(tmp_path: Path) -> None:
    def span(began: str, ended: str, identity: str) -> dict[str, Any]:
        usage = {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "-9223372036854775808"}}
        return {
            "traceId": "ab" * 16, "spanId": identity * 8, "name": "chat", "attributes": [usage],
            "startTimeUnixNano": began, "endTimeUnixNano": ended,
        }  # fmt: skip

    most = str(2**64 - 1)
    spans = [
        span("0", "0", "01"),
        span(most, "0", "02"),
        span("0", most, "03"),
        span("-1", "-1", "04"),
    ]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}

    async def attack() -> tuple[int, int, str]:
        async with collector(tmp_path) as (_, client):
            sent = (await client.post("/v1/traces", json=body)).status_code
            shown = (await client.get("/runs/" + "ab" * 16)).status_code
            return sent, shown, (await client.get("/metrics")).text

    sent, shown, metrics = asyncio.run(attack())

    assert sent in {200, 400}
    assert shown in {200, 404}
    assert "aftershock_failures_total{" not in metrics


# --- A6: paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/runs/..%2f..%2f..%2fetc%2fpasswd", "/runs/%00", "/runs/%ed%a0%80", "/runs/%25%25",
        "/runs/_%25", "/runs/" + "a" * 4_000, "/runs/%3Cscript%3Ealert(1)%3C/script%3E", "/runs/%0d%0aX:1",
        "/runbooks/..%2f..%2fSECURITY", "/runbooks/%2e%2e/README", "/incidents/9" + "9" * 17,
        "/findings/0", "/?agent=%00&since=-1e999", "/incidents?limit=NaN", "/findings?kind=%ed%a0%80",
    ],
)  # fmt: skip
def test_a6_a_path_leads_to_pages_only(tmp_path: Path, path: str) -> None:
    async def attack() -> httpx.Response:
        async with collector(tmp_path) as (_, client):
            return await client.get(path)

    found = asyncio.run(attack())

    assert found.status_code in {200, 400, 404}, found.text[:300]
    assert "root:" not in found.text
    assert "<script>alert" not in found.text
    assert "x" not in found.headers


# --- A7: two requests in one, and two hosts ---------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/orders HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/orders HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nHost: {h}\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: {h}\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : {h}\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: {h}\r\n X: folded\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: {h}\x00evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xe2\x93\x9bocalhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: {h}\r\nX: a\nHost: evil.example\r\n\r\n",
    ],
)  # fmt: skip
def test_a7_what_can_be_read_in_two_ways_is_not_read(tmp_path: Path, head: bytes) -> None:
    async def attack() -> bytes:
        async with collector(tmp_path) as (up, _):
            return await asyncio.to_thread(raw, up.http.port, head)

    answer = asyncio.run(attack())

    assert answer == b"" or re.match(rb"HTTP/1.1 4\d\d ", answer), answer[:200]
    assert answer.count(b"HTTP/1.1 ") <= 1


def test_a7_each_request_of_a_connection_passes_the_gate_by_itself(tmp_path: Path) -> None:
    both = b"GET /healthz HTTP/1.1\r\nHost: {h}\r\n\r\nGET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"

    async def attack() -> bytes:
        async with collector(tmp_path) as (up, _):
            return await asyncio.to_thread(raw, up.http.port, both)

    assert re.findall(rb"HTTP/1.1 (\d+)", asyncio.run(attack())) == [b"200", b"421"]


def raw(port: int, sent: bytes) -> bytes:
    """What a connection answers until it is silent for two seconds."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as stream:
        stream.sendall(sent.replace(b"{h}", f"127.0.0.1:{port}".encode()))
        try:
            while part := stream.recv(65_536):
                found += part
        except (TimeoutError, ConnectionResetError):
            pass
    return found


# --- A8: half a body, many times --------------------------------------------------------------------


def test_a8_half_sent_bodies_of_one_sender_leave_room_for_the_others(tmp_path: Path) -> None:
    slow = bearer(tmp_path, "ci", Scope.INGEST)
    honest = bearer(tmp_path, "prod", Scope.INGEST)
    part = b"x" * 999_980  # four of them are all that may arrive at once

    async def attack() -> list[int]:
        async with collector(tmp_path, queue_bytes_max=4_000_000, request_bytes_max=1_000_000) as (
            up,
            client,
        ):
            writers = [await half_sent(up.http.port, slow["authorization"], part) for _ in range(4)]
            await asyncio.sleep(0.5)
            found = [
                (await client.post("/v1/traces", json={}, headers=honest)).status_code
                for _ in range(5)
            ]
            larger: dict[str, object] = {"resourceSpans": [], "unknown": "y" * 200_000}
            found.append((await client.post("/v1/traces", json=larger, headers=honest)).status_code)
            for writer in writers:
                writer.close()
            return found

    assert asyncio.run(attack()) == [200] * 6


async def half_sent(port: int, authorization: str, part: bytes) -> asyncio.StreamWriter:
    """A connection whose body lacks its end."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(part) + 10}\r\n\r\n".encode()
    )
    writer.write(part)
    return writer


# --- A9: texts for people ---------------------------------------------------------------------------


def test_a9_what_a_request_for_approval_says_runs_on_no_page_and_in_no_terminal(
    home: Path, main: Main
) -> None:
    wanted = asked(
        EVIL, arguments={EVIL: EVIL}, targets=[EVIL], reasons=[{"text": EVIL}], process=EVIL
    )
    wanted["run"] = {"id": EVIL, "agent": EVIL}

    async def attack() -> tuple[int, str]:
        async with collector(home, on_call=LASTING) as (_, client):
            sent = await client.post("/v1/guard/tickets", json=wanted)
            token = (await tokens_of(client))[ACKNOWLEDGE]
            form = {"by": EVIL, "because": EVIL, "form_token": token}
            assert (await client.post(ACKNOWLEDGE, data=form)).status_code == 200
            places = ("/", "/incidents", "/incidents/1", "/findings")
            pages = [(await client.get(path)).text for path in places]
            return sent.status_code, "".join(pages)

    status, pages = asyncio.run(attack())
    code, out, err = main("approvals")

    assert (status, code) == (200, 0), err
    assert "script" in out
    assert "\x1b" not in out
    assert "<script>alert" not in pages
    assert "\x1b" not in pages


# --- A10: names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["127.0.0.1", " 127.0.0.1 ", "::1", "certificate CN=x", "a\u202eb", "a\nb", "", " "]
)
def test_a10_a_token_has_no_name_that_is_anothers(tmp_path: Path, name: str) -> None:
    with pytest.raises(TokenError):
        Tokens(Config(tmp_path).tokens).create(name, [Scope.INGEST])
