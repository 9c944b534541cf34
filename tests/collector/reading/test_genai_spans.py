"""Spans by the GenAI conventions and by our own names: calls, facts, errors, decisions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.genai.handler import TelemetryHandler

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
)
from aftershock.model import (
    Decision,
    Fact,
    Fingerprint,
    Outcome,
    Requirement,
    StepKind,
    Tier,
    Tokens,
)
from aftershock.policy.policy import EMPTY
from aftershock.wire import encode_hashes
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.otlp.wire import CLIENT, SERVER, STATUS_ERROR, SpanEvent
from aftershock_collector.reading.read import read, run_id_of
from tests.collector.reading.items import POLICY, T0, action_of, span, step_of, tool


def test_what_the_official_instrumentations_emit_becomes_steps() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop-agents"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    handler = TelemetryHandler(tracer_provider=provider)
    with (
        handler.workflow("nightly"),
        handler.invoke_local_agent(agent_name="sre-bot") as agent,
    ):
        agent.conversation_id = "conversation-1"
        with handler.inference("openai", request_model="gpt-x") as inference:
            inference.input_tokens, inference.output_tokens = 120, 30
        call = handler.tool("scale_deployment", agent_name="sre-bot")
        call.tool_call_id = "call_1"
        call.fail(ValueError("no such deployment 'shop'"))
    body = encode_spans(kept.get_finished_spans()).SerializeToString()
    steps = [step_of(item) for item in decode_traces(body, "application/x-protobuf").items]

    inference_step, tool_step, agent_step, workflow_step = steps
    assert (workflow_step.kind, workflow_step.name) == (StepKind.AGENT, "nightly")
    assert (agent_step.kind, agent_step.name, agent_step.agent) == (
        StepKind.AGENT, "sre-bot", "sre-bot",
    )  # fmt: skip
    assert agent_step.conversation == "conversation-1"
    assert agent_step.tokens is None
    assert (inference_step.kind, inference_step.name) == (StepKind.INFERENCE, "gpt-x")
    assert inference_step.tokens == Tokens(120, 30)
    assert inference_step.agent is None
    assert (tool_step.kind, tool_step.agent) == (StepKind.TOOL_CALL, "sre-bot")
    assert tool_step.error == "ValueError"
    assert tool_step.action is not None
    assert tool_step.action.call_id == "call_1"
    assert tool_step.action.outcome is Outcome.FAILED
    assert "no such deployment" in (tool_step.action.error_class or "")
    assert {step.run_id for step in steps} == {steps[0].trace_id}
    assert {step.service for step in steps} == {"shop-agents"}
    assert {inference_step.parent_id, tool_step.parent_id} == {agent_step.span_id}


def test_arguments_and_result_on_the_span_are_fingerprinted_and_described_by_policy() -> None:
    arguments = {"namespace": "shop", "name": "checkout", "replicas": 12}
    item = tool({names.TOOL_ARGUMENTS: json.dumps(arguments), names.TOOL_RESULT: "scaled to 12"})
    action = action_of(item, POLICY)

    assert action.arguments == fingerprint_arguments(arguments)
    assert action.result == fingerprint_result("scaled to 12")
    assert action.subjects == subjects_of(arguments)
    assert (action.outcome, action.tier, action.error_class) == (Outcome.OK, Tier.PROVISION, None)
    assert action.targets == ("k8s/shop/checkout",)
    assert action.requires == (
        Requirement("maintenance_window", "shop", 900.0, sources=("get_calendar",)),
    )


def test_what_the_agents_own_process_measured_wins_and_what_it_claims_adds() -> None:
    item = tool(
        {
            names.RUN_ID: "run-7",
            names.TOOL_ARGUMENTS: '{"namespace": "shop", "name": "checkout"}',
            names.TOOL_RESULT: "error: it broke",
            names.ARGUMENTS_DIGEST: "a" * 16,
            names.ARGUMENTS_SKETCH: encode_hashes([1, 2, 4_000_000_000]),
            names.ARGUMENTS_SIZE: 41,
            names.RESULT_DIGEST: "b" * 16,
            names.RESULT_SKETCH: encode_hashes([5]),
            names.RESULT_OUTCOME: "truncated",
            names.SUBJECTS: ["s1"],
            names.ACTION_TIER: "destructive",
            names.ACTION_TARGETS: ["db/orders"],
            names.CONTEXT_REQUIRED: ["maintenance_window\tprod\t60", "owner\t\t"],
            names.FACTS: ["replicas\tcheckout"],
        }
    )
    step = step_of(item, POLICY)
    action = action_of(item, POLICY)

    assert step.run_id == run_id_of(item) == "run-7"
    assert action.arguments == Fingerprint("a" * 16, frozenset({1, 2, 4_000_000_000}), 41)
    assert action.result == Fingerprint("b" * 16, frozenset({5}), None)
    assert (action.outcome, action.tier) == (Outcome.TRUNCATED, Tier.PROVISION)
    assert action.targets == ("k8s/shop/checkout",)
    assert action.requires == (
        Requirement("maintenance_window", "shop", 900.0, sources=("get_calendar",)),
        Requirement("maintenance_window", "prod", 60.0, sources=("get_calendar",)),
        Requirement("owner", "*"),
    )
    assert action.subjects == frozenset({"s1"})
    assert step.facts == (
        Fact(
            "replicas",
            "checkout",
            "scale_deployment",
            T0 + 7,
            Outcome.TRUNCATED,
            "cd" * 8,
            "b" * 16,
        ),
    )


def test_a_tool_that_provides_a_fact_gives_it_when_it_ends_with_what_came_of_it() -> None:
    own = {names.TOOL_NAME: "get_calendar", names.TOOL_ARGUMENTS: '{"team": "payments"}'}
    good = step_of(tool(own | {names.TOOL_RESULT: "Saturday 02:00"}), POLICY)
    bad = step_of(tool(own, status_code=STATUS_ERROR, status_message="TimeoutError: 5 s"), POLICY)
    unseen = step_of(tool(own), POLICY)

    assert [(fact.kind, fact.subject, fact.outcome) for fact in good.facts + bad.facts] == [
        ("maintenance_window", "payments", Outcome.OK),
        ("maintenance_window", "payments", Outcome.FAILED),
    ]
    assert bad.error == "TimeoutError"
    assert (unseen.facts[0].outcome, unseen.facts[0].digest) == (Outcome.OK, None)
    assert unseen.action is not None
    assert (unseen.action.result, unseen.action.outcome) == (None, None)


def test_arguments_that_nobody_recorded_equal_no_others() -> None:
    first, second = action_of(tool(span_id="01" * 8)), action_of(tool(span_id="02" * 8))

    assert first.arguments != second.arguments
    assert first.arguments.size is None


@pytest.mark.parametrize("raised", ["langgraph.errors.GraphInterrupt", "ApprovalRequired"])
def test_waiting_for_a_person_is_no_error(raised: str) -> None:
    item = tool({names.ERROR_TYPE: raised}, status_code=STATUS_ERROR, status_message="Interrupt(…)")
    step = step_of(item, POLICY)

    assert step.error is None
    assert step.action is not None
    assert (step.action.outcome, step.action.result, step.action.error_class) == (None, None, None)
    assert step.facts == ()


def test_the_type_of_an_error_is_found_wherever_it_was_said() -> None:
    raised = SpanEvent(
        "exception", T0, {"exception.type": "KeyError", "exception.message": "'shop'"}
    )
    failed: dict[str, Any] = {"status_code": STATUS_ERROR}

    assert step_of(tool({names.ERROR_TYPE: "tool_error"})).error == "tool_error"
    assert step_of(tool(events=(raised,), **failed)).error == "KeyError"
    assert step_of(tool(status_message="ValueError: no", **failed)).error == "ValueError"
    assert step_of(tool(status_message="it broke: twice", **failed)).error == "_OTHER"
    assert step_of(tool(**failed)).error == "_OTHER"
    assert action_of(tool(events=(raised,), **failed)).error_class == "'…'"
    assert action_of(tool(**failed)).error_class == "_OTHER"


def test_the_far_end_of_an_mcp_call_is_not_a_second_call() -> None:
    assert read(tool(kind=SERVER), EMPTY) is None


@pytest.mark.parametrize("operation", ["create_agent", "execute_event_loop_cycle", "plan", 7, None])
def test_other_operations_are_not_steps(operation: Any) -> None:
    assert read(span({names.OPERATION: operation}, kind=CLIENT), EMPTY) is None


def test_a_retrieval_and_a_decision_are_steps() -> None:
    own: dict[str, Any] = {names.OPERATION: "retrieval", "gen_ai.data_source.id": "runbooks"}
    retrieval = step_of(span(own))
    decision = step_of(
        span(
            {
                names.OPERATION: names.DECISION_OPERATION,
                names.DECISION_QUESTION: "how to bring p95 down",
                names.DECISION_CHOSEN: "scale",
                names.DECISION_OVER: ["restart", "nothing"],
                names.DECISION_BECAUSE: "p95 is 900 ms",
                names.DECISION_ASSUMES: "the database has headroom",
            }
        )
    )

    assert (retrieval.kind, retrieval.name) == (StepKind.RETRIEVAL, "runbooks")
    assert (decision.kind, decision.name) == (StepKind.DECISION, "decision")
    assert decision.decision == Decision(
        "how to bring p95 down", "scale", ("restart", "nothing"), "p95 is 900 ms",
        ("the database has headroom",),
    )  # fmt: skip


def test_a_hand_off_is_a_step_of_whoever_gives_the_task_away() -> None:
    own = {
        names.OPERATION: names.HAND_OFF_OPERATION,
        names.AGENT_NAME: "triage",
        names.HAND_OFF_TO: "ops",
    }
    step = step_of(span(own))

    assert (step.kind, step.agent, step.name) == (StepKind.HAND_OFF, "triage", "ops")


def test_older_names_of_tokens_are_read_and_numbers_may_be_text() -> None:
    own = {names.OPERATION: "chat", names.RESPONSE_MODEL: "m"}
    old = span(own | {"gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": "7"})

    assert step_of(old).tokens == Tokens(5, 7)
    assert step_of(span(own)).tokens is None
    assert step_of(span(own | {names.INPUT_TOKENS: -4, names.OUTPUT_TOKENS: True})).tokens is None


def test_the_words_of_a_result_that_a_recorder_cut_are_unknown() -> None:
    shown = "order A1234 " * 200

    assert action_of(tool({names.TOOL_RESULT: shown[:2_001]})).words
    assert action_of(tool({names.TOOL_RESULT: shown[:2_000]})).words is None
