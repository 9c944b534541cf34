"""Two agents of AutoGen in a swarm: the first hands the task to the second."""

import asyncio
import sys

import operations
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_ext.models.openai import OpenAIChatCompletionClient

model = OpenAIChatCompletionClient(model="gpt-4o")
triage = AssistantAgent(
    "triage_agent", model, handoffs=["ops_agent"], system_message="Hand the task on."
)
ops = AssistantAgent(
    "ops_agent",
    model,
    tools=[operations.get_status, operations.scale_workers],
    system_message="You keep services healthy.",
    max_tool_iterations=20,
)


async def main():
    ended = TextMessageTermination("ops_agent")
    team = Swarm([triage, ops], name="operations", termination_condition=ended)
    result = await team.run(task=sys.argv[1])
    print(result.messages[-1].content)


asyncio.run(main())
