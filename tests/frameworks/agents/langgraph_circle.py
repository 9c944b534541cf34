"""Two agents in a graph of LangGraph that hand the task to each other."""

import sys

from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from typing import Annotated


def transfer(agent):
    @tool(f"transfer_to_{agent}")
    def hand_on(state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId]):
        """Hand the task to another agent."""
        done = ToolMessage(f"{agent} has the task", tool_call_id=call_id)
        update = {"messages": [*state["messages"], done]}
        return Command(goto=agent, graph=Command.PARENT, update=update)

    return hand_on


def agent(name, other):
    return create_agent("openai:gpt-5", tools=[transfer(other)], name=name)


graph = StateGraph(MessagesState)
graph.add_node("ops_agent", agent("ops_agent", "database_agent"), destinations=("database_agent",))
graph.add_node("database_agent", agent("database_agent", "ops_agent"), destinations=("ops_agent",))
graph.add_edge(START, "ops_agent")
answer = graph.compile(name="operations").invoke(
    {"messages": [("user", sys.argv[1])]}, {"recursion_limit": 60}
)
print(answer["messages"][-1].content)
