"""The metrics of invocations, from a real program through the real exporter over a socket."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from aftershock.recorder import drop_counters as counting_drops
from aftershock.recorder import invocation_metrics
from aftershock.recorder.drop_counters import drop_counts
from aftershock.recorder.invocation_metrics import Invocations
from tests.instrumentation.running import run_program
from tests.support.otlp_sink import Received, Sink


@pytest.fixture(autouse=True)
def _no_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost on purpose here is no loss of the tests that come after."""
    monkeypatch.setattr(counting_drops, "_counts", Counter[str]())


INFERENCES = "gen_ai.invoke_agent.inference_calls"
TOOLS = "gen_ai.invoke_agent.tool_calls"


@pytest.fixture(scope="module")
def received() -> list[Received]:
    """Everything that one run of the program exported as metrics."""
    with Sink() as sink:
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_METRICS_EXPORTER": "otlp"}
        process = run_program("invocations.py", where)
        assert process.returncode == 0, process.stderr
        return sink.metrics


def points(received: list[Received], agent: str | None) -> dict[str, Any]:
    """The newest point of each of the two metrics, of one agent."""
    own = {} if agent is None else {"gen_ai.agent.name": agent}
    return {
        one.name: one.point
        for one in received
        if one.attributes == own and one.name in {INFERENCES, TOOLS}
    }


def counted(received: list[Received], agent: str) -> tuple[int, int, int]:
    """Invocations, inferences and tool calls of one agent."""
    found = points(received, agent)
    assert found[INFERENCES].count == found[TOOLS].count
    return found[TOOLS].count, int(found[INFERENCES].sum), int(found[TOOLS].sum)


def test_an_invocation_counts_its_own_calls_failed_and_parallel_ones_too(
    received: list[Received],
) -> None:
    # Two inferences, each seen twice; a, nobody, 20 in threads. Not: inner's, and far ends.
    assert counted(received, "outer") == (1, 2, 22)
    assert counted(received, "inner") == (1, 0, 1)


def test_an_invocation_that_asks_for_nothing_is_a_point_too(received: list[Received]) -> None:
    assert counted(received, "idle") == (1, 0, 0)
    assert counted(received, "again") == (3, 0, 3)


def test_an_agent_in_a_forked_worker_counts_itself_and_nothing_of_its_parent(
    received: list[Received],
) -> None:
    assert counted(received, "forked") == (1, 0, 1)
    assert max(Counter(p.point.count for p in received if p.name == TOOLS)) == 3


def test_an_invocation_that_is_given_up_counts_once_and_one_that_others_count_does_not(
    received: list[Received],
) -> None:
    assert counted(received, "given up") == (1, 0, 0)
    assert points(received, None) == {}
    assert {one.name for one in received if "invoke_agent" in one.name} == {INFERENCES, TOOLS}


def test_units_buckets_and_exemplars_are_the_conventions_own(received: list[Received]) -> None:
    (tools,) = {one.message for one in received if one.name == TOOLS}
    (inferences,) = {one.message for one in received if one.name == INFERENCES}
    point = points(received, "outer")[TOOLS]

    assert (inferences, tools) == ("{inference_call}", "{tool_call}")
    assert list(point.explicit_bounds) == [1, 2, 4, 8, 16, 32, 64, 128]
    traces = {e.trace_id for p in received for e in p.point.exemplars if e.as_int == 22}
    assert [16] == [len(trace_id) for trace_id in traces]


def test_invocations_that_never_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation_metrics, "OPEN_MAX", 10)
    tracer, counting = TracerProvider().get_tracer("test"), Invocations()
    own = {"gen_ai.operation.name": "invoke_agent"}
    for _ in range(25):
        span: Any = tracer.start_span("invoke_agent", attributes=own)
        counting.began(span, trace.INVALID_SPAN, "invoke_agent", left_out=False)
        del span

    assert drop_counts()["invocations_open"] == 15
    assert len(counting._open) == 10  # pyright: ignore[reportPrivateUsage]
    assert len(counting._of) == 0  # pyright: ignore[reportPrivateUsage]


def test_a_meter_that_raises_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def record(self, *_: Any) -> None:
            raise RuntimeError("a view of the app's")

    tracer, counting = TracerProvider().get_tracer("test"), Invocations()
    monkeypatch.setattr(counting, "_tool_calls", Broken())
    span: Any = tracer.start_span("a", attributes={"gen_ai.operation.name": "invoke_agent"})
    counting.began(span, None, "invoke_agent", left_out=False)
    counting.ended(span)

    assert drop_counts() == {"recording metrics of an invocation": 1}


def test_what_the_recorder_could_not_do_is_a_metric_with_its_reason(
    received: list[Received],
) -> None:
    drops = [one for one in received if one.name == "aftershock.recorder.drops"]

    assert {one.attributes["aftershock.drop.reason"]: one.point.as_int for one in drops} == {
        "the target function of a tool": 1
    }


@pytest.mark.slow
def test_without_a_wish_for_metrics_none_is_sent() -> None:
    with Sink() as sink:
        process = run_program("invocations.py", {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url})
        assert process.returncode == 0, process.stderr
        assert sink.spans
        assert sink.metrics == []
