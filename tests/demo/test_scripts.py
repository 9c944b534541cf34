"""What the scripted model does in a hurry and with care, and the policy that both are held to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Tier
from aftershock.policy.policy import Policy, describe
from aftershock_collector.config import load
from aftershock_collector.demo.agents.scripts import STATUS_CHECKS, held_back, in_a_hurry, with_care
from aftershock_collector.demo.infrastructure import Shop
from aftershock_collector.demo.model_server import Messages, Script
from aftershock_collector.demo.processes import ordinary_environment
from aftershock_collector.demo.stage import write_policy

STATUS = {"state": "ready", "workers": {"wanted": 4, "running": 4, "ready": 4}}


def converse(script: Script, agent: str, results: dict[str, Any]) -> list[str]:
    """The tools that an agent would call, in order, given what they answer."""
    assert callable(script)
    messages: Messages = [
        {"role": "system", "content": f"You are {agent}."},
        {"role": "user", "content": "Do it."},
    ]
    called: list[str] = []
    while (reply := script(messages)).calls:
        asked = [{"function": {"name": c.name, "arguments": c.arguments}} for c in reply.calls]
        messages.append({"role": "assistant", "tool_calls": asked})
        for tool_call in reply.calls:
            called.append(tool_call.name)
            content = json.dumps(results.get(tool_call.name, {}))
            messages.append({"role": "tool", "content": content})
    return called


def world(*, open_window: bool = False, connections: int = 97) -> dict[str, Any]:
    return {
        "get_latency": {"p95_ms": 150},
        "get_status": STATUS,
        "get_maintenance_window": {"environment": "prod", "open": open_window},
        "get_connection_limit": {"connections_max": connections, "connections_used": 20},
        "scale_workers": {"accepted": True},
    }


def test_in_a_hurry_it_scales_unread_and_then_asks_the_same_again_and_again():
    called = converse(in_a_hurry, "sre-agent", world())

    assert called == ["get_latency", "get_status", "scale_workers", *["get_status"] * STATUS_CHECKS]


def test_with_care_it_reads_both_facts_scales_and_looks_twice():
    called = converse(with_care, "sre-agent", world())

    assert called[2:] == [
        "get_maintenance_window",
        "get_connection_limit",
        "scale_workers",
        "get_status",
        "get_status",
    ]


@pytest.mark.parametrize("facts", [world(open_window=True), world(connections=25)])
def test_with_care_it_does_not_act_where_the_facts_forbid_it(facts: dict[str, Any]):
    assert "scale_workers" not in converse(with_care, "sre-agent", facts)


def test_held_back_it_reads_both_facts_and_scales_to_what_fits():
    called = converse(held_back, "sre-agent", world(connections=37))

    assert called[2:] == [
        "scale_workers",
        "get_maintenance_window",
        "get_connection_limit",
        "scale_workers",
        "get_status",
        "get_status",
    ]


@pytest.mark.parametrize("script", [in_a_hurry, with_care, held_back])
def test_the_catalog_agent_changes_the_cache_once(script: Script):
    called = converse(script, "catalog-agent", {})

    assert called == ["get_cache_settings", "set_cache_ttl"]


def test_the_policy_is_valid_and_asks_for_both_facts_before_scaling(tmp_path: Path):
    address = {"admin": "http://127.0.0.1:1", "url": "http://127.0.0.1:1/x"}
    shop = Shop("PostgreSQL", address, address, address)
    place = write_policy(
        tmp_path / "aftershock.yaml", shop, "http://127.0.0.1:2", 4318, logs=tmp_path
    )

    assert load.check(place, {}) == ()
    config = load.load(place, {"AFTERSHOCK_HOME": str(tmp_path)})
    asked = describe(
        Policy.from_mapping(config.document), "scale_workers", {"service": "checkout", "workers": 9}
    )
    assert asked.tier is Tier.PROVISION
    assert asked.targets == ("service/checkout",)
    assert {(r.kind, r.subject) for r in asked.requires} == {
        ("maintenance_window", "prod"),
        ("connection_limit", "orders"),
    }
    assert len(config.infrastructure.scrape) == 3


def test_the_users_own_settings_do_not_lead_the_demo_astray(monkeypatch: pytest.MonkeyPatch):
    for name in ("OTEL_TRACES_EXPORTER", "AFTERSHOCK_HTTP", "PGHOST", "LANGSMITH_TRACING"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("KEPT", "yes")

    environment = ordinary_environment()

    assert "elsewhere" not in environment.values()
    assert environment["KEPT"] == "yes"
