"""Spans by the names of frameworks that have their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.approval import Gate
from aftershock.fingerprints.fingerprint import fingerprint_arguments, fingerprint_result
from aftershock.fingerprints.outputs import output_attributes, output_of
from aftershock.model import Outcome, StepKind, Tier, Tokens
from aftershock.policy.policy import EMPTY
from aftershock.runs.fold import Window
from aftershock_collector.otlp.wire import SpanEvent
from aftershock_collector.reading.read import read
from tests.collector.reading.items import T0, action_of, span, step_of, tool


def test_pydantic_ai_is_read_by_its_own_names() -> None:
    own = {
        names.TOOL_NAME: "get_weather",
        names.TOOL_CALL_ID: "call_1",
        names.AGENT_NAME: "weather_agent",
        "tool_arguments": '{"city": "Paris"}',
        "tool_response": "sunny",
    }
    step = step_of(span(own, name="running tool"))
    action = action_of(span(own))

    assert (step.kind, step.name, step.agent) == (
        StepKind.TOOL_CALL, "get_weather", "weather_agent",
    )  # fmt: skip
    assert action.arguments == fingerprint_arguments({"city": "Paris"})
    assert action.result == fingerprint_result("sunny")


def test_strands_carries_arguments_and_results_in_span_events() -> None:
    old = (
        SpanEvent("gen_ai.tool.message", T0, {"role": "tool", "content": '{"city": "Paris"}'}),
        SpanEvent("gen_ai.choice", T0, {"message": '[{"text": "sunny"}]', "id": "t1"}),
    )
    asked = [{"role": "tool", "parts": [{"type": "tool_call", "arguments": {"city": "Paris"}}]}]
    answered = [
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": [{"text": "sunny"}]}]}
    ]
    details = "gen_ai.client.inference.operation.details"
    new = (
        SpanEvent(details, T0, {names.INPUT_MESSAGES: json.dumps(asked)}),
        SpanEvent(details, T0, {names.OUTPUT_MESSAGES: json.dumps(answered)}),
    )
    for events in (old, new):
        action = action_of(tool({"gen_ai.tool.status": "success"}, events=events))
        assert action.arguments == fingerprint_arguments({"city": "Paris"})
        assert action.result == fingerprint_result("sunny")
    failed = step_of(tool({"gen_ai.tool.status": "error"}, events=old))
    assert failed.error == "tool_error"


def test_google_adk_and_its_span_around_merged_calls() -> None:
    own = {"gcp.vertex.agent.tool_call_args": '{"a": 1}', "gcp.vertex.agent.tool_response": "done"}
    action = action_of(tool(own))

    assert action.arguments == fingerprint_arguments({"a": 1})
    assert action.result == fingerprint_result("done")
    assert read(tool({names.TOOL_NAME: "(merged tools)"}), EMPTY) is None


@pytest.mark.parametrize("names_operation", [False, True])
def test_traceloops_wrapping_does_not_make_each_call_look_new(*, names_operation: bool) -> None:
    def call(step: int) -> Any:
        given = {"input_str": "{'city': 'Paris'}", "metadata": {"langgraph_step": step}}
        arguments, result = (
            json.dumps(given),
            json.dumps({"output": {"kwargs": {"content": "sunny"}}}),
        )
        own = {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "get_weather",
            "traceloop.entity.input": arguments,
            "traceloop.entity.output": result,
        }
        if names_operation:  # since 0.62, besides
            own |= {
                names.OPERATION: "execute_tool",
                names.TOOL_ARGUMENTS: arguments,
                names.TOOL_RESULT: result,
            }
        return action_of(span(own, span_id=f"{step:016x}"))

    assert call(1) == call(2)
    assert call(1).tool == "get_weather"
    assert call(1).arguments == fingerprint_arguments({"city": "Paris"})
    assert call(1).result == fingerprint_result("sunny")


def test_arguments_that_traceloop_did_not_wrap_are_read_as_they_are() -> None:
    own = {
        "traceloop.span.kind": "tool",
        names.TOOL_NAME: "search",
        names.TOOL_ARGUMENTS: '{"args": "a b", "limit": 3}',
    }
    assert action_of(span(own)).arguments == fingerprint_arguments({"args": "a b", "limit": 3})


def test_parts_of_an_app_around_its_steps_only_say_what_is_inside_what() -> None:
    for own in (
        {"traceloop.span.kind": "task", "traceloop.entity.name": "model"},
        {"openinference.span.kind": "CHAIN"},
    ):
        step = step_of(span(own, name="RunnableSequence"))
        assert (step.kind, step.name, step.agent) == (StepKind.AGENT, "", None)
        assert step.is_part


def test_the_agent_that_langchain_names_on_each_span_is_whose_it_is() -> None:
    openinference = {
        "openinference.span.kind": "TOOL",
        "tool.name": "get_weather",
        "metadata": '{"langgraph_step": 2, "lc_agent_name": "weather_agent"}',
    }
    traceloop = {
        names.OPERATION: "chat",
        "traceloop.association.properties.lc_agent_name": "weather_agent",
    }
    assert step_of(span(openinference)).agent == "weather_agent"
    assert step_of(span(traceloop)).agent == "weather_agent"


def test_a_hand_off_of_openinference_is_one_and_a_tool_with_agent_in_its_name_is_a_tool() -> None:
    handed = step_of(span({"openinference.span.kind": "TOOL"}, name="handoff to ops_agent"))
    tool_span = {"openinference.span.kind": "AGENT", "tool.name": "transfer_to_ops_agent"}
    called = step_of(span(tool_span, name="transfer_to_ops_agent"))

    assert (handed.kind, handed.name) == (StepKind.HAND_OFF, "ops_agent")
    assert (called.kind, called.name) == (StepKind.TOOL_CALL, "transfer_to_ops_agent")


def test_smolagents_calls_are_read_without_the_shape_of_the_call() -> None:
    own = {
        "openinference.span.kind": "TOOL",
        "tool.name": "web_search",
        "tool.parameters": '{"query": {"type": "string"}}',
        "input.value": '{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"query": "cats"}}',
        "output.value": "3 cats",
    }
    action = action_of(span(own, name="SearchInformationTool"))

    assert (action.tool, action.tier) == ("web_search", Tier.READ)
    assert action.arguments == fingerprint_arguments({"query": "cats"})
    assert action.result == fingerprint_result("3 cats")
    positional = own | {
        "input.value": '{"args": ["33149"], "sanitize_inputs_outputs": false, "kwargs": {}}'
    }
    assert action_of(span(positional)).arguments == fingerprint_arguments({"_args": ["33149"]})


def test_other_openinference_tools_are_read_by_their_input() -> None:
    own = {"openinference.span.kind": "TOOL", "input.value": "Paris"}
    dual = own | {names.OPERATION: "execute_tool", names.TOOL_ARGUMENTS: '{"type": "object"}'}
    for attributes in (own, dual):
        action = action_of(span(attributes, name="get_weather"))
        assert action.tool == "get_weather"
        assert action.arguments == fingerprint_arguments("Paris")


def test_agents_and_models_of_openinference() -> None:
    model = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "o3-mini",
        "llm.token_count.prompt": "491",
        "llm.token_count.completion": "818",
        "llm.token_count.total": "1309",
    }
    kind = "openinference.span.kind"
    agent = {kind: "AGENT", "session.id": "c1", "llm.token_count.prompt": 9}
    inference, frame = step_of(span(model)), step_of(span(agent, name="CodeAgent.run"))

    assert (inference.kind, inference.name) == (StepKind.INFERENCE, "o3-mini")
    assert inference.tokens == Tokens(491, 818)
    assert (frame.kind, frame.agent, frame.conversation) == (StepKind.AGENT, "CodeAgent", "c1")
    assert frame.tokens is None
    crew = step_of(span({kind: "AGENT"}, name="ops_agent._execute_core"))
    assert (crew.name, crew.agent) == ("ops_agent", "ops_agent")
    for other in ("GUARDRAIL", "EVALUATOR", 3):
        assert read(span({kind: other}), EMPTY) is None
    assert read(span({}, name="main"), EMPTY) is None


def test_the_vercel_ai_sdk_counts_each_inference_once_and_shows_its_results() -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "weather in Paris?"}]},
        {
            "role": "tool",
            "content": [{"type": "tool-result", "toolCallId": "call_1", "output": "sunny"}],
        },
    ]
    own = {"ai.model.id": "gpt-4o", "ai.telemetry.functionId": "weather", "session.id": "s1"}
    used = {"ai.usage.promptTokens": 20, "ai.usage.completionTokens": 3}
    outer = step_of(span(own | used | {"ai.operationId": "ai.streamText"}))
    inner = step_of(
        span(
            own
            | used
            | {
                "ai.operationId": "ai.streamText.doStream",
                "ai.prompt.messages": json.dumps(messages),
            }
        )
    )
    call = step_of(
        span(
            {
                "ai.operationId": "ai.toolCall",
                "ai.toolCall.name": "get_weather",
                "ai.toolCall.id": "call_1",
                "ai.toolCall.args": '{"city": "Paris"}',
                "ai.toolCall.result": '"sunny"',
            }
        )
    )

    assert (outer.kind, outer.agent, outer.tokens) == (StepKind.AGENT, "weather", None)
    assert (inner.kind, inner.name, inner.tokens) == (StepKind.INFERENCE, "gpt-4o", Tokens(20, 3))
    assert inner.conversation == "s1"
    assert len(inner.shown or ()) == 1
    assert call.action is not None
    assert (call.name, call.action.call_id) == ("get_weather", "call_1")
    assert call.action.arguments == fingerprint_arguments({"city": "Paris"})


def test_what_copilot_denied_or_was_asked_about_says_so() -> None:
    def copilot(own: dict[str, Any]) -> Any:
        whole = {names.CONVERSATION_ID: "s1"} | own
        return step_of(
            span(whole, scope="github.copilot", resource={"service.name": "github-copilot"})
        )

    bash = {names.OPERATION: "execute_tool", names.TOOL_NAME: "bash"}
    denied = copilot(bash | {"error.type": "denied", names.TOOL_CALL_ID: "call_1"})
    failed = copilot(bash | {"process.exit.code": 3})
    asked = copilot(
        {
            "github.copilot.permission.tool_name": "bash",
            "github.copilot.permission.result": "approved",
        }
    )

    assert denied.approval is not None
    assert (denied.approval.outcome, denied.error) == (Gate.DENY, "denied")
    assert (denied.action.tier, denied.action.outcome) == (Tier.READ, None)
    assert (failed.error, failed.action.outcome) == ("exit_code_3", Outcome.FAILED)
    assert {step.run_id for step in (denied, failed, asked)} == {"s1"}
    assert (asked.kind, asked.approval.by) == (StepKind.APPROVAL, "user")


def test_code_that_smolagents_runs_is_a_call_with_the_code_that_its_inference_wrote() -> None:
    kind, chain = "openinference.span.kind", "CHAIN"
    wrote = {
        kind: "LLM",
        "llm.model_name": "o3-mini",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Thought: add.\n\nCode:\n```py\nprint(1 + 2)\n```",
    }
    ran = {kind: chain, "output.value": "Execution logs:\n3\nLast output from code snippet:\nNone"}
    inside = step_of(span(wrote, span_id="b" * 16, parent_id="a" * 16, began_at_ns=T0 + 1))
    call = step_of(span(ran, name="Step 1", span_id="a" * 16))

    for arrivals in ([inside, call], [call, inside]):
        window = Window("run", EMPTY.limits)
        for step in arrivals:
            window.add([step])
        found = window.of_span("a" * 16)
        assert found is not None
        assert found.action is not None
        assert found.action.tool == "python_interpreter"
        assert (
            found.action.arguments.digest == fingerprint_arguments({"code": "print(1 + 2)"}).digest
        )
        assert found.action.result == fingerprint_result(ran["output.value"])
    by_name = {kind: chain, "output.value": "Address: https://example.org"}
    assert step_of(span(by_name, name="Step 2")).is_part


def test_an_answer_of_a_model_is_known_by_its_hashes_in_each_dialect() -> None:
    text = "The three tables are migrated."
    parts = [{"type": "text", "content": text}]
    genai = {
        names.OPERATION: "chat",
        names.OUTPUT_MESSAGES: json.dumps([{"role": "assistant", "parts": parts}]),
    }
    openinference = {
        "openinference.span.kind": "LLM",
        "llm.output_messages.0.message.content": text,
    }
    traceloop = {"llm.request.type": "chat", "gen_ai.completion.0.content": text}
    for own in (genai, openinference, traceloop, output_attributes(output_of(text)) | genai):
        assert step_of(span(own)).output == output_of(text)


def test_goose_is_read_by_its_sessions_and_the_rest_of_its_spans_is_not_kept() -> None:
    def of_goose(name: str, **own: Any) -> Any:
        given = {"session.id": "20261201_1", "busy_ns": "1", **own}
        made_by = {"service.name": "goose", "service.version": "1.34.0"}
        return span(given, name=name, resource=made_by, scope="goose")

    asked = '{"tool":"shell","arguments":{"command":"rm -rf build"}}'
    frame = step_of(of_goose("reply_stream"))
    called = step_of(of_goose("dispatch_tool_call", input=asked))
    model = {"gen_ai.request.model": "gpt-5"}
    requests = [
        step_of(of_goose("complete", **model)), step_of(of_goose("stream_response_from_provider"))
    ]  # fmt: skip

    assert (frame.kind, frame.agent) == (StepKind.AGENT, "goose")
    assert {one.run_id for one in (frame, called, *requests)} == {"20261201_1"}
    assert [(one.kind, one.name) for one in requests] == [
        (StepKind.INFERENCE, "gpt-5"), (StepKind.INFERENCE, "")
    ]  # fmt: skip
    assert called.action is not None
    assert (called.action.tool, called.action.tier) == ("shell", Tier.DESTRUCTIVE)
    assert called.action.result is None
    for other in (
        of_goose("reply", user_message="Do it."),
        of_goose("dispatch_tool_call", input="no JSON"),
        span({}, name="reply_stream", resource={"service.name": "goose"}, scope="goose"),
    ):
        assert read(other, EMPTY) is None
