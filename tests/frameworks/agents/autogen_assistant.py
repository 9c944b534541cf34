"""An agent of AutoGen."""

import asyncio
import sys

import operations
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

agent = AssistantAgent(
    "ops_agent",
    model_client=OpenAIChatCompletionClient(model="gpt-4o"),
    tools=[operations.get_status, operations.scale_workers],
    system_message="You keep services healthy.",
    max_tool_iterations=20,
)


async def main():
    result = await agent.run(task=sys.argv[1])
    print(result.messages[-1].content)


asyncio.run(main())
