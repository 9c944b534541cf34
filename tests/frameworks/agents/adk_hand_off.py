"""Two agents of Google's Agent Development Kit: the first hands the task to its sub-agent."""

import asyncio
import sys

import operations
from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner
from google.genai import types

ops = LlmAgent(
    name="ops_agent",
    model="gemini-2.5-pro",
    description="Keeps services healthy.",
    instruction="You keep services healthy.",
    tools=[operations.get_status, operations.scale_workers],
)
triage = LlmAgent(
    name="triage_agent",
    model="gemini-2.5-pro",
    instruction="Hand the task on.",
    sub_agents=[ops],
)


async def main():
    runner = InMemoryRunner(agent=triage, app_name="operations")
    session = await runner.session_service.create_session(app_name="operations", user_id="amira")
    task = types.Content(role="user", parts=[types.Part(text=sys.argv[1])])
    async for event in runner.run_async(user_id="amira", session_id=session.id, new_message=task):
        if event.is_final_response():
            print(event.content.parts[-1].text)


asyncio.run(main())
