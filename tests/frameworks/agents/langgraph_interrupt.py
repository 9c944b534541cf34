"""A graph of LangGraph that waits for a person before it scales, and goes on."""

import sys

import operations
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt


def scale_workers(service: str, replicas: int) -> str:
    """Set the number of workers of a service."""
    interrupt(f"scale {service} to {replicas}?")
    return operations.scale_workers(service, replicas)


agent = create_agent(
    ChatOpenAI(model="gpt-5"),
    tools=[operations.get_status, scale_workers],
    name="ops_agent",
    checkpointer=InMemorySaver(),
)
config = {"configurable": {"thread_id": "1"}, "recursion_limit": 50}
result = agent.invoke({"messages": [{"role": "user", "content": sys.argv[1]}]}, config)
while "__interrupt__" in result:
    result = agent.invoke(Command(resume="yes"), config)
print(result["messages"][-1].content)
