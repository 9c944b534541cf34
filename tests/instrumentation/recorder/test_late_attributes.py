"""Spans that get their attributes at their end: their names say at the begin what they are."""

from __future__ import annotations

from opentelemetry import trace

from aftershock import attributes as names
from aftershock.recorder.framework_calls import FrameworkCall, run
from tests.instrumentation.conftest import Recorder, own

tracer = trace.get_tracer("some.framework")


def test_a_tools_span_that_is_only_named_is_a_step_from_its_begin(recorder: Recorder) -> None:
    with (
        tracer.start_as_current_span("invoke_agent ops_agent"),
        tracer.start_as_current_span("execute_tool get_status"),
    ):
        events = [event.log_record.attributes or {} for event in recorder.events]
        started = [{key: str(value) for key, value in one.items()} for one in events]

    assert [one[names.OPERATION] for one in started] == ["invoke_agent", "execute_tool"]
    assert started[1][names.TOOL_NAME] == "get_status"
    assert {one[names.AGENT_NAME] for one in started} == {"ops_agent"}
    assert len({one[names.RUN_ID] for one in started}) == 1


def test_a_call_inside_the_span_that_its_framework_named_is_described_on_it(
    recorder: Recorder,
) -> None:
    call = FrameworkCall("get_status", lambda: {"service": "checkout"})
    with tracer.start_as_current_span("execute_tool get_status") as span:
        run(call, lambda: "degraded")
        span.set_attribute(names.OPERATION, "execute_tool")

    described = own(recorder.span("execute_tool get_status"))
    assert len(recorder.spans) == 1
    assert described[names.ARGUMENTS_DIGEST]
    assert described[names.RESULT_OUTCOME] == "ok"


def test_other_names_say_nothing(recorder: Recorder) -> None:
    for name in ("execute_tool", "execute_tools now", "chat room", "GET /invoke_agent x"):
        with tracer.start_as_current_span(name):
            pass

    assert recorder.events == []
    assert all(names.OPERATION not in own(span) for span in recorder.spans)
