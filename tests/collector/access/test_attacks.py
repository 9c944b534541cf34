"""Attacks on a whole running collector over real sockets. Numbers are those of SECURITY.md."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset, TrailersReceived

from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.service.wiring import Running, running
from aftershock_collector.store.reader import Reader
from tests.support.traffic import looping_run, span_request

PROTOBUF = "application/x-protobuf"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ALERT_PATHS = ("/api/v2/alerts", "/api/v1/alerts/alertmanager")
ALERTS = json.dumps(
    [{"labels": {"alertname": "Down", "service": "payments"}, "startsAt": "2026-01-15T12:00:00Z"}]
).encode()
_grpc: Any = grpc


@asynccontextmanager
async def collector(
    home: Path, **changes: Any
) -> AsyncGenerator[tuple[Running, httpx.AsyncClient]]:
    config = Config(home, http=Address("127.0.0.1", 0), grpc=Address("127.0.0.1", 0), tick_s=0.05)
    async with (
        running(replace(config, **changes)) as up,
        httpx.AsyncClient(base_url=f"http://{up.http}", timeout=30) as client,
    ):
        yield up, client


def changes_in(home: Path) -> int:
    with Reader.open(home / "aftershock.db") as reader:
        return reader.counts()["changes"]


# --- P1: forged alerts -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALERT_PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": PROTOBUF}, 415),
        ({}, 415),
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ({"content-type": "application/json", "origin": "null"}, 403),
        ({"content-type": "application/json", "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "application/json", "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_p1_a_foreign_page_cannot_send_an_alert(
    tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    async def attack() -> int:
        async with collector(tmp_path) as (_, client):
            response = await client.post(path, content=ALERTS, headers=headers)
        return response.status_code

    assert asyncio.run(attack()) == status
    assert changes_in(tmp_path) == 0


@pytest.mark.parametrize("path", ALERT_PATHS)
def test_p1_alertmanager_and_prometheus_still_send_alerts(tmp_path: Path, path: str) -> None:
    body = ALERTS if path == ALERT_PATHS[0] else json.dumps({"alerts": json.loads(ALERTS)}).encode()

    async def send() -> int:
        async with collector(tmp_path) as (_, client):
            headers = {"content-type": "application/json; charset=utf-8"}
            return (await client.post(path, content=body, headers=headers)).status_code

    assert asyncio.run(send()) == 200
    assert changes_in(tmp_path) == 1


# --- P3: DNS rebinding -----------------------------------------------------------------------------

ROUTES = (
    ("GET", "/"),
    ("GET", "/runs/x"),
    ("GET", "/runbooks/X"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/nowhere"),
    ("POST", "/v1/traces"),
    ("POST", "/v1/metrics"),
    ("POST", "/v1/logs"),
    ("POST", "/api/v2/alerts"),
)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4318",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example.",
        "10.0.0.1",
        "[2001:db8::1]:4318",
        "localhost@evil.example",
    ],
)
def test_p3_no_route_is_served_under_another_name(tmp_path: Path, host: str) -> None:
    async def attack() -> set[int]:
        async with collector(tmp_path) as (_, client):
            return {
                (await client.request(method, path, headers={"host": host})).status_code
                for method, path in ROUTES
            }

    assert asyncio.run(attack()) == {421}


def test_p3_names_of_this_collector_are_served(tmp_path: Path) -> None:
    on_call = OnCall(link="https://aftershock.example/agents")
    hosts = (
        "localhost",
        "LOCALHOST:4318",
        "127.0.0.1",
        "127.0.0.2:80",
        "[::1]:4318",
        "aftershock.example",
        "aftershock",
    )

    async def ask() -> set[int]:
        async with collector(tmp_path, on_call=on_call, hosts=("Aftershock",)) as (_, client):
            return {
                (await client.get("/healthz", headers={"host": host})).status_code for host in hosts
            }

    assert asyncio.run(ask()) == {200}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        (
            {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "document",
            },
            200,
        ),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        (
            {
                "sec-fetch-site": "cross-site",
                "sec-fetch-mode": "navigate",
                "sec-fetch-dest": "iframe",
            },
            403,
        ),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "https://aftershock.example"}, 200),
    ],
)
def test_p3_a_person_follows_a_link_and_a_foreign_page_reads_nothing(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async def ask() -> int:
        on_call = OnCall(link="https://aftershock.example")
        async with collector(tmp_path, on_call=on_call) as (_, client):
            return (await client.get("/", headers=headers)).status_code

    assert asyncio.run(ask()) == status


def test_p3_a_page_of_our_own_may_send(tmp_path: Path) -> None:
    async def send() -> int:
        async with collector(tmp_path) as (up, client):
            headers = {"content-type": "application/json", "origin": f"http://{up.http}"}
            return (
                await client.post("/api/v2/alerts", content=ALERTS, headers=headers)
            ).status_code

    assert asyncio.run(send()) == 200


# --- P4: gzip of many members ----------------------------------------------------------------------


def many_members(size: int) -> bytes:
    """A body of empty gzip members."""
    member = gzip.compress(b"")
    return member * (size // len(member))


async def slowest_answer(client: httpx.AsyncClient, until: asyncio.Event) -> float:
    """Seconds that the slowest /healthz took."""
    slowest = 0.0
    while not until.is_set():
        began_s = time.monotonic()
        assert (await client.get("/healthz")).status_code == 200
        slowest = max(slowest, time.monotonic() - began_s)
        await asyncio.sleep(0.02)
    return slowest


def test_p4_a_body_of_many_members_stops_nobody_else(tmp_path: Path) -> None:
    bomb = many_members(4_000_000)

    async def attack() -> tuple[set[int], float]:
        done = asyncio.Event()
        async with collector(tmp_path) as (up, client):
            measuring = asyncio.create_task(slowest_answer(client, done))
            headers = {"content-type": PROTOBUF, "content-encoding": "gzip"}
            async with httpx.AsyncClient(base_url=f"http://{up.http}", timeout=30) as attacker:
                sent = [
                    attacker.post("/v1/traces", content=bomb, headers=headers) for _ in range(4)
                ]
                statuses = {response.status_code for response in await asyncio.gather(*sent)}
            done.set()
            return statuses, await measuring

    statuses, slowest_s = asyncio.run(attack())

    assert statuses == {400}
    assert slowest_s < 1.0


def test_p4_the_same_over_grpc(tmp_path: Path) -> None:
    bomb = many_members(4_000_000)

    async def attack() -> tuple[str, float]:
        done = asyncio.Event()
        async with collector(tmp_path) as (up, client):
            measuring = asyncio.create_task(slowest_answer(client, done))
            status = await asyncio.to_thread(send_compressed, str(up.grpc), bomb)
            done.set()
            return status, await measuring

    status, slowest_s = asyncio.run(attack())

    assert status != str(grpc.StatusCode.OK.value[0])
    assert slowest_s < 1.0


def send_compressed(target: str, packed: bytes) -> str:
    """Send bytes as a message that claims to be gzip, over plain HTTP/2; returns grpc-status."""
    host, _, port = target.rpartition(":")
    http2 = H2Connection(H2Configuration(header_encoding="utf-8"))
    with socket.create_connection((host, int(port)), timeout=20) as stream:
        http2.initiate_connection()
        headers = [
            (":method", "POST"), (":scheme", "http"), (":path", EXPORT), (":authority", target),
            ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-encoding", "gzip"),
        ]  # fmt: skip
        http2.send_headers(1, headers)
        message = b"\x01" + len(packed).to_bytes(4, "big") + packed
        while True:
            size = min(http2.local_flow_control_window(1), 16_384, len(message))
            if size:
                http2.send_data(1, message[:size], end_stream=size == len(message))
                message = message[size:]
            stream.sendall(http2.data_to_send())
            if size and message:
                continue
            for event in http2.receive_data(stream.recv(65_536)):
                if isinstance(event, TrailersReceived | ResponseReceived):
                    headers_received: dict[Any, Any] = dict(event.headers)
                    found = headers_received.get("grpc-status")
                    if found is not None:
                        return str(found)
                assert not isinstance(event, StreamReset | ConnectionTerminated), event


def test_p4_honest_gzip_of_some_members_is_still_read(tmp_path: Path) -> None:
    body = span_request(looping_run(random.Random(1)).spans)
    packed = b"".join(gzip.compress(body[at : at + 200]) for at in range(0, 12_000, 200))
    assert len(body) < 12_000

    async def send() -> int:
        async with collector(tmp_path) as (_, client):
            headers = {"content-type": PROTOBUF, "content-encoding": "gzip"}
            return (await client.post("/v1/traces", content=packed, headers=headers)).status_code

    assert asyncio.run(send()) == 200
