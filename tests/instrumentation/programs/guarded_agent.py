# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A LangGraph agent whose tools are sync, async and decorated twice; nothing of ours but that."""

import asyncio
import os

from langchain.agents import create_agent
from langchain_core.tools import StructuredTool, tool
from langchain_openai import ChatOpenAI

import aftershock


@tool
def get_status(service: str) -> str:
    """Say how a service is doing."""
    return f"{service} is up"


async def delete(service: str) -> str:
    """Delete a service."""
    print("deleted", service)
    return "gone"


@aftershock.tool(name="restart_service")
def restart(service: str) -> str:
    """Restart a service."""
    print("restarted", service)
    return f"{service} restarted"


tools = [
    get_status,
    StructuredTool.from_function(coroutine=delete, name="delete_service", description="Delete."),
    StructuredTool.from_function(restart, name="restart_service", description="Restart."),
]
model = ChatOpenAI(model="gpt-demo", api_key=os.environ["OPENAI_API_KEY"], max_retries=0)
agent = create_agent(model, tools, name="sre-bot")
answer = asyncio.run(agent.ainvoke({"messages": [("user", "checkout is slow")]}))
for message in answer["messages"]:
    if message.type == "tool":
        print(message.status, message.content.splitlines()[0])
