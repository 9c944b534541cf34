"""An agent of Google's Agent Development Kit and its sub-agent that hand the task to each other."""

import asyncio
import sys

from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner

database = LlmAgent(
    name="database_agent",
    model="gemini-2.5-pro",
    instruction="You keep databases healthy.",
)
ops = LlmAgent(
    name="ops_agent",
    model="gemini-2.5-pro",
    instruction="You keep services healthy.",
    sub_agents=[database],
)


async def main():
    events = await InMemoryRunner(agent=ops).run_debug(sys.argv[1], quiet=True)
    print(events[-1].content.parts[-1].text)


asyncio.run(main())
