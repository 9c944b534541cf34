"""An agent of the OpenAI Agents SDK."""

import sys

import operations
from agents import Agent, Runner, function_tool

agent = Agent(
    name="ops_agent",
    model="gpt-5",
    instructions="You keep services healthy.",
    tools=[function_tool(operations.get_status), function_tool(operations.scale_workers)],
)
print(Runner.run_sync(agent, sys.argv[1], max_turns=20).final_output)
