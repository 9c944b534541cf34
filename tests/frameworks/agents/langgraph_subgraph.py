"""An agent as a node of a graph of LangGraph, in asyncio, streamed."""

import asyncio
import sys

import operations
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

ops = create_agent(
    ChatOpenAI(model="gpt-5"),
    tools=[operations.get_status, operations.scale_workers],
    name="ops_agent",
)
builder = StateGraph(MessagesState)
builder.add_node("ops", ops)
builder.add_edge(START, "ops")
graph = builder.compile(name="outer")


async def main():
    messages = [{"role": "user", "content": sys.argv[1]}]
    last = None
    async for state in graph.astream(
        {"messages": messages}, {"recursion_limit": 50}, stream_mode="values"
    ):
        last = state
    print(last["messages"][-1].content)


asyncio.run(main())
