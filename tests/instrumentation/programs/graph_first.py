# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Imports langgraph before anything of LangChain: an instrumentation must wait for it to settle."""

from langgraph.graph import END, START, StateGraph  # noqa: I001
from typing import TypedDict

from langchain_core.tools import tool


class State(TypedDict):
    """The graph's state."""

    city: str


@tool
def get_weather(city: str) -> str:
    """Say the weather."""
    raise ValueError(f"no weather in {city}")


def inspect(state: State) -> State:
    """A node that calls a tool which fails."""
    get_weather.invoke({"city": state["city"]})
    return state


graph = StateGraph(State)
graph.add_node("inspect", inspect)
graph.add_edge(START, "inspect")
graph.add_edge("inspect", END)
graph.compile(name="weather").invoke({"city": "Paris"})
