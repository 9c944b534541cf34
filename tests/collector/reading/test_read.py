from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.genai.handler import TelemetryHandler

from aftershock import attributes as names
from aftershock.approval import Approval, Gate
from aftershock.entity import entity_key
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
)
from aftershock.fingerprints.keyed import hash_public, hash_word
from aftershock.model import (
    Change,
    ChangeKind,
    Decision,
    Fact,
    Fingerprint,
    Outcome,
    Requirement,
    Step,
    StepKind,
    Tier,
    Tokens,
)
from aftershock.policy.policy import EMPTY, Policy
from aftershock.runs.fold import key_of
from aftershock.wire import encode_hashes
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.otlp.wire import (
    CLIENT,
    INTERNAL,
    SERVER,
    STATUS_ERROR,
    STATUS_OK,
    LogEvent,
    Span,
    SpanEvent,
)
from aftershock_collector.reading.read import read, read_event, run_id_of

T0 = 1_790_000_000_000_000_000
TRACE = "ab" * 16
POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale_*": {
                "tier": "provision",
                "targets": [{"k8s.namespace.name": "{namespace}", "k8s.deployment.name": "{name}"}],
                "requires": [
                    {"fact": "maintenance_window", "subject": "{namespace}", "max_age": "15m"}
                ],
            },
            "get_calendar": {"provides": [{"fact": "maintenance_window", "subject": "{team}"}]},
            "wait_*": {"polls": True},
        }
    }
)


def span(attributes: dict[str, Any], **changes: Any) -> Span:
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": "cd" * 8,
        "parent_id": "ef" * 8,
        "name": "a span",
        "kind": INTERNAL,
        "began_at_ns": T0,
        "ended_at_ns": T0 + 7,
        "status_code": STATUS_OK,
        "status_message": "",
        "attributes": attributes,
        "resource": {"service.name": "agents"},
        "scope": "test",
    }
    return Span(**(fields | changes))


def tool(attributes: dict[str, Any] | None = None, **changes: Any) -> Span:
    own = {names.OPERATION: "execute_tool", names.TOOL_NAME: "scale_deployment"}
    return span(own | (attributes or {}), **changes)


def event(name: str, attributes: dict[str, Any], **changes: Any) -> LogEvent:
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": "cd" * 8,
        "name": name,
        "text": None,
        "time_ns": T0,
        "severity": 9,
        "attributes": attributes,
        "resource": {"service.name": "agents"},
        "scope": "aftershock",
    }
    return LogEvent(**(fields | changes))


def step_of(item: Span, policy: Policy = EMPTY) -> Step:
    step = read(item, policy)
    assert step is not None
    return step


def reported(item: LogEvent, policy: Policy = EMPTY) -> Step:
    step = read_event(item, policy)
    assert isinstance(step, Step)
    return step


def action_of(item: Span, policy: Policy = EMPTY) -> Any:
    action = step_of(item, policy).action
    assert action is not None
    return action


# --- GenAI -----------------------------------------------------------------------------------


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


def test_older_names_of_tokens_are_read_and_numbers_may_be_text() -> None:
    own = {names.OPERATION: "chat", names.RESPONSE_MODEL: "m"}
    old = span(own | {"gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": "7"})

    assert step_of(old).tokens == Tokens(5, 7)
    assert step_of(span(own)).tokens is None
    assert step_of(span(own | {names.INPUT_TOKENS: -4, names.OUTPUT_TOKENS: True})).tokens is None


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


def test_traceloops_wrapping_does_not_make_each_call_look_new() -> None:
    def call(step: int) -> Any:
        given = {"input_str": "{'city': 'Paris'}", "metadata": {"langgraph_step": step}}
        own = {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "get_weather",
            "traceloop.entity.input": json.dumps(given),
            "traceloop.entity.output": json.dumps({"output": {"kwargs": {"content": "sunny"}}}),
        }
        return action_of(span(own, span_id=f"{step:016x}"))

    assert call(1) == call(2)
    assert call(1).tool == "get_weather"
    assert call(1).result == fingerprint_result("sunny")
    assert read(span({"traceloop.span.kind": "task"}), EMPTY) is None


# --- OpenInference ---------------------------------------------------------------------------


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
    for other in ("CHAIN", "GUARDRAIL", "EVALUATOR", 3):
        assert read(span({kind: other}), EMPTY) is None
    assert read(span({}, name="main"), EMPTY) is None


# --- Outgoing calls --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "targets"),
    [
        (
            {"http.request.method": "POST", "server.address": "shop", "server.port": 8080},
            ("address/shop:8080",),
        ),
        ({"http.method": "GET", "http.url": "https://u:p@shop:81/a?b#c"}, ("address/shop:81",)),
        ({"url.full": "http://[::1]:9/x"}, ("address/::1:9",)),
        (
            {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "pg"},
            ("db/orders",),
        ),
        ({"db.system": "redis", "net.peer.name": "cache"}, ("address/cache",)),
        ({"db.system": "sqlite"}, ("db/sqlite",)),
        (
            {"rpc.system": "grpc", "peer.service": "checkout", "server.address": "10.0.0.1"},
            ("service/checkout", "address/10.0.0.1"),
        ),
    ],
)
def test_client_spans_say_what_was_reached(own: dict[str, Any], targets: tuple[str, ...]) -> None:
    step = step_of(span(own, kind=CLIENT))

    assert (step.kind, step.targets) == (StepKind.OUTGOING, targets)


def test_only_client_spans_of_calls_are_outgoing() -> None:
    own = {"http.request.method": "GET", "server.address": "shop"}

    assert read(span(own, kind=SERVER), EMPTY) is None
    assert read(span({"server.address": "shop"}, kind=CLIENT), EMPTY) is None
    assert read(span({"http.method": "GET"}, kind=CLIENT), EMPTY) is None


# --- Log events ------------------------------------------------------------------------------


def test_a_start_event_is_the_step_as_far_as_it_is_known() -> None:
    own = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: "get_calendar",
        names.RUN_ID: "run-7",
        names.AGENT_NAME: "sre-bot",
        names.ARGUMENTS_DIGEST: "a" * 16,
        names.FACTS: ["maintenance_window\tpayments"],
    }
    begun = reported(event(names.EVENT_STARTED, own | {names.STEP_PARENT: "ef" * 8}), POLICY)
    ended = step_of(span(own), POLICY)

    assert begun.ended_at_ns is None
    assert begun.action is not None
    assert (begun.action.result, begun.action.outcome, begun.facts) == (None, None, ())
    assert ended.facts != ()
    assert begun == replace(ended, ended_at_ns=None, facts=(), action=begun.action)


def test_a_heartbeat_is_a_sign_of_life() -> None:
    own = {names.RUN_ID: "run-7", names.OPERATION: "execute_tool", names.TOOL_NAME: "wait"}
    step = reported(event(names.EVENT_HEARTBEAT, own))

    assert (step.kind, step.run_id, step.name) == (StepKind.HEARTBEAT, "run-7", "wait")
    assert step.last_ns == T0


def test_a_fact_that_the_app_told() -> None:
    own = {
        names.FACT_KIND: "maintenance_window",
        names.FACT_SUBJECT: "prod",
        names.FACT_SOURCE: "calendar",
        names.FACT_OUTCOME: "empty",
        names.FACT_DIGEST: "d1",
        names.AGENT_NAME: "sre-bot",
    }
    step = reported(event(names.EVENT_FACT, own))

    assert (step.kind, step.name, step.agent) == (StepKind.FACT, "maintenance_window", "sre-bot")
    assert step.facts == (
        Fact("maintenance_window", "prod", "calendar", T0, Outcome.EMPTY, "cd" * 8, "d1"),
    )
    assert read_event(event(names.EVENT_FACT, {}), EMPTY) is None


def test_an_event_outside_any_span_still_has_an_id_of_its_own() -> None:
    own = {names.FACT_KIND: "freeze", names.RUN_ID: "run-7"}
    loose: dict[str, Any] = {"trace_id": None, "span_id": None}
    first = reported(event(names.EVENT_FACT, own, body=b"one", **loose))
    again = reported(event(names.EVENT_FACT, own, body=b"one", **loose))
    other = reported(event(names.EVENT_FACT, own, body=b"two", **loose))

    assert (first.run_id, first) == ("run-7", again)
    assert first.span_id != other.span_id
    assert read_event(event(names.EVENT_FACT, {names.FACT_KIND: "x"}, **loose), EMPTY) is None
    assert read_event(event(names.EVENT_STARTED, own, **loose), EMPTY) is None


def approval(**changes: Any) -> dict[str, Any]:
    own = {
        names.RUN_ID: "run-1",
        names.TOOL_NAME: "drop_table",
        names.APPROVAL_ID: "12" * 8,
        names.APPROVAL_OUTCOME: "allow",
        names.APPROVAL_BY: "alice",
    }
    return {key: value for key, value in {**own, **changes}.items() if value is not None}


def test_a_request_for_approval_is_open_and_its_answer_closes_it() -> None:
    asked = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_OUTCOME: "ask"})))
    more = {names.APPROVAL_ASKED_AT: asked.began_at_ns, names.ARGUMENTS_DIGEST: "ab" * 8}
    more |= {names.APPROVAL_EXPIRES_AT: str(T0 + 600 * 10**9), names.APPROVAL_BECAUSE: "it is old"}
    later = event(names.EVENT_APPROVAL, approval(**more), time_ns=asked.began_at_ns + 40)
    answered = reported(later)

    assert (asked.kind, asked.run_id, asked.name) == (StepKind.APPROVAL, "run-1", "drop_table")
    assert (asked.ended_at_ns, asked.approval) == (
        None,
        Approval("drop_table", Gate.ASK, "alice"),
    )
    assert answered.ended_at_ns == later.time_ns
    assert answered.approval == Approval(
        "drop_table", Gate.ALLOW, "alice", "it is old", "ab" * 8, T0 + 600 * 10**9
    )
    assert key_of(asked) == key_of(answered)
    assert asked.span_id == "12" * 8
    assert asked.parent_id == later.span_id


def test_an_approval_of_somebody_elses_making_is_read_as_far_as_it_goes() -> None:
    plain = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_ID: None})))
    named = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_ID: "ticket 7"})))

    assert plain.began_at_ns == plain.ended_at_ns
    assert len(plain.span_id) == len(named.span_id) == 16
    assert int(named.span_id, 16)
    for wrong in ({names.TOOL_NAME: None}, {names.APPROVAL_OUTCOME: "perhaps"}):
        assert read_event(event(names.EVENT_APPROVAL, approval(**wrong)), EMPTY) is None


def test_a_gate_is_told_by_the_span_or_else_by_the_policy_and_not_of_a_call_put_aside() -> None:
    policy = Policy.from_mapping({"tools": {"drop_table": {"gate": "ask"}}})
    drop = {names.TOOL_NAME: "drop_table"}
    reported_as_such = action_of(tool({**drop, names.ACTION_GATE: "deny"}), policy)
    odd = action_of(tool({**drop, names.ACTION_GATE: "perhaps"}), policy)
    waiting = tool({**drop, names.ERROR_TYPE: "langgraph.errors.GraphInterrupt"})

    assert (reported_as_such.gate, odd.gate) == (Gate.DENY, Gate.ASK)
    assert action_of(tool({**drop, names.ACTION_GATE: "ask"})).gate is Gate.ASK
    assert action_of(waiting, policy).gate is None


def test_a_change_that_was_told() -> None:
    own = {names.CHANGE_NAME: "checkout 2.4", names.CHANGE_KIND: "deploy"}
    change = read_event(event(names.EVENT_CHANGE, own, text="by ci\nbuild 7"), EMPTY)
    flag = event(names.EVENT_CHANGE, {"service.name": "checkout"}, text="flag new_cart on")

    assert isinstance(change, Change)
    assert (change.kind, change.entity, change.name) == (
        ChangeKind.DEPLOY, "service/agents", "checkout 2.4",
    )  # fmt: skip
    read_flag = read_event(flag, EMPTY)
    assert isinstance(read_flag, Change)
    assert (read_flag.entity, read_flag.name, read_flag.kind) == (
        "service/checkout", "flag new_cart on", ChangeKind.EVENT,
    )  # fmt: skip
    assert read_event(event(names.EVENT_CHANGE, own, resource={}), EMPTY) is None


KUBERNETES = {
    "apiVersion": "v1",
    "kind": "Event",
    "type": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "metadata": {"name": "checkout.17", "namespace": "shop", "uid": "u-1"},
    "involvedObject": {"kind": "Pod", "name": "checkout-7d9f-x2", "namespace": "shop"},
    "firstTimestamp": "2026-01-15T12:00:00Z",
    "lastTimestamp": "2026-01-15T12:05:00Z",
}


def test_warnings_of_kubernetes_are_changes() -> None:
    pulled = read_event(event("", {}, text=KUBERNETES), EMPTY)
    observed = read_event(event("", {}, text={"type": "MODIFIED", "object": KUBERNETES}), EMPTY)

    assert pulled == observed
    assert isinstance(pulled, Change)
    assert (pulled.kind, pulled.name, pulled.entity) == (
        ChangeKind.WARNING, "BackOff", "pod/shop/checkout-7d9f-x2",
    )  # fmt: skip
    assert pulled.began_at_ns == 1_768_478_400 * 10**9
    assert read_event(event("", {}, text=KUBERNETES | {"type": "Normal"}), EMPTY) is None
    assert read_event(event("", {}, text="a plain line"), EMPTY) is None


def test_warnings_about_workloads_and_nodes_name_what_actions_name() -> None:
    def about(kind: str, name: str) -> str:
        involved = {"kind": kind, "name": name, "namespace": "shop"}
        change = read_event(event("", {}, text=KUBERNETES | {"involvedObject": involved}), EMPTY)
        assert isinstance(change, Change)
        return change.entity

    deployment = {"k8s.namespace.name": "shop", "k8s.deployment.name": "checkout"}
    assert about("Deployment", "checkout") == entity_key(deployment)
    assert about("ReplicaSet", "checkout-6d4cf56db6") == entity_key(deployment)
    assert about("Node", "node-1") == entity_key({"host.name": "node-1"})


def test_the_k8s_events_receiver_is_read_too() -> None:
    own = {
        "k8s.event.reason": "FailedScheduling",
        "k8s.event.uid": "u-2",
        "k8s.namespace.name": "a",
    }
    resource = {"k8s.object.kind": "Deployment", "k8s.object.name": "checkout"}
    warning = event("checkout.1", own, resource=resource, severity=13, text="0/3 nodes")
    change = read_event(warning, EMPTY)

    assert isinstance(change, Change)
    assert (change.entity, change.name, change.detail) == (
        "k8s/a/checkout", "FailedScheduling", "0/3 nodes",
    )  # fmt: skip
    assert read_event(warning._replace(severity=9), EMPTY) is None


def test_the_details_of_an_inference_are_not_a_second_step() -> None:
    own = {names.OPERATION: "chat", names.REQUEST_MODEL: "m"}

    assert read_event(event("gen_ai.client.inference.operation.details", own), EMPTY) is None


# --- Hostile input ---------------------------------------------------------------------------

KEYS = [
    *(value for key, value in vars(names).items() if key.isupper()),
    "openinference.span.kind", "input.value", "output.value", "tool.name", "traceloop.span.kind",
    "traceloop.entity.input", "traceloop.entity.output", "tool_arguments", "http.url", "url.full",
    "db.system", "peer.service", "exception.type", "neutral.kind", "k8s.event.reason",
]  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=3)
    | st.sampled_from(["execute_tool", "chat", "invoke_agent", "decision", "TOOL", "LLM", "tool",
                       "message", "[", '{"a": [', '{"kwargs": 3}', "a\tb\tnan", "read", "ok",
                       '{"output": {"kwargs": {}}}', "http://[", "Warning", "Event"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["object", "kind", "type", "involvedObject", "name", "reason", "metadata",
                         "parts", "kwargs", "args", "output"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def test_a_step_keeps_no_text_and_no_list_without_bound() -> None:
    long = "x" * 60_000
    item = tool({names.TOOL_NAME: long, names.RUN_ID: long, names.ACTION_TARGETS: [long] * 4_000})
    step = step_of(item)

    assert step.action is not None
    assert max(map(len, (step.name, step.run_id, *step.action.targets))) == 2_000
    assert len(step.action.targets) == 4  # 8,192 characters of one list
    many = step_of(tool({names.ACTION_TARGETS: [f"service/{n}" for n in range(4_000)]}))
    assert many.action is not None
    assert len(many.action.targets) == 256


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), ODD, max_size=10),
    st.sampled_from(["gen_ai.tool.message", "gen_ai.choice", "exception"]),
    st.dictionaries(st.sampled_from([*KEYS, "content", "message"]), ODD, max_size=3),
    st.integers(0, 5),
    st.integers(0, 2),
)
def test_no_attribute_of_an_odd_type_raises(
    own: dict[str, Any], name: str, inner: dict[str, Any], kind: int, status: int
) -> None:
    events = (SpanEvent(name, T0, inner),)
    for operation in (own.get(names.OPERATION), "execute_tool"):
        attributes = own | {names.OPERATION: operation}
        read(span(attributes, kind=kind, status_code=status, events=events, resource=inner), POLICY)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            names.EVENT_STARTED,
            names.EVENT_HEARTBEAT,
            names.EVENT_FACT,
            names.EVENT_CHANGE,
            "",
            names.EVENT_APPROVAL,
        ]
    ),
    st.dictionaries(st.sampled_from(KEYS), ODD, max_size=8),
    ODD,
)
def test_no_event_of_an_odd_shape_raises(name: str, own: dict[str, Any], text: Any) -> None:
    read_event(event(name, own, text=text, severity=13, resource=own), POLICY)


# --- What inferences were shown --------------------------------------------------------------

HISTORY = [
    {"role": "user", "parts": [{"type": "text", "content": "I am mia_li_3668"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "call-1", "name": "get"}]},
    {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call-1", "response": "HAT1x"}],
    },
]
CHAT = {names.OPERATION: "chat", names.REQUEST_MODEL: "gpt-4o"}


def inferred(attributes: dict[str, Any]) -> Step:
    step = read(span(attributes), EMPTY)
    assert step is not None
    assert step.kind is StepKind.INFERENCE
    return step


def test_messages_on_an_inference_become_hashes_of_results_and_ids() -> None:
    instructions = [{"type": "text", "content": "Ask for ORG-77a first."}]
    step = inferred(
        {
            **CHAT,
            names.INPUT_MESSAGES: json.dumps(HISTORY),
            names.SYSTEM_INSTRUCTIONS: json.dumps(instructions),
        }
    )

    assert step.shown == {hash_public("call-1")}
    assert step.words == {hash_word(word) for word in ("mia_li_3668", "hat1x", "org-77a")}


def test_hashes_made_in_the_agents_process_win_over_messages() -> None:
    reported = {
        names.INFERENCE_SHOWN: encode_hashes([1, 2]),
        names.INFERENCE_WORDS: encode_hashes([3]),
        names.INPUT_MESSAGES: "[]",
    }
    step = inferred({**CHAT, **reported})

    assert (step.shown, step.words) == ({1, 2}, {3})


@pytest.mark.parametrize("messages", ['[{"role": "us', "", 7, "{}"])
def test_messages_that_cannot_be_read_are_not_known(messages: Any) -> None:
    step = inferred({**CHAT, names.INPUT_MESSAGES: messages})

    assert (step.shown, step.words) == (None, None)


def test_openinference_messages_are_read_field_by_field() -> None:
    step = inferred(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.cost.total": 0.25,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "I am mia_li_3668",
            "llm.input_messages.1.message.role": "assistant",
            "llm.input_messages.1.message.tool_calls.0.tool_call.id": "call-1",
            "llm.input_messages.2.message.role": "tool",
            "llm.input_messages.2.message.tool_call_id": "call-1",
            "llm.input_messages.2.message.content": "HAT1x",
        }
    )

    assert step.shown == {hash_public("call-1")}
    assert step.words == {hash_word("mia_li_3668"), hash_word("hat1x")}
    assert step.cost_usd == 0.25


def test_an_image_among_openinference_messages_leaves_the_words_unknown() -> None:
    picture = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    step = inferred(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            picture: "x",
        }
    )

    assert step.words is None


def test_cost_and_compaction_are_read_from_an_inference() -> None:
    step = inferred({**CHAT, "gen_ai.usage.cost": 0.5, names.CONVERSATION_COMPACTED: True})

    assert (step.cost_usd, step.compacted) == (0.5, True)
    assert inferred({**CHAT, "gen_ai.usage.cost": float("nan")}).cost_usd is None


def test_ids_of_arguments_and_words_of_results_are_told_or_worked_out() -> None:
    call = {names.OPERATION: "execute_tool", names.TOOL_NAME: "delete_volume"}
    content = {names.TOOL_ARGUMENTS: '{"id": "vol-7f31"}', names.TOOL_RESULT: "deleted vol-7f31"}
    reported = {
        names.ARGUMENTS_DIGEST: "a" * 16,
        names.ARGUMENT_IDS: [f"id={hash_word('vol-7f31'):08x}", "broken"],
        names.RESULT_WORDS: encode_hashes([hash_word("vol-7f31")]),
        names.ACTION_EXPLAIN: True,
    }
    seen = read(span({**call, **content}), EMPTY)
    hashed = read(span({**call, **reported}), EMPTY)

    assert seen is not None
    assert hashed is not None
    assert seen.action is not None
    assert hashed.action is not None
    assert seen.action.ids == hashed.action.ids == {f"id={hash_word('vol-7f31'):08x}"}
    assert seen.action.words == hashed.action.words == {hash_word("vol-7f31")}
    assert (seen.action.explain, hashed.action.explain) == (None, True)
