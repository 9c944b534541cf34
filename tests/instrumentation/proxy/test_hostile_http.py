"""Clients, servers and web pages that want a call past the gate, or past the record, over HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from aftershock import attributes as names
from tests.instrumentation.proxy.proxied import (
    calls_in,
    free_port,
    http_proxy,
    variables,
    wait_for,
)
from tests.instrumentation.running import PROGRAMS
from tests.support.live_collector import live_collector
from tests.support.otlp_sink import Sink

NOWHERE = "http://127.0.0.1:9"
DENY = "gate: {mode: enforce, tiers: {destructive: deny}}"
JSON = {"content-type": "application/json"}
CALL = (
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_city","arguments":{}}}'
)


@contextmanager
def recording_server(kept: Path) -> Generator[str]:
    """A server that keeps what reaches it; gives its URL."""
    port = free_port()
    program = str(PROGRAMS / "mcp_recording_server.py")
    server = subprocess.Popen([sys.executable, program, str(port), str(kept)])
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.kill()
        server.wait()


@contextmanager
def guarded(tmp_path: Path, url: str = NOWHERE, *options: str) -> Generator[tuple[str, Path]]:
    """(the URL of a proxy whose policy denies what destroys, the file of what the server got)."""
    policy, kept = tmp_path / "aftershock.yaml", tmp_path / "kept"
    policy.write_text(DENY)
    kept.touch()
    with (
        recording_server(kept) as server,
        http_proxy(server, variables(url, policy), *options) as proxy,
    ):
        yield proxy, kept


def got(kept: Path) -> list[tuple[dict[str, str], str]]:
    """(headers, body) of each request that reached the server."""
    return [(headers, body) for headers, body in map(json.loads, kept.read_text().splitlines())]


def test_no_form_of_a_request_carries_a_call_past_the_gate(tmp_path: Path) -> None:
    """Servers look for JSON anywhere in the content type, obey charsets, and ignore case."""
    utf7 = CALL.replace("tools/call", "tools+AC8-call")
    attempts: list[tuple[str, str, dict[str, str]]] = [
        ("POST", CALL, {"content-type": "application/x-www-form-urlencoded; x=application/json"}),
        ("POST", CALL, {"content-type": "application/x-www-form-urlencoded,application/json"}),
        ("POST", CALL, {"content-type": "multipart/form-data; boundary=application/json"}),
        ("POST", CALL, {"content-type": "application/x-www-form-urlencoded"}),
        ("POST", CALL.encode("utf-16").decode("latin-1"),
         {"content-type": "application/x-www-form-urlencoded"}),
        ("PUT", CALL, JSON),
        ("POST", utf7, {"content-type": "application/json; charset=utf-7"}),
        ("POST", CALL.replace('"method"', '"Method"'), JSON),
        ("POST", CALL.replace('"params"', '"param\u017f"'), JSON),
        ("POST", CALL.replace('"name"', '"Name"'), JSON),
        ("POST", CALL.replace('"name"', '"name":"get_city","NAME"'), JSON),
        ("POST", f"[[{CALL}]]", JSON),
    ]  # fmt: skip
    with guarded(tmp_path) as (url, kept):
        for method, body, headers in attempts:
            content = body.encode("latin-1") if "\xff" in body else body.encode()
            answer = httpx.request(method, url, content=content, headers=headers, timeout=60)
            assert answer.status_code in {400, 415} or "was not run" in answer.text, headers
        form = httpx.post(url, data={"grant_type": "client_credentials"}, timeout=60)
    (passed,) = got(kept)

    assert form.status_code == 200
    assert passed[1] == "grant_type=client_credentials"


def test_a_page_of_another_host_reaches_no_tool(tmp_path: Path) -> None:
    """`text/plain` with a parameter is sent by a browser without asking first."""
    simple = {"content-type": "text/plain; a=application/json"}
    call = CALL.replace("delete", "get")
    with guarded(tmp_path) as (url, kept):
        foreign = [
            httpx.post(url, content=call, headers={**simple, **more}, timeout=60).status_code
            for more in (
                {"origin": "https://evil.example"},
                {"origin": "null"},
                {"origin": "http://127.0.0.1.evil.example"},
                {"sec-fetch-site": "cross-site"},
                {"host": "["},
            )
        ]
        own = httpx.post(
            url, content=call, headers={**JSON, "origin": "http://localhost:6274"}, timeout=60
        )

    assert foreign == [403, 403, 403, 403, 421]
    assert own.status_code == 200
    assert len(got(kept)) == 1


def test_a_hundred_open_streams_hold_up_no_other_client(tmp_path: Path) -> None:
    with guarded(tmp_path) as (url, _), ExitStack() as streams:
        place = urlsplit(url)
        head = f"GET /mcp HTTP/1.1\r\nHost: {place.netloc}\r\nAccept: text/event-stream\r\n\r\n"
        for _ in range(120):
            opened = streams.enter_context(socket.create_connection((place.hostname, place.port)))
            opened.sendall(head.encode())
            opened.recv(100)
        answer = httpx.post(url, content=CALL.replace("delete", "get"), headers=JSON, timeout=20)

    assert answer.json()[0]["result"]["tool"] == "get_city"


def call(number: Any, tool: str, **more: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": {"city": "Bonn"}, **more}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@pytest.mark.slow
def test_headers_pass_as_they_came(tmp_path: Path) -> None:
    """Bytes that are not ASCII, and what a connection names as its own."""
    given = [
        (b"content-type", b"application/json"),
        (b"x-user", "Jörg".encode("latin-1")),
        (b"x-hop", b"1"),
        (b"connection", b"keep-alive, X-Hop"),
    ]
    with guarded(tmp_path) as (url, kept):
        body = json.dumps(call(1, "get_city"))
        answer = httpx.post(url, content=body, headers=given, timeout=60)
    ((headers, _),) = got(kept)

    assert answer.status_code == 200
    assert headers["x-user"] == "Jörg"
    assert "x-hop" not in headers


def test_no_call_leaves_the_record_by_its_id_or_by_its_callers_trace(tmp_path: Path) -> None:
    """An id that an open call has, one that readers disagree on, and a trace nobody samples."""
    unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    with Sink() as sink:
        with guarded(tmp_path, sink.url, "--sole-recorder") as (url, kept):
            twice = httpx.post(url, json=[call(1, "get_a"), call(1.0, "get_b")], timeout=60)
            odd = [
                httpx.post(url, json=call(number, "get_strange"), timeout=60).json()
                for number in (None, [1], True, 2**60, 1.5)
            ]
            httpx.post(
                url, json=call(2, "get_traced"), headers={"traceparent": unsampled}, timeout=60
            )
        reached = [body for _, body in got(kept)]
        (first,), (traced,) = calls_in(sink, "get_a"), calls_in(sink, "get_traced")

    assert [one.get("error", {}).get("code") for one in twice.json()] == [None, -32600]
    assert [one["error"]["code"] for one in odd] == [-32600] * 5
    assert len(reached) == 2
    assert first.attributes[names.RESULT_OUTCOME] == "ok"
    assert traced.trace_id == unsampled[3:35]


def test_answers_are_recorded_however_a_server_sends_them(tmp_path: Path) -> None:
    """Lines that end with a carriage return, ids as text, and a batch answered here in part."""
    with Sink() as sink:
        with guarded(tmp_path, sink.url) as (url, _):
            httpx.post(url, json=call(1, "get_events"), timeout=60)
            httpx.post(url, json=call(7, "get_odd"), timeout=60)
            both = httpx.post(url, json=[call(1, "get_a"), call(2, "delete_b")], timeout=60)
        tools = ("get_events", "get_odd", "get_a")
        spans = [span for tool in tools for span in calls_in(sink, tool)]

    assert [span.attributes[names.RESULT_OUTCOME] for span in spans] == ["ok"] * 3
    assert [one["id"] for one in both.json()] == [1, 2]


@pytest.mark.slow
def test_a_packed_answer_is_not_unpacked_here(tmp_path: Path) -> None:
    """Two hundred million blanks in two hundred kilobytes, as the answer to a part of a batch."""
    with guarded(tmp_path) as (url, _):
        batch = httpx.post(url, json=[call(1, "get_bomb"), call(2, "delete_b")], timeout=60)
        after = httpx.post(url, json=call(3, "get_a"), timeout=60)

    assert batch.status_code == 502
    assert after.status_code == 200


def test_a_stop_reaches_a_call_that_its_server_has_put_off(tmp_path: Path) -> None:
    """What was let pass and waits for input runs no more; nor does another call in its name."""
    kept = tmp_path / "kept"
    kept.touch()
    with (
        live_collector(tmp_path) as collector,
        recording_server(kept) as server,
        http_proxy(server, variables(collector.url, AFTERSHOCK_COLLECTOR=collector.url)) as url,
    ):
        first = httpx.post(url, json=call(1, "get_input"), timeout=60).json()
        collector.order("stop", all=True)
        deadline_s = time.monotonic() + 10
        again: dict[str, Any] = {}
        while not again.get("result", {}).get("isError") and time.monotonic() < deadline_s:
            time.sleep(0.1)
            again = httpx.post(
                url, json=call(2, "get_input", requestState="round-1"), timeout=60
            ).json()

    assert first["result"]["resultType"] == "input_required"
    assert "stopped" in again["result"]["content"][0]["text"]
    assert len(got(kept)) == 1
