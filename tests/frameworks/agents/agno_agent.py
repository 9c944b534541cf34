"""An agent of Agno."""

import sys

import operations
from agno.agent import Agent
from agno.models.openai import OpenAIChat

agent = Agent(
    name="ops_agent",
    model=OpenAIChat(id="gpt-5"),
    instructions="You keep services healthy.",
    tools=[operations.get_status, operations.scale_workers],
    telemetry=False,
)
print(agent.run(sys.argv[1]).content)
