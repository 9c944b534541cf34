"""Many calls that are held at once: they cost nothing while they wait, and keep nobody out."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aftershock_collector.sources import otlp_http
from aftershock_collector.store.tickets import SqliteTickets, Ticket
from tests.support.live_collector import LiveCollector, live_collector

GATE = {"mode": "enforce", "tiers": {"write": "ask"}, "wait": "2s"}
HELD = 30


def held_calls(collector: LiveCollector, stack: ExitStack, count: int) -> list[socket.socket]:
    """Connections, each with a call that waits for an approval."""
    place = urlsplit(collector.url)
    opened: list[socket.socket] = []
    for number in range(count):
        event = {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "tool_name": "Bash",
            "tool_input": {"command": f"touch x{number}"},
        }
        body = json.dumps({"agent": "codex", "ask": "ticket", "event": event}).encode()
        head = (
            f"POST /v1/guard/hook HTTP/1.1\r\nHost: {place.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        one = stack.enter_context(socket.create_connection((place.hostname, place.port), 10))
        one.sendall(head.encode() + body)
        opened.append(one)
    return opened


def answer_on(opened: socket.socket) -> bytes:
    response = HTTPResponse(opened)
    response.begin()
    return response.read()


def test_a_call_that_waits_reads_nothing_meanwhile(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[float] = []
    lock = threading.Lock()
    read = SqliteTickets.tickets

    def counted(self: SqliteTickets, numbers: Sequence[int]) -> list[Ticket]:
        with lock:
            reads.append(time.monotonic())
        return read(self, numbers)

    monkeypatch.setattr(SqliteTickets, "tickets", counted)
    with live_collector(home, {"gate": GATE}) as collector, ExitStack() as stack:
        opened = held_calls(collector, stack, HELD)
        answers = [answer_on(one) for one in opened]

    assert all(b"no person has answered yet" in answer for answer in answers)
    assert len(reads) <= 2 * HELD, "once when it begins to wait, and once if it was answered"


def test_calls_that_are_held_do_not_keep_out_a_stop(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connections that there are wait for answers of people, which takes a while."""
    monkeypatch.setattr(otlp_http, "connections_max", lambda: HELD)
    with live_collector(home, {"gate": GATE | {"wait": "40s"}}) as collector, ExitStack() as stack:
        held_calls(collector, stack, HELD)
        time.sleep(0.5)
        order = collector.order("stop", all=True, wait_s=0)

    assert order["order"]["verb"] == "stop"
