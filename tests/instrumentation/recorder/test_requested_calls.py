"""Calls that a loop runs itself: each is one step, whoever makes its span."""

from __future__ import annotations

import pytest

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock_collector.demo.model_server import ModelServer, Script, by_turn, call, text_reply
from tests.instrumentation.running import run_program
from tests.support.otlp_sink import Received, Sink

LOOP = by_turn(
    call("get_status", service="checkout"),
    call("get_status", service="checkout"),
    call("get_status", service="payments"),
    text_reply("done"),
)
SCALING = by_turn(call("scale", service="checkout", replicas=4), text_reply("done"))


def tools_of(program: str, script: Script) -> tuple[list[Received], list[Received]]:
    """Tool spans and inferences that a program sends, oldest first."""
    with Sink() as sink, ModelServer(script) as model:
        places = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OPENAI_BASE_URL": model.url}
        process = run_program(program, places)
        spans = sorted(sink.spans, key=lambda span: span.began_at_ns)
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    tools = [span for span in spans if span.name.startswith("execute_tool")]
    return tools, [span for span in spans if span.name.startswith("chat")]


def test_a_bare_loop_has_a_tool_step_for_each_call_between_its_inferences() -> None:
    tools, inferences = tools_of("plain_loop.py", LOOP)

    assert [span.name for span in tools] == ["execute_tool get_status"] * 3
    assert [span.attributes[names.ARGUMENTS_DIGEST] for span in tools] == [
        tools[0].attributes[names.ARGUMENTS_DIGEST],
        tools[0].attributes[names.ARGUMENTS_DIGEST],
        tools[2].attributes[names.ARGUMENTS_DIGEST],
    ]
    assert len({span.attributes[names.ARGUMENTS_DIGEST] for span in tools}) == 2
    assert [span.attributes[names.RESULT_OUTCOME] for span in tools] == ["ok", "ok", "failed"]
    assert {span.attributes[names.RUN_ID] for span in tools + inferences} == {
        tools[0].attributes[names.RUN_ID]
    }
    assert {span.attributes[names.AGENT_NAME] for span in tools} == {"plain_loop"}
    assert {span.parent_id for span in tools} == {inferences[0].parent_id}
    for before, tool, after in zip(inferences, tools, inferences[1:], strict=False):
        assert before.began_at_ns < tool.began_at_ns <= after.began_at_ns
    assert "checkout" not in "".join(span.texts() for span in tools)


@pytest.mark.slow
def test_a_call_that_has_a_span_of_its_own_gets_no_second_one() -> None:
    tools, _ = tools_of("bare_loop.py", SCALING)

    assert [span.name for span in tools] == ["execute_tool scale"]
    assert fingerprint_arguments({}).digest != tools[0].attributes[names.ARGUMENTS_DIGEST]
