"""LangGraph's tools behind the gate, in a real program over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftershock import attributes as names
from aftershock_collector.demo.model_server import ModelServer, by_turn, call, text_reply
from tests.instrumentation.running import run_program
from tests.support.otlp_sink import Sink

POLICY = """
gate: {mode: enforce, tiers: {destructive: deny, write: warn}, loops: deny}
"""
SCRIPT = by_turn(
    call("get_status", service="checkout"),
    call("delete_service", service="checkout"),
    call("restart_service", service="checkout"),
    text_reply("done"),
)


@pytest.mark.slow
def test_a_graphs_tools_pass_the_gate_once_each(tmp_path: Path) -> None:
    policy = tmp_path / "aftershock.yaml"
    policy.write_text(POLICY)
    with Sink() as sink, ModelServer(SCRIPT) as model:
        ran = run_program(
            "guarded_agent.py",
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
                "OPENAI_BASE_URL": model.url,
                "AFTERSHOCK_POLICY": str(policy),
            },
        )
        spans = [span for span in sink.spans if span.name.startswith("execute_tool")]

    assert ran.returncode == 0, ran.stderr
    assert [
        "restarted checkout",
        "success checkout is up",
        "error delete_service was not run.",
        "success checkout restarted",
    ] == ran.stdout.splitlines()
    (held,) = [span for span in spans if span.name == "execute_tool delete_service"]
    assert held.attributes[names.GUARDRAIL_ACTION_TYPE] == "block"
    assert held.attributes[names.AGENT_NAME] == "sre-bot"
    warned = [span for span in spans if span.name == "execute_tool restart_service"]
    assert {"warn"} == {str(span.attributes[names.GUARDRAIL_DECISION_TYPE]) for span in warned}
    assert len({span.attributes[names.RUN_ID] for span in spans}) == 1
    (read,) = [span for span in spans if span.name == "execute_tool get_status"]
    assert names.GUARDRAIL_ACTION_TYPE not in read.attributes
