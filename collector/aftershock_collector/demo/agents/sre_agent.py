"""The agent that keeps checkout fast: LangGraph and a chat model, with no word of Aftershock.

It has a tool for everything that it needs to know. Which ones it uses is the model's choice.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

CHECKOUT = os.environ["CHECKOUT_ADMIN"]
OPERATIONS = os.environ["OPERATIONS"]
SYSTEM = "You are sre-agent. You keep the shop's services fast. You may scale them."
TASK = "p95 of checkout is above its objective of 100 ms. Bring it down."


@tool
def get_latency(service: str) -> str:
    """Get the 95th percentile of a service's answers."""
    return httpx.get(f"{CHECKOUT}/admin/latency", params={"service": service}).text


@tool
def get_status(service: str) -> str:
    """Get how many workers of a service are wanted, running and ready."""
    return httpx.get(f"{CHECKOUT}/admin/status", params={"service": service}).text


@tool
def get_maintenance_window(environment: str) -> str:
    """Get the maintenance window that is open in an environment, or the next one."""
    return httpx.get(f"{OPERATIONS}/maintenance", params={"environment": environment}).text


@tool
def get_connection_limit(database: str) -> str:
    """Get how many connections a database allows, and how many are used."""
    return httpx.get(f"{OPERATIONS}/connections", params={"database": database}).text


@tool
def scale_workers(service: str, workers: int) -> str:
    """Set the number of workers of a service."""
    body = {"service": service, "workers": workers}
    accepted = httpx.post(f"{CHECKOUT}/admin/scale", json=body).json()["workers"]
    return f"Accepted: {service} gets {accepted} workers."


def main() -> None:
    """Do the task once."""
    agent: Any = create_agent(  # pyright: ignore[reportUnknownVariableType]
        ChatOpenAI(model="gpt-demo"),
        tools=[
            get_latency,
            get_status,
            get_maintenance_window,
            get_connection_limit,
            scale_workers,
        ],
        system_prompt=SYSTEM,
        name="sre-agent",
    )
    task = {"messages": [{"role": "user", "content": TASK}]}
    for state in agent.stream(task, {"recursion_limit": 60}, stream_mode="values"):
        state["messages"][-1].pretty_print()


if __name__ == "__main__":
    main()
