# pyright: reportPrivateUsage=false
"""What a model is told of its budget: with a result at a share of it, and when it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import agents
import pytest
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool as langchain_tool
from mcp.types import CallToolResult, TextContent
from openai import AsyncOpenAI
from pydantic_ai import Agent, ToolReturn
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import aftershock
from aftershock import attributes as names
from aftershock.policy.price_list import AS_OF
from aftershock.recorder import (
    langchain_guard,
    mcp_guard,
    openai_agents_guard,
    pydantic_ai_guard,
)
from aftershock_collector.demo.model_server import ModelServer, by_turn, call, text_reply
from tests.instrumentation.conftest import Recorder, own

BUDGET = """
gate: {mode: enforce, budget: deny}
agents: {bot: {budget: {steps: 4, warn_at: 0.5}, budget_per_day: {steps: 4, warn_at: 0.9}}}
"""
NEARLY = (
    "[The budget of this run: 2 of 4 steps with this call. Use what is left for what matters most.]"
)


@pytest.fixture(autouse=True)
def wrapped() -> None:
    """As after the import of each framework under our launcher."""
    for guard in (langchain_guard, openai_agents_guard, pydantic_ai_guard, mcp_guard):
        guard.guard_tools()


@aftershock.tool
def get_x(number: int) -> str:
    return f"x is {number}"


def test_at_a_share_of_its_budget_the_model_is_told_once_and_then_held_back(
    policy: Any, recorder: Recorder
) -> None:
    policy(BUDGET)

    with aftershock.run(agent="bot"):
        answers = [get_x(number) for number in range(6)]

    assert answers[0] == "x is 0"
    assert answers[1] == f"x is 1\n\n{NEARLY}"
    assert answers[2] == "x is 2"
    assert "for today: 4 of 4 steps" in answers[3], "another budget is another notice"
    assert "get_x was not run." in answers[4]
    assert "The budget of this run: 5 of 4 steps with this call." in answers[4]
    assert "was not run" in answers[5]
    spans = [span for span in recorder.spans if span.name == "execute_tool get_x"]
    assert [own(span).get(names.GUARDRAIL_DECISION_TYPE) for span in spans] == [
        None, "warn", "warn", "warn", "deny", "deny",
    ]  # fmt: skip


@pytest.mark.parametrize("result", ['{"x": 1}', ["x"], {"x": 1}, None, 7])
def test_what_an_app_may_parse_stays_as_it_is(policy: Any, recorder: Recorder, result: Any) -> None:
    policy(BUDGET)

    @aftershock.tool
    def get_data() -> Any:
        return result

    with aftershock.run(agent="bot"):
        answers = [get_data(), get_data()]
        text = get_x(1)

    assert answers == [result, result]
    assert "3 of 4 steps" in text, "the next text carries what the model has not read yet"


def test_async_functions_carry_the_notice_too(policy: Any, recorder: Recorder) -> None:
    policy(BUDGET)

    @aftershock.tool
    async def get_later() -> str:
        return "later"

    async def play() -> list[str]:
        with aftershock.run(agent="bot"):
            return [await get_later(), await get_later()]

    assert asyncio.run(play()) == ["later", f"later\n\n{NEARLY}"]


def test_my_budget_says_what_is_used_of_this_run_and_of_today(
    policy: Any, recorder: Recorder
) -> None:
    policy(
        "gate: {mode: enforce, budget: deny}\n"
        "agents: {bot: {budget: {steps: 1, cost_usd: 2}, budget_per_day: {tokens: 9000}}}\n"
        "budget: {per_user: {tool_errors: 3}, per_day: {steps: 100}}\n"
    )

    with aftershock.run(agent="bot", user="u-17"):
        get_x(1)
        assert "was not run" in get_x(2)
        answer = aftershock.my_budget()

    assert answer.splitlines() == [
        "This run used 1 of 1 steps, $0.00 of $2.00.",
        "Today, all agents used 1 of 100 steps.",
        "Today, agent bot used 0 of 9,000 tokens.",
        "Today, this user used 0 of 3 failed tool calls.",
        f"Money is by the price list of {AS_OF} where a model is not billed here.",
    ]
    assert {own(span)[names.USER_ID] for span in recorder.spans} == {"u-17"}


def test_without_a_budget_my_budget_says_so(policy: Any, recorder: Recorder) -> None:
    policy("tools: {}")
    assert aftershock.my_budget() == "No budget is set."
    policy("gate: {mode: enforce, budget: deny}")
    with aftershock.run(agent="bot"):
        assert aftershock.my_budget() == "No budget is set."


# --- In each framework -----------------------------------------------------------------------

SCRIPT = by_turn(
    call("get_status", name="a"),
    call("get_status", name="b"),
    call("my_budget"),
    text_reply("done"),
)


def get_status(name: str) -> str:
    """Say how something is."""
    return f"{name} is up"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    agents.set_tracing_disabled(disabled=True)
    with ModelServer(SCRIPT) as server:
        yield server


def read_by_the_model(server: ModelServer) -> list[str]:
    messages: list[dict[str, Any]] = server.requests[-1]["messages"]
    return [str(one["content"]) for one in messages if one["role"] == "tool"]


def check(server: ModelServer) -> None:
    first, second, answer = read_by_the_model(server)
    assert first == "a is up"
    assert second.startswith("b is up\n\n[The budget of this run: ")
    assert answer.startswith("This run used ")
    assert "of 4 steps." in answer
    assert "Today, agent bot used " in answer


def test_the_openai_agents_sdk(policy: Any, recorder: Recorder, model: ModelServer) -> None:
    policy(BUDGET)
    client = AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0)
    tools: list[Any] = [agents.function_tool(one) for one in (get_status, aftershock.my_budget)]
    bot: agents.Agent[Any] = agents.Agent(
        "bot", model=OpenAIChatCompletionsModel("gpt-demo", client), tools=tools
    )

    async def play() -> None:
        with aftershock.run(agent="bot"):
            await agents.Runner.run(bot, "how are things?")

    asyncio.run(play())

    check(model)


def test_pydantic_ai(policy: Any, recorder: Recorder, model: ModelServer) -> None:
    policy(BUDGET)
    provider = OpenAIProvider(base_url=model.url, api_key="none")
    tools = [get_status, aftershock.my_budget]
    bot = Agent(OpenAIChatModel("gpt-demo", provider=provider), tools=tools)

    with aftershock.run(agent="bot"):
        assert bot.run_sync("how are things?").output == "done"

    check(model)


def test_langchain(policy: Any, recorder: Recorder) -> None:
    policy(BUDGET)
    status: Any = langchain_tool(get_status)
    budget: Any = langchain_tool(aftershock.my_budget)

    def message(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "args": arguments, "id": "1", "type": "tool_call"}

    with aftershock.run(agent="bot"):
        first = status.invoke(message("get_status", {"name": "a"}))
        second = status.invoke(message("get_status", {"name": "b"}))
        answer = budget.invoke(message("my_budget", {}))

    assert first.content == "a is up"
    assert isinstance(second, ToolMessage)
    assert second.content == f"b is up\n\n{NEARLY}"
    assert answer.content.startswith("This run used 2 of 4 steps.")


def test_forms_add_a_notice_to_results_of_their_own_kind() -> None:
    result = CallToolResult(content=[TextContent(type="text", text='{"a": 1}')])
    with_both = mcp_guard.FORM.with_notice(result, "[nearly]")
    returned = pydantic_ai_guard.FORM.with_notice(ToolReturn("text", metadata=7), "[nearly]")

    assert [part.text for part in with_both.content] == ['{"a": 1}', "[nearly]"]
    assert len(result.content) == 1, "the server's own result is not changed"
    assert (returned.return_value, returned.metadata) == ("text\n\n[nearly]", 7)
    assert pydantic_ai_guard.FORM.with_notice({"a": 1}, "[nearly]") is None
