"""An agent of Microsoft's Agent Framework."""

import asyncio
import sys

import operations
from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient

agent = Agent(
    OpenAIChatCompletionClient(model="gpt-5"),
    name="ops_agent",
    instructions="You keep services healthy.",
    tools=[operations.get_status, operations.scale_workers],
)


async def main():
    print((await agent.run(sys.argv[1])).text)


asyncio.run(main())
