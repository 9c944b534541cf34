"""Two agents of AutoGen that hand the task to each other."""

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_ext.models.openai import OpenAIChatCompletionClient

model = OpenAIChatCompletionClient(model="gpt-4o")
ops = AssistantAgent("ops_agent", model, handoffs=["database_agent"])
database = AssistantAgent("database_agent", model, handoffs=["ops_agent"])


async def main():
    team = Swarm([ops, database], termination_condition=TextMessageTermination("ops_agent"))
    result = await team.run(task=sys.argv[1])
    print(result.messages[-1].content)


asyncio.run(main())
