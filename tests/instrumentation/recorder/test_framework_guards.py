# pyright: reportPrivateUsage=false
"""Tools of agent frameworks behind the gate: their real SDKs, a model server and an MCP server."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import agents
import mcp
import pytest
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.tool import ShellTool
from mcp.client.stdio import StdioServerParameters, stdio_client
from openai import AsyncOpenAI
from opentelemetry.sdk.trace import ReadableSpan
from pydantic_ai import Agent, ApprovalRequired, DeferredToolRequests
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import aftershock
from aftershock import attributes as names
from aftershock.recorder import mcp_guard, openai_agents_guard, pydantic_ai_guard
from aftershock_collector.demo.model_replies import ToolCall
from aftershock_collector.demo.model_server import ModelServer, by_turn, call, call_all, text_reply
from tests.instrumentation.conftest import Recorder, own

PROGRAMS = Path(__file__).parent.parent / "programs"
GATE = "gate: {mode: enforce, tiers: {destructive: deny, write: warn}, loops: deny}"
# A read and a deletion at once, and then an update.
SCRIPT = by_turn(
    call_all(ToolCall("get_status", {"name": "shop"}), ToolCall("delete_shop", {"name": "shop"})),
    call("update_shop", name="shop"),
    text_reply("done"),
)


@pytest.fixture(autouse=True)
def wrapped() -> None:
    """As after the import of each framework under our launcher."""
    for guard in (openai_agents_guard, pydantic_ai_guard, mcp_guard):
        guard.guard_tools()
        guard.guard_tools()  # a second import hook changes nothing


@pytest.fixture
def model() -> Iterator[ModelServer]:
    agents.set_tracing_disabled(disabled=True)
    with ModelServer(SCRIPT) as server:
        yield server


class Shop:
    """What the tools work on."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def get_status(self, name: str) -> str:
        self.ran.append("get_status")
        return f"{name} is up"

    async def delete_shop(self, name: str) -> str:
        self.ran.append("delete_shop")
        return f"{name} is gone"

    def update_shop(self, name: str) -> str:
        self.ran.append("update_shop")
        return f"{name} is new"


def read_by_the_model(server: ModelServer) -> list[str]:
    """The results of tools in the model's last request."""
    messages: list[dict[str, Any]] = server.requests[-1]["messages"]
    return [str(one["content"]) for one in messages if one["role"] == "tool"]


def tool_spans(recorder: Recorder) -> dict[str, ReadableSpan]:
    """The spans of tools by name; one for each call."""
    found = [span for span in recorder.spans if span.name.startswith("execute_tool")]
    by_name = {span.name.removeprefix("execute_tool "): span for span in found}
    assert len(by_name) == len(found)
    return by_name


def check(shop: Shop, server: ModelServer, recorder: Recorder) -> None:
    """What holds for each framework."""
    assert shop.ran == ["get_status", "update_shop"]
    read, refused, updated = read_by_the_model(server)
    assert (read, updated) == ("shop is up", "shop is new")
    assert "delete_shop was not run." in refused
    assert "The policy does not allow destructive calls." in refused
    spans = tool_spans(recorder)
    held, warned = own(spans["delete_shop"]), own(spans["update_shop"])
    assert held[names.GUARDRAIL_ACTION_TYPE] == "block"
    assert held[names.ERROR_TYPE] == "held_back"
    assert held[names.ACTION_TIER] == "destructive"
    assert (warned[names.GUARDRAIL_DECISION_TYPE], warned[names.GUARDRAIL_ACTION_TYPE]) == (
        "warn",
        "allow",
    )
    assert warned[names.RESULT_OUTCOME] == "ok"
    assert names.GUARDRAIL_ACTION_TYPE not in own(spans["get_status"])
    assert len({own(span)[names.ARGUMENTS_DIGEST] for span in spans.values()}) == 1
    assert len({own(span)[names.RUN_ID] for span in spans.values()}) == 1


def openai_agent(shop: Shop, server: ModelServer) -> agents.Agent[Any]:
    client = AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0)
    tools: list[Any] = [
        agents.function_tool(one) for one in (shop.get_status, shop.delete_shop, shop.update_shop)
    ]
    return agents.Agent("bot", model=OpenAIChatCompletionsModel("gpt-demo", client), tools=tools)


@pytest.mark.parametrize("streams", [False, True])
def test_the_openai_agents_sdk(
    policy: Any, recorder: Recorder, model: ModelServer, streams: bool
) -> None:
    policy(GATE)
    shop = Shop()

    async def play() -> None:
        with aftershock.run(agent="bot"):
            if streams:
                running = agents.Runner.run_streamed(openai_agent(shop, model), "restart the shop")
                assert [event async for event in running.stream_events()]
            else:
                await agents.Runner.run(openai_agent(shop, model), "restart the shop")

    asyncio.run(play())

    check(shop, model, recorder)


def test_a_tool_of_the_openai_agents_sdk_stays_what_it_was(policy: Any) -> None:
    policy(GATE)
    tool: Any = agents.function_tool(Shop().get_status)

    for one in (tool, copy.copy(tool), dataclasses.replace(tool)):
        assert one.on_invoke_tool is one.on_invoke_tool
        assert one.name == "get_status"
        # What was put in is kept, and not our own wrapping of it.
        assert "wrapt" not in type(one.__dict__["on_invoke_tool"]).__module__
    made: Any = agents.FunctionTool
    with pytest.raises(TypeError, match="on_invoke_tool"):
        made(name="x", description="", params_json_schema={})


def test_a_shell_of_the_openai_agents_sdk_passes_the_gate(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: enforce}\ntools: {shell: {gate: deny}}")
    ran: list[Any] = []

    def execute(request: Any) -> str:
        ran.append(request)
        return "ran"

    shell = ShellTool(executor=execute)

    @dataclasses.dataclass
    class Request:
        data: Any

    action = type("Action", (), {"commands": ["rm -rf /srv", "ls"]})
    request: Any = Request(type("Data", (), {"action": action}))
    assert shell.executor is not None
    answer: Any = shell.executor(request)

    assert "shell was not run" in asyncio.run(answer)
    assert ran == []
    assert own(recorder.span("execute_tool shell"))[names.GUARDRAIL_ACTION_TYPE] == "block"


def pydantic_agent(shop: Shop, server: ModelServer, **options: Any) -> Agent[None, Any]:
    provider = OpenAIProvider(base_url=server.url, api_key="none")
    tools = [shop.get_status, shop.delete_shop, shop.update_shop]
    return Agent(OpenAIChatModel("gpt-demo", provider=provider), tools=tools, **options)


@pytest.mark.parametrize("way", ["sync", "async", "streaming", "instrumented"])
def test_pydantic_ai(policy: Any, recorder: Recorder, model: ModelServer, way: str) -> None:
    policy(GATE)
    shop = Shop()
    agent = pydantic_agent(shop, model)
    agent.instrument = way == "instrumented"

    async def play() -> None:
        if way == "streaming":
            async with agent.run_stream("restart the shop") as running:
                assert await running.get_output() == "done"
        else:
            assert (await agent.run("restart the shop")).output == "done"

    with aftershock.run(agent="bot"):
        if way == "sync":
            assert agent.run_sync("restart the shop").output == "done"
        else:
            asyncio.run(play())

    check(shop, model, recorder)


def test_a_call_that_pydantic_ai_defers_has_not_failed(policy: Any, recorder: Recorder) -> None:
    """Waiting for a person is no error: the streak that the rules count does not grow."""
    policy("gate: {mode: enforce, loops: deny}")
    asked: list[str] = []

    def update_shop(name: str) -> str:
        asked.append(name)
        raise ApprovalRequired

    with ModelServer(by_turn(call("update_shop", name="shop"))) as server:
        provider = OpenAIProvider(base_url=server.url, api_key="none")
        agent = Agent(
            OpenAIChatModel("gpt-demo", provider=provider),
            tools=[update_shop],
            output_type=[str, DeferredToolRequests],
        )
        for _ in range(8):
            result = agent.run_sync("update the shop")
            assert isinstance(result.output, DeferredToolRequests)

    assert asked == ["shop"] * 8
    assert all(names.ERROR_TYPE not in own(span) for span in recorder.spans)


def test_an_mcp_client(policy: Any, recorder: Recorder) -> None:
    policy(GATE)
    server = StdioServerParameters(command=sys.executable, args=[str(PROGRAMS / "mcp_shop.py")])

    async def play() -> list[Any]:
        async with (
            stdio_client(server) as (reading, writing),
            mcp.ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            named = {"name": "shop"}
            both = await asyncio.gather(
                session.call_tool("get_status", named), session.call_tool("delete_shop", named)
            )
            return [*both, await session.call_tool("fail", arguments=named)]

    with aftershock.run(agent="bot"):
        read, refused, failed = [one.model_dump(by_alias=True) for one in asyncio.run(play())]

    assert (read["isError"], refused["isError"], failed["isError"]) == (False, True, True)
    assert "shop is up" in json.dumps(read)
    assert "delete_shop was not run." in refused["content"][0]["text"]
    spans = tool_spans(recorder)
    assert own(spans["delete_shop"])[names.GUARDRAIL_ACTION_TYPE] == "block"
    assert own(spans["get_status"])[names.RESULT_OUTCOME] == "ok"
    assert own(spans["fail"])[names.RESULT_OUTCOME] == "failed"
    assert {own(span)[names.AGENT_NAME] for span in spans.values()} == {"bot"}
