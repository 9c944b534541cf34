"""What leaves the process: marks applied, duplicates gone, content out, sizes capped."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

import aftershock
from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.policy.policy import Policy
from aftershock.recorder import sanitizer, settings, span_tracking
from aftershock.recorder.redaction import TEXT_CHARS_MAX
from aftershock.recorder.sanitizer import EVENTS_MAX, SHORT_CHARS_MAX, SPAN_BYTES_MAX
from tests.instrumentation.conftest import Recorder

CHAT = {names.OPERATION: "chat", names.REQUEST_MODEL: "gpt-x"}
tracer = trace.get_tracer("tests")

SERVICES = ("checkout", "payments")


@pytest.fixture
def scaling_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy whose targets are named by an argument."""
    document = {"tools": {"scale": {"targets": [{"service.name": "{service}"}]}}}
    made = Policy.from_mapping(document)
    for module in (sanitizer, settings, span_tracking):
        monkeypatch.setattr(module, "policy", lambda: made)


def own(recorder: Recorder, name: str) -> dict[str, Any]:
    """Attributes of the only span of a name."""
    return dict(recorder.span(name).attributes or {})


def test_the_inner_of_two_spans_of_one_inference_is_left_out(recorder: Recorder) -> None:
    with (
        aftershock.run(agent="a"),
        tracer.start_as_current_span("outer", attributes=CHAT),
        tracer.start_as_current_span("inner", attributes=CHAT) as inner,
        tracer.start_as_current_span("below", attributes={names.OPERATION: "execute_tool"}),
    ):
        inner.set_attribute(names.INPUT_TOKENS, 7)

    outer, below = recorder.span("outer"), recorder.span("below")
    assert "inner" not in [span.name for span in recorder.spans]
    assert below.parent is not None
    assert outer.context is not None
    assert below.parent.span_id == outer.context.span_id


def test_an_outer_one_that_names_its_operation_late_keeps_what_only_the_inner_knew(
    recorder: Recorder,
) -> None:
    with aftershock.run(agent="a"), tracer.start_as_current_span("outer") as outer:
        outer.set_attributes(CHAT)
        with tracer.start_as_current_span("inner", attributes=CHAT) as inner:
            inner.set_attribute(names.REASONING_TOKENS, 5)

    assert "inner" not in [span.name for span in recorder.spans]
    assert own(recorder, "outer")[names.REASONING_TOKENS] == 5


def test_the_outer_of_two_keeps_the_tokens_that_only_the_inner_knew(recorder: Recorder) -> None:
    with (
        aftershock.run(agent="a"),
        tracer.start_as_current_span("outer", attributes={**CHAT, names.OUTPUT_TOKENS: 3}),
        tracer.start_as_current_span("inner", attributes=CHAT) as inner,
    ):
        inner.set_attributes({names.INPUT_TOKENS: 7, names.OUTPUT_TOKENS: 99})

    assert own(recorder, "outer")[names.INPUT_TOKENS] == 7
    assert own(recorder, "outer")[names.OUTPUT_TOKENS] == 3


def test_only_the_request_of_an_inference_is_left_out_not_what_the_app_does_in_it(
    recorder: Recorder,
) -> None:
    with aftershock.run(agent="a"), tracer.start_as_current_span("chat", attributes=CHAT):
        tracer.start_span("POST", kind=SpanKind.CLIENT).end()
        tracer.start_span("my own work").end()

    assert {"POST", "my own work"} & {span.name for span in recorder.spans} == {"my own work"}


def test_nothing_of_the_apps_own_spans_outside_of_runs_is_touched(recorder: Recorder) -> None:
    tracer.start_span("GET /health", kind=SpanKind.SERVER, attributes={"a": 1}).end()

    assert own(recorder, "GET /health") == {"a": 1}
    assert recorder.events == []


def test_agents_under_one_request_are_runs_of_their_own(recorder: Recorder) -> None:
    with tracer.start_as_current_span("POST /ask", kind=SpanKind.SERVER):
        with aftershock.run(agent="a") as first:
            pass
        with aftershock.run(agent="b") as second:
            pass

    assert first.id != second.id
    assert len({span.context.trace_id for span in recorder.spans if span.context}) == 1


def test_content_of_any_family_becomes_fingerprints(recorder: Recorder) -> None:
    given = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: "get_pods",
        names.TOOL_ARGUMENTS: '{"namespace": "prod"}',
        names.TOOL_RESULT: "checkout-1, checkout-2",
        "input.value": "prod",
        "llm.input_messages.0.message.content": "prod",
        "gen_ai.prompt.0.content": "prod",
        "gen_ai.prompt.name": "ops-v2",
    }
    with aftershock.run(agent="a"):
        tracer.start_span("execute_tool get_pods", attributes=given).end()

    found = own(recorder, "execute_tool get_pods")
    assert "prod" not in repr(found)
    assert "checkout" not in repr(found)
    assert len(found[names.ARGUMENTS_DIGEST]) == 16
    assert found[names.RESULT_OUTCOME] == "ok"
    assert found[names.ACTION_TIER] == "read"
    assert found["gen_ai.prompt.name"] == "ops-v2"


def test_every_text_of_a_span_is_redacted(recorder: Recorder) -> None:
    secret = "sk-proj-abcdefghijklmnopq"
    with aftershock.run(agent="a"):
        span = tracer.start_span(f"call {secret}", attributes={"x": secret, "y": [secret]})
        span.add_event(f"event {secret}"[:5], {"exception.message": f"bad key {secret}"})
        span.set_status(Status(StatusCode.ERROR, f"failed with {secret}"))
        span.end()

    (found,) = [s for s in recorder.spans if s.name.startswith("call")]
    everything = repr((found.name, dict(found.attributes or {}), found.status.description))
    assert secret not in everything + repr([dict(e.attributes or {}) for e in found.events])


def test_a_huge_span_is_cut_and_says_so(recorder: Recorder) -> None:
    with aftershock.run(agent="a"):
        span = tracer.start_span("huge", attributes={f"k{n}": "x" * 50_000 for n in range(20)})
        for _ in range(1_000):
            span.add_event("chunk")
        span.end()

    found = recorder.span("huge")
    texts = [v for v in (found.attributes or {}).values() if isinstance(v, str)]
    assert max(map(len, texts)) <= TEXT_CHARS_MAX
    assert sum(map(len, texts)) <= SPAN_BYTES_MAX + 20 * SHORT_CHARS_MAX
    assert (found.attributes or {})[names.TRUNCATED] == 20
    assert len(found.events) == EVENTS_MAX


def test_waiting_for_a_person_is_not_an_error(recorder: Recorder) -> None:
    with aftershock.run(agent="a"):
        span = tracer.start_span("execute_tool deploy", attributes={"gen_ai.tool.name": "deploy"})
        span.set_attribute(names.ERROR_TYPE, "langgraph.errors.GraphInterrupt")
        span.set_status(Status(StatusCode.ERROR, "interrupted"))
        span.end()

    found = recorder.span("execute_tool deploy")
    assert found.status.status_code is StatusCode.UNSET
    assert names.ERROR_TYPE not in (found.attributes or {})


@pytest.mark.usefixtures("scaling_policy")
def test_targets_come_from_arguments_that_are_known_only_at_the_end(recorder: Recorder) -> None:
    first = {names.OPERATION: "execute_tool", names.TOOL_NAME: "scale"}
    with tracer.start_as_current_span("execute_tool scale", attributes=first) as span:
        span.set_attribute(names.TOOL_ARGUMENTS, '{"service": "checkout"}')

    assert own(recorder, "execute_tool scale")[names.ACTION_TARGETS] == ("service/checkout",)


def test_openinferences_schema_is_not_taken_for_arguments(recorder: Recorder) -> None:
    schema = '{"type": "object", "properties": {"service": {"type": "string"}}}'
    for service in ("checkout", "payments"):
        attributes = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: "get_status",
            names.TOOL_ARGUMENTS: schema,
            "openinference.span.kind": "TOOL",
            "input.value": f'{{"kwargs": {{"service": "{service}"}}}}',
            "output.value": f"{service} is up",
        }
        tracer.start_span(f"get_status {service}", attributes=attributes).end()
    digests = {own(recorder, f"get_status {one}")[names.ARGUMENTS_DIGEST] for one in SERVICES}

    assert digests == {fingerprint_arguments({"service": one}).digest for one in SERVICES}
    assert "output.value" not in own(recorder, "get_status checkout")


def test_the_far_end_of_an_mcp_call_is_announced_by_no_event(recorder: Recorder) -> None:
    attributes = {names.OPERATION: "execute_tool", names.TOOL_NAME: "get_status"}
    tracer.start_span("tools/call", kind=SpanKind.SERVER, attributes=attributes).end()

    assert recorder.events == []


def test_an_errors_text_and_a_urls_query_stay_home(recorder: Recorder) -> None:
    url = {"url.full": "https://api.example.com/orders?ssn=078051120#x", "url.query": "ssn=1"}
    with (
        pytest.raises(ValueError, match="Jane"),
        tracer.start_as_current_span("GET", attributes=url),
    ):
        raise ValueError("patient Jane Roe not found")
    (span,) = recorder.spans
    (event,) = span.events
    everything = repr((dict(span.attributes or {}), dict(event.attributes or {}), span.status))

    assert own(recorder, "GET")["url.full"] == "https://api.example.com/orders"
    assert dict(event.attributes or {})["exception.type"] == "ValueError"
    for text in ("Jane", "Roe", "078051120", "Traceback"):
        assert text not in everything
    assert (span.status.description or "").startswith("ValueError: … not found [")


def test_messages_that_are_events_of_a_span_leave_without_their_content(
    recorder: Recorder,
) -> None:
    with aftershock.run(agent="a"), tracer.start_as_current_span("chat", attributes=CHAT) as span:
        span.add_event("gen_ai.user.message", {"role": "user", "content": "a secret plan"})
        span.add_event("gen_ai.choice", {"finish_reason": "stop", "message": "a secret answer"})
        span.add_event("retried", {"attempt": 2})

    events = [(one.name, dict(one.attributes or {})) for one in recorder.span("chat").events]
    assert events == [
        ("gen_ai.user.message", {"role": "user"}),
        ("gen_ai.choice", {"finish_reason": "stop"}),
        ("retried", {"attempt": 2}),
    ]
