# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""An agent as people write them: LangGraph and the OpenAI SDK, nothing of ours."""

import os
import time

import httpx
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_status(service: str) -> str:
    """Say how a service is doing."""
    httpx.get(f"{os.environ['OPENAI_BASE_URL']}/models")
    return f"{service} is up; ask ada@example.com"


@tool
def restart_service(service: str, token: str) -> str:
    """Restart a service."""
    del token
    time.sleep(0.8)
    print("restarted", service, time.time_ns())
    return f"{service} restarted"


model = ChatOpenAI(model="gpt-demo", api_key=os.environ["OPENAI_API_KEY"], max_retries=0)
agent = create_agent(model, [get_status, restart_service], name="sre-bot")
answer = agent.invoke(
    {"messages": [("user", "checkout is slow, my card is 4111 1111 1111 1111")]},
    {"configurable": {"thread_id": "incident-7"}},
)
print(answer["messages"][-1].content)
