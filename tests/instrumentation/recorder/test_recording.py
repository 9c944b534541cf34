"""Runs, facts and decisions as developers record them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.trace import get_current_span

import aftershock
from aftershock import attributes as names
from aftershock.recorder import sanitizer
from tests.instrumentation.conftest import Recorder, own
from tests.instrumentation.running import environment


@aftershock.tool
def get_pods(namespace: str) -> str:
    """A tool."""
    return f"pods of {namespace}"


def test_a_run_is_the_frame_of_everything_inside(recorder: Recorder) -> None:
    with aftershock.run(agent="sre-bot", goal="secret goal", conversation="c-1") as run:
        get_pods("prod")

    frame, tool = recorder.span("invoke_agent sre-bot"), recorder.span("execute_tool get_pods")
    assert tool.parent is not None
    assert frame.context is not None
    assert tool.parent.span_id == frame.context.span_id
    assert tool.attributes is not None
    assert tool.attributes[names.RUN_ID] == run.id
    assert tool.attributes[names.AGENT_NAME] == "sre-bot"
    assert tool.attributes[names.CONVERSATION_ID] == "c-1"
    assert "secret goal" not in repr(dict(frame.attributes or {}))


def test_a_run_may_bring_its_own_id_and_a_nested_agent_inherits_it(recorder: Recorder) -> None:
    with aftershock.run(agent="outer", id="ticket-42"), aftershock.run(agent="inner") as inner:
        get_pods("prod")

    assert inner.id == "ticket-42"
    assert {own(s)[names.RUN_ID] for s in recorder.spans} == {"ticket-42"}
    tool = recorder.span("execute_tool get_pods")
    assert own(tool)[names.AGENT_NAME] == "inner"


def test_two_runs_one_after_the_other_are_two_traces(recorder: Recorder) -> None:
    for _ in range(2):
        with aftershock.run(agent="sre-bot"):
            get_pods("prod")

    ids = {own(s)[names.RUN_ID] for s in recorder.spans}
    traces = {s.context.trace_id for s in recorder.spans if s.context}
    assert (len(ids), len(traces)) == (2, 2)


def test_an_agents_exception_passes_and_ends_its_run_as_failed(recorder: Recorder) -> None:
    failure = RuntimeError("boom")

    with pytest.raises(RuntimeError) as caught, aftershock.run(agent="sre-bot"):
        raise failure

    frame = recorder.span("invoke_agent sre-bot")
    assert caught.value is failure
    assert own(frame)[names.ERROR_TYPE] == "RuntimeError"


def test_a_run_decorates_functions_of_every_kind(recorder: Recorder) -> None:
    @aftershock.run(agent="plain")
    def plain() -> str:
        return get_pods("a")

    @aftershock.run(agent="coroutine")
    async def coroutine() -> str:
        return get_pods("b")

    assert plain() == "pods of a"
    assert plain() == "pods of a"
    assert asyncio.run(coroutine()) == "pods of b"
    frames = [s for s in recorder.spans if s.name.startswith("invoke_agent")]
    assert sorted(s.name for s in frames) == [
        "invoke_agent coroutine",
        "invoke_agent plain",
        "invoke_agent plain",
    ]
    assert len({own(s)[names.RUN_ID] for s in frames}) == 3


def test_a_fact_is_an_event_of_the_run_without_its_value(recorder: Recorder) -> None:
    with aftershock.run(agent="sre-bot") as run:
        run.saw("maintenance_window", subject="prod", source="calendar", value={"at": "22:17"})
        run.saw("alerts", "prod", value="Error: timed out")
        aftershock.saw("owner", "checkout", value=None)

    facts = [e.log_record for e in recorder.events if e.log_record.event_name == names.EVENT_FACT]
    outcomes = [
        (f.attributes[names.FACT_KIND], f.attributes[names.FACT_OUTCOME])
        for f in facts
        if f.attributes
    ]
    frame = recorder.span("invoke_agent sre-bot")
    assert outcomes == [("maintenance_window", "ok"), ("alerts", "failed"), ("owner", "ok")]
    assert frame.context is not None
    assert {f.span_id for f in facts} == {frame.context.span_id}
    assert {str((f.attributes or {})[names.RUN_ID]) for f in facts} == {run.id}
    assert "22:17" not in repr([dict(f.attributes or {}) for f in facts])


@pytest.mark.parametrize("wanted", [True, False], ids=["with content", "without content"])
def test_a_decision_has_its_choice_and_with_content_capture_its_texts(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    monkeypatch.setattr(sanitizer, "captures_content", lambda: wanted)
    with (
        aftershock.run(agent="sre-bot") as run,
        run.decision("scale?", because="p95 is 900 ms", assumes=["db has headroom"]) as choice,
    ):
        choice.chose("scale_deployment", over=["restart", "do nothing"])

    attributes = own(recorder.span("decision"))
    assert attributes[names.OPERATION] == names.DECISION_OPERATION
    assert attributes[names.DECISION_CHOSEN] == "scale_deployment"
    texts = {
        names.DECISION_QUESTION: "scale?",
        names.DECISION_OVER: ("restart", "do nothing"),
        names.DECISION_BECAUSE: "p95 is 900 ms",
        names.DECISION_ASSUMES: ("db has headroom",),
    }
    assert {key: attributes[key] for key in texts if key in attributes} == (texts if wanted else {})


def test_what_a_thread_does_for_a_run_belongs_to_it(recorder: Recorder) -> None:
    ThreadingInstrumentor().instrument()
    try:
        with aftershock.run(agent="sre-bot") as run, ThreadPoolExecutor(4) as pool:
            list(pool.map(get_pods, ["a", "b", "c", "d"]))
            pool.submit(run.saw, "fact", "prod").result()
    finally:
        ThreadingInstrumentor().uninstrument()

    assert len([s for s in recorder.spans if s.name == "execute_tool get_pods"]) == 4
    assert {own(s)[names.RUN_ID] for s in recorder.spans} == {run.id}


def test_a_run_object_used_in_a_bare_thread_still_speaks_for_its_run(recorder: Recorder) -> None:
    with aftershock.run(agent="sre-bot") as run, ThreadPoolExecutor(1) as pool:
        pool.submit(run.saw, "fact", "prod").result()

    (fact,) = [e.log_record for e in recorder.events if e.log_record.event_name == names.EVENT_FACT]
    assert (fact.attributes or {})[names.RUN_ID] == run.id


def test_concurrent_tasks_of_one_run_do_not_mix_with_another(recorder: Recorder) -> None:
    @aftershock.tool
    async def fetch(what: str) -> str:
        await asyncio.sleep(0.01)
        return what

    async def one(agent: str) -> str | None:
        async with aftershock.run(agent=agent) as run:
            await asyncio.gather(*(fetch(f"{agent}{n}") for n in range(5)))
        return run.id

    async def both() -> tuple[str | None, str | None]:
        return await asyncio.gather(one("a"), one("b"))

    ids = asyncio.run(both())
    for agent, run_id in zip("ab", ids, strict=True):
        its = [s for s in recorder.spans if own(s)[names.RUN_ID] == run_id]
        assert {own(s)[names.AGENT_NAME] for s in its} == {agent}
        assert len(its) == 6


def test_a_bare_tool_call_gets_a_frame_that_outlives_it_but_is_never_current(
    recorder: Recorder,
) -> None:
    def loop() -> None:
        get_pods("a")
        assert not get_current_span().get_span_context().is_valid
        get_pods("b")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop).result()

    tools = [s for s in recorder.spans if s.name == "execute_tool get_pods"]
    assert len({s.context.trace_id for s in tools if s.context}) == 1
    assert len({s.parent.span_id for s in tools if s.parent}) == 1


def test_without_a_provider_everything_works_and_says_nothing() -> None:
    code = """
import asyncio, aftershock

@aftershock.tool(risk="write", target={"service.name": "x"}, provides="a", requires=("b", "c"))
def plain(x): return x

@aftershock.tool
async def coroutine(x): return x

@aftershock.tool
def generator(n): yield from range(n)

@aftershock.tool
async def agenerator(n):
    for i in range(n): yield i

async def main():
    assert await coroutine(1) == 1
    assert [x async for x in agenerator(3)] == [0, 1, 2]

with aftershock.run(agent="a", goal="g") as run:
    run.saw("k", "s", value=1)
    with run.decision("q", because="b") as d: d.chose("c", over=["e"])
    assert plain(1) == 1 and list(generator(3)) == [0, 1, 2] and run.id is None
asyncio.run(main())
with aftershock.decision("q") as d: d.chose("x")
aftershock.saw("k")
"""
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )

    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
