"""An alert comes in over a real socket and goes out with the agent actions behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from aftershock_collector import cli
from aftershock_collector.config.model import Address, Config, Infrastructure, OnCall
from aftershock_collector.notify import suspects_page
from aftershock_collector.service.wiring import running
from tests.support.otlp_sink import Received, Sink
from tests.support.receiver import Receiver, eventually
from tests.support.traffic import attribute, span_request

S = 10**9
PROTOBUF = {"content-type": "application/x-protobuf"}
ANY = Address("127.0.0.1", 0)
RUN = TRACE = "5e" * 16
SPAN = "ac" * 8


def tool_span(began_ns: int, tool: str, tier: str, span_id: str) -> Span:
    text = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: tool,
        names.AGENT_NAME: "sre-bot",
        names.ACTION_TIER: tier,
    }
    span = Span(
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(span_id),
        name=f"execute_tool {tool}",
        start_time_unix_nano=began_ns,
        end_time_unix_nano=began_ns + S,
    )
    span.attributes.extend(attribute(key, value) for key, value in text.items())
    span.attributes.append(attribute(names.ACTION_TARGETS, ["service/checkout"]))
    return span


def webhook(began_ns: int, name: str, *, status: str = "firing", **labels: str) -> dict[str, Any]:
    began = datetime.fromtimestamp(began_ns / 1e9, UTC).isoformat()
    return {
        "version": "4",
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": name} | labels,
                "annotations": {"summary": "it does not answer"},
                "startsAt": began,
                "endsAt": began if status == "resolved" else "0001-01-01T00:00:00Z",
                "fingerprint": name,
            }
        ],
    }


async def live(
    config: Config, acted_ns: int, reported: Callable[[], object]
) -> list[dict[str, Any]]:
    """An action, an alert on its target, one on what that depends on, and the end of the first."""
    fired_ns = acted_ns + 16 * S
    alerts = (
        webhook(fired_ns, "CheckoutDown", job="checkout"),
        webhook(fired_ns, "PostgresDown", datname="orders"),
        webhook(fired_ns, "CheckoutDown", job="checkout", status="resolved"),
    )
    async with running(config) as collector, httpx.AsyncClient() as client:
        base = f"http://{collector.http}"
        acted = tool_span(acted_ns, "scale_workers", "write", SPAN)
        newest = tool_span(acted_ns + 19 * S, "get_status", "read", "ad" * 8)  # its clock is right
        body = span_request([acted, newest])
        await client.post(f"{base}/v1/traces", content=body, headers=PROTOBUF)
        await asyncio.sleep(0.3)
        place = f"{base}/api/v1/alerts/alertmanager"
        answers: list[dict[str, Any]] = []
        for alert in alerts:
            answers.append((await client.post(place, json=alert)).json())
            await asyncio.sleep(0.2)
        await asyncio.to_thread(eventually, reported)
    return answers


def test_an_alert_is_answered_recorded_told_and_shown_with_its_suspects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver() as on_call, Sink() as sink:

        def hints() -> list[Any]:
            pages = [request.json for request in on_call.requests]
            return [one for one in pages if one["title"].startswith("CheckoutDown on service/ch")]

        def events() -> list[Received]:
            reported = [event for event in sink.events if event.name == names.EVENT_SUSPECTS]
            return [event for event in reported if event.message.startswith("CheckoutDown")]

        config = Config(
            home=tmp_path,
            http=ANY,
            grpc=ANY,
            tick_s=0.05,
            infrastructure=Infrastructure(topology={"service/checkout": ("db/orders",)}),
            on_call=OnCall(webhook_url=on_call.url, otlp_url=sink.url),
        )
        acted_ns = time.time_ns() - 20 * S
        answers = asyncio.run(live(config, acted_ns, lambda: hints() and events()))
        ((hint,), (event,)) = hints(), events()

    # The webhook's answer.
    (checkout,), (database,), resolved = (answer["suspects"] for answer in answers)
    assert [] == resolved
    (suspect,) = database["suspects"]
    assert ("db/orders", "sre-bot", "scale_workers", "its caller") == (
        database["alert"]["entity"], suspect["agent"], suspect["tool"], suspect["relation"],
    )  # fmt: skip
    assert pytest.approx(16.0) == suspect["seconds_before"]
    assert pytest.approx(1.0) == suspect["probability"] + database["no_agent_action"]
    assert "the same" == checkout["suspects"][0]["relation"]

    # An alert whose suspect stands out is reported again, once.
    assert (suspects_page.KIND, "updated", RUN) == (hint["kind"], hint["state"], hint["run"])
    assert any("no agent action" in line for line in hint["body"])
    assert (TRACE, SPAN) == (event.trace_id, event.span_id)
    assert 2 == len(event.attributes[names.IMPACT_CANDIDATES])

    # The terminal, by name, by prefix, as JSON; and the timeline.
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def printed(*argv: str) -> str:
        capsys.readouterr()
        assert 0 == cli.main(argv)
        return capsys.readouterr().out

    text = printed("suspects", "CheckoutDown")
    assert "sre-bot's scale_workers on service/checkout (the same), 16 s before" in text
    assert "no agent action" in text
    assert "(its caller), 16 s before" in printed("suspects", "Postg")
    assert "alert" in json.loads(printed("suspects", "--json"))["data"]
    shown = printed("timeline", "latest")
    assert "suspects: sre-bot's scale_workers" in shown
    assert 1 == cli.main(["suspects", "Nobody"])
    assert "known: CheckoutDown, PostgresDown" in capsys.readouterr().err
