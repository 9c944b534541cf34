"""Frames of agents: real frameworks give their agents' names to what these do."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import agents
import agents.agent
import agents.run
import pytest
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from openai import AsyncOpenAI
from opentelemetry.trace import StatusCode
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from aftershock import attributes as names
from aftershock.recorder import agent_frames, openai_agents_guard, paused_runs, pydantic_ai_guard
from aftershock_collector.demo.model_server import ModelServer, by_turn, call, text_reply
from tests.instrumentation.conftest import Recorder, own

HANDING_ON = by_turn(
    call("transfer_to_ops"), call("get_status", service="checkout"), text_reply("done")
)


@pytest.fixture(autouse=True)
def framed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the import of each framework under our launcher, and as before afterwards."""
    agents.set_tracing_disabled(disabled=True)
    runner = agents.run.AgentRunner
    for owner, name in (
        (Agent, "iter"),
        (runner, "run"),
        (runner, "run_streamed"),
        (agents.agent.AgentBase, "get_all_tools"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    for guard in (openai_agents_guard, pydantic_ai_guard):
        guard.guard_tools()
    for module in ("agents.agent", "agents.run", "pydantic_ai.agent", "pydantic_ai.agent"):
        agent_frames.wrap_functions(module)


def get_status(service: str) -> str:
    """Read the status of a service."""
    return f"{service} is up"


def test_an_agent_of_pydantic_ai_is_one_run_with_its_name_and_its_tools(recorder: Recorder) -> None:
    agent = Agent(TestModel(), name="ops", tools=[get_status])
    agent.run_sync("Is it up?")

    frame, tool = recorder.span("invoke_agent ops"), recorder.span("execute_tool get_status")
    assert tool.parent is not None
    assert frame.context is not None
    assert tool.parent.span_id == frame.context.span_id
    assert own(tool)[names.AGENT_NAME] == "ops"
    assert own(tool)[names.TOOL_CALL_ID]


def test_agents_at_once_are_runs_of_their_own(recorder: Recorder) -> None:
    async def both() -> None:
        await asyncio.gather(
            *(Agent(TestModel(), name=name, tools=[get_status]).run("?") for name in ("a", "b"))
        )

    asyncio.run(both())
    tools = [own(span) for span in recorder.spans if span.name == "execute_tool get_status"]
    assert sorted(str(tool[names.AGENT_NAME]) for tool in tools) == ["a", "b"]
    assert len({tool[names.RUN_ID] for tool in tools}) == 2


def test_an_agent_that_raises_has_a_frame_that_failed(recorder: Recorder) -> None:
    def fail(service: str) -> str:
        raise ConnectionError(service)

    with pytest.raises(ConnectionError):
        Agent(TestModel(), name="ops", tools=[fail]).run_sync("?")

    assert recorder.span("invoke_agent ops").status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_done_after_a_hand_off_is_of_the_agent_that_has_the_task(
    recorder: Recorder, streamed: bool
) -> None:
    async def work(url: str) -> None:
        client = AsyncOpenAI(base_url=url, api_key="none")
        model = OpenAIChatCompletionsModel("gpt-5", client)
        tool = agents.function_tool(get_status)
        ops = agents.Agent(name="ops", model=model, tools=[tool])
        triage = agents.Agent(name="triage", model=model, handoffs=[ops])
        if not streamed:
            await agents.Runner.run(triage, "?")
            return
        result = agents.Runner.run_streamed(triage, "?")
        async for _ in result.stream_events():
            pass

    with ModelServer(HANDING_ON) as server:
        asyncio.run(work(server.url))

    frame, tool = recorder.span("invoke_agent triage"), recorder.span("execute_tool get_status")
    assert own(tool)[names.AGENT_NAME] == "ops"
    assert own(tool)[names.RUN_ID] == own(frame)[names.RUN_ID]
    assert frame.end_time is not None
    assert tool.end_time is not None
    assert frame.end_time >= tool.end_time


def test_the_next_frame_of_a_conversation_that_waits_goes_on_with_its_run() -> None:
    known = {names.CONVERSATION_ID: "thread-1", names.RUN_ID: "run-1"}

    paused_runs.pause(SimpleNamespace(attributes=known))
    assert paused_runs.resumed("thread-2") is None
    assert paused_runs.resumed("thread-1") == "run-1"
    assert paused_runs.resumed("thread-1") is None
