"""Two agents of the OpenAI Agents SDK: the first hands the task to the second. Streamed."""

import asyncio
import sys

import operations
from agents import Agent, Runner, function_tool

ops = Agent(
    name="ops_agent",
    model="gpt-5",
    instructions="You keep services healthy.",
    tools=[function_tool(operations.get_status), function_tool(operations.scale_workers)],
)
triage = Agent(name="triage_agent", model="gpt-5", instructions="Hand the task on.", handoffs=[ops])


async def main():
    result = Runner.run_streamed(triage, sys.argv[1], max_turns=20)
    async for _ in result.stream_events():
        pass
    print(result.final_output)


asyncio.run(main())
