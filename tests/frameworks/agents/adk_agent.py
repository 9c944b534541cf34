"""An agent of Google's Agent Development Kit."""

import asyncio
import sys

import operations
from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner

agent = LlmAgent(
    name="ops_agent",
    model="gemini-2.5-pro",
    instruction="You keep services healthy.",
    tools=[operations.get_status, operations.scale_workers],
)


async def main():
    events = await InMemoryRunner(agent=agent).run_debug(sys.argv[1], quiet=True)
    print(events[-1].content.parts[-1].text)


asyncio.run(main())
