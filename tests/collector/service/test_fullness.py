"""A whole collector that is flooded says so, to people and on every page: real sockets."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from aftershock import attributes as names
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Config
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.impact import observation
from aftershock_collector.notify import fullness
from aftershock_collector.notify.fullness import Bound
from tests.bench.loads import tool, unique_span
from tests.support.live_collector import LiveCollector, live_collector
from tests.support.receiver import Receiver, eventually
from tests.support.traffic import span_request

HEADERS = {"content-type": "application/x-protobuf"}


def send(collector: LiveCollector, secret: str, *tools: str, tier: str = "destructive") -> int:
    given = {names.ACTION_TIER: tier, names.AGENT_NAME: "clerk"}
    targets = {names.ACTION_TARGETS: ["service/payments"]}
    body = span_request(unique_span(tool(name, **given, **targets)) for name in tools)
    headers = HEADERS | {"authorization": f"Bearer {secret}"}
    return httpx.post(f"{collector.url}/v1/traces", content=body, headers=headers).status_code


def titles(receiver: Receiver) -> list[str]:
    return [request.json["title"] for request in receiver.requests]


def token(home: Path, name: str) -> str:
    return Tokens(Config(home).tokens).create(name, [Scope.INGEST])[1]


def test_a_flood_of_actions_pages_with_the_senders_name_and_every_page_says_so(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observation, "OPEN_MAX", 8)
    flooder, honest = token(tmp_path, "ci"), token(tmp_path, "prod")
    with live_collector(tmp_path, on_call=OnCall(webhook_url=receiver.url)) as collector:
        assert send(collector, honest, "scale") == 200
        assert send(collector, flooder, *["scale"] * 30) == 200
        eventually(lambda: any("itself is full" in title for title in titles(receiver)), 20)
        shown = httpx.get(f"{collector.url}/").text
        metrics = httpx.get(f"{collector.url}/metrics").text

    (title,) = [title for title in titles(receiver) if "itself is full" in title]
    assert "sender ci holds" in title
    assert title in shown
    assert 'aftershock_full{bound="observed actions"} 1.0' in metrics
    assert 'aftershock_full{bound="queue"} 0.0' in metrics


@pytest.mark.slow
def test_a_flood_of_tool_names_fills_the_label_sets_and_pages(
    tmp_path: Path, receiver: Receiver
) -> None:
    flooder = token(tmp_path, "ci")
    with live_collector(tmp_path, on_call=OnCall(webhook_url=receiver.url)) as collector:
        for part in range(0, 1_100, 100):
            names_of_part = [f"get_{number}" for number in range(part, part + 100)]
            send(collector, flooder, *names_of_part, tier="read")
        eventually(lambda: any("label sets" in title for title in titles(receiver)), 20)

    (page,) = [one.json for one in receiver.requests if "label sets" in one.json["title"]]
    lines = {one["label"]: one["lines"] for one in page["sections"]}["Who holds most"]
    assert any(line.startswith("label sets: sender ci holds") for line in lines)


def test_a_store_that_is_gone_is_paged_although_it_cannot_hold_the_page(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fullness.LASTS_NS, Bound.STORE, 10**9 // 5)
    home = tmp_path / "home"
    with live_collector(home, on_call=OnCall(webhook_url=receiver.url)):
        shutil.rmtree(home)
        eventually(lambda: titles(receiver), 20)

    (page,) = [request.json for request in receiver.requests]
    assert page["title"] == "Aftershock itself is full (store)"
    assert page["severity"] == "critical"
    assert "removed" in "\n".join(page["body"])
