# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A LangGraph agent whose tool waits for a person; then a bare LangChain loop with parallel tools."""

from concurrent.futures import ThreadPoolExecutor

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import MemorySaver
from langgraph.types import Command, interrupt


@tool
def deploy(service: str) -> str:
    """Deploy, once somebody agrees."""
    return f"{service}: {interrupt('may I?')}"


model = ChatOpenAI(model="gpt-demo", max_retries=0)
agent = create_agent(model, [deploy], name="deployer", checkpointer=MemorySaver())
thread = {"configurable": {"thread_id": "t-1"}}
agent.invoke({"messages": [("user", "go")]}, thread)
print(agent.invoke(Command(resume="yes"), thread)["messages"][-1].content)

answer = model.bind_tools([deploy]).invoke("bare")
with ThreadPoolExecutor(2) as pool:
    for number in range(2):
        pool.submit(str, number)


@tool
def inspect(place: str) -> str:
    """Look somewhere."""
    return place


with ThreadPoolExecutor(2) as pool:
    for future in [pool.submit(inspect.invoke, {"place": place}) for place in "ab"]:
        print(future.result())
