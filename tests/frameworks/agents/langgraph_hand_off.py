"""Two agents in a graph of LangGraph: the first hands the task to the second. Async."""

import asyncio
import sys

import operations
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from typing import Annotated


@tool
def transfer_to_ops_agent(
    state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId]
):
    """Hand the task to the agent that keeps services healthy."""
    done = ToolMessage("ops_agent has the task", tool_call_id=call_id)
    update = {"messages": [*state["messages"], done]}
    return Command(goto="ops_agent", graph=Command.PARENT, update=update)


tools = [operations.get_status, operations.scale_workers]
triage = create_agent("openai:gpt-5", tools=[transfer_to_ops_agent], name="triage_agent")
ops = create_agent("openai:gpt-5", tools=tools, name="ops_agent")
graph = StateGraph(MessagesState)
graph.add_node("triage_agent", triage, destinations=("ops_agent",))
graph.add_node("ops_agent", ops)
graph.add_edge(START, "triage_agent")


async def main():
    answer = await graph.compile(name="operations").ainvoke(
        {"messages": [("user", sys.argv[1])]}, {"recursion_limit": 60}
    )
    print(answer["messages"][-1].content)


asyncio.run(main())
