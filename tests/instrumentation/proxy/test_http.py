"""`aftershock mcp-proxy --url`: streamable HTTP, with sessions and without, as events and as JSON."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from tests.instrumentation.proxy.proxied import (
    ME,
    calls_in,
    http_proxy,
    http_server,
    ran,
    text_in,
    variables,
)
from tests.support.live_collector import live_collector
from tests.support.otlp_sink import Sink

DENY = "gate: {mode: enforce, tiers: {destructive: deny}}"
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("kind", "mode"), [("", "auto"), ("", "legacy"), ("stateless json", "legacy")]
)
def test_calls_are_recorded_and_held_back_whatever_form_the_server_answers_in(
    tmp_path: Path, kind: str, mode: str
) -> None:
    (tmp_path / "aftershock.yaml").write_text(DENY)
    steps: list[float] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async def scene(url: str) -> list[Any]:
        async with Client(url, client_info=ME, mode=mode) as client:
            return [
                text_in(await client.call_tool("get_weather", {"city": "Köln"})),
                await client.call_tool("get_lost", {"city": "Bonn"}),
                await client.call_tool("delete_city", {"city": "Bonn"}),
                await client.call_tool("get_steps", {}, progress_callback=progress),
                json.loads(text_in(await client.call_tool("get_trace", {}))),
            ]

    with (
        Sink() as sink,
        http_server(tmp_path / "m", kind) as server,
        http_proxy(server, variables(sink.url, tmp_path / "aftershock.yaml")) as url,
    ):
        weather, lost, held, _, trace = asyncio.run(scene(url))
    (read,), (failed,) = calls_in(sink, "get_weather"), calls_in(sink, "get_lost")
    (blocked,), (traced,) = calls_in(sink, "delete_city"), calls_in(sink, "get_trace")

    assert weather == "Köln: 21.5 °C, wind 1e3"
    assert lost.is_error
    assert "delete_city was not run." in text_in(held)
    assert ran(tmp_path / "m") == ["get_weather Köln"]
    assert "json" in kind or steps == [0, 1, 2]
    assert read.attributes[names.RESULT_OUTCOME] == "ok"
    assert read.attributes[names.NETWORK_TRANSPORT] == "tcp"
    assert read.attributes[names.AGENT_NAME] == "city-bot" or "stateless" in kind
    assert (failed.attributes[names.ERROR_TYPE], failed.status) == ("tool_error", 2)
    assert blocked.attributes[names.GUARDRAIL_ACTION_TYPE] == "block"
    carried = f"00-{traced.trace_id}-{traced.span_id}-03"
    assert trace == {"meta": carried, "headers": [carried]}


def post(url: str, tool: str, **more: Any) -> httpx.Response:
    """A call as an agent without an SDK makes it."""
    headers = {"accept": "application/json, text/event-stream", **more.pop("headers", {})}
    params: dict[str, Any] = {"name": tool, "arguments": {}, **more}
    body: dict[str, Any] = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params,
    }  # fmt: skip
    return httpx.post(url, json=body, headers=headers, timeout=60)


@pytest.mark.slow
def test_a_call_that_carries_a_trace_joins_it_and_is_no_second_step(tmp_path: Path) -> None:
    """Its caller's own span stands for it, unless this is the only recorder."""
    other = CALLER.replace("4bf9", "5bf9")
    with Sink() as sink, http_server(tmp_path / "m", "stateless json") as server:
        with http_proxy(server, variables(sink.url)) as url:
            post(url, "get_trace", headers={"traceparent": CALLER})
            post(url, "get_steps", _meta={"traceparent": CALLER}, headers={"traceparent": other})
        with http_proxy(server, variables(sink.url), "--sole-recorder") as url:
            post(url, "get_lost", headers={"traceparent": CALLER})
        started = {event.attributes[names.TOOL_NAME] for event in sink.events}
    found = [*calls_in(sink, "get_trace"), *calls_in(sink, "get_steps")]
    (lost,) = calls_in(sink, "get_lost")

    assert [span.trace_id for span in found] == [CALLER[3:35]] * 2
    assert [span.parent_id for span in found] == [CALLER[36:52]] * 2
    assert [span.kind for span in found] == [Span.SpanKind.SPAN_KIND_SERVER] * 2
    assert lost.kind == Span.SpanKind.SPAN_KIND_CLIENT
    assert started <= {"get_lost"}, "the far end of a call begins no step"


@pytest.mark.slow
def test_a_page_that_reaches_us_by_another_name_is_refused(tmp_path: Path) -> None:
    with http_server(tmp_path / "m") as server, http_proxy(server, variables(server)) as url:
        answer = post(url, "delete_city", headers={"host": "evil.example"})
        unreadable = httpx.post(url, content=b'{"id": 1, "id": 2}')
        form = httpx.post(url.replace("/mcp", "/token"), data={"grant_type": "x"}, timeout=60)

    assert answer.status_code == 421
    assert (unreadable.status_code, unreadable.json()["error"]["code"]) == (400, -32600)
    assert form.status_code == 404, "it is the server's to answer"
    assert ran(tmp_path / "m") == []


@pytest.mark.slow
def test_a_call_whose_client_went_away_at_the_gate_is_not_made(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path) as collector,
        http_server(tmp_path / "m", "stateless json") as server,
        http_proxy(server, variables(collector.url, AFTERSHOCK_COLLECTOR=collector.url)) as url,
    ):
        post(url, "get_steps")
        collector.order("pause", all=True)
        with pytest.raises(httpx.TimeoutException):
            httpx.post(
                url,
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                      "params": {"name": "get_weather", "arguments": {"city": "Bonn"}}},
                timeout=1,
            )  # fmt: skip
        collector.order("resume", all=True)
        post(url, "get_steps")

    assert ran(tmp_path / "m") == []


@pytest.mark.slow
def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with http_proxy("http://127.0.0.1:9/mcp", variables("http://127.0.0.1:9")) as url:
        answer = post(url, "get_weather")

    assert answer.status_code == 502
    assert "http://127.0.0.1:9 does not answer" in answer.text
