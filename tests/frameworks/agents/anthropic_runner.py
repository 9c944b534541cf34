"""Anthropic's own loop over tools."""

import sys

import operations
from anthropic import Anthropic, beta_tool


@beta_tool
def get_status(service: str) -> str:
    """Read the status of a service."""
    return operations.get_status(service)


@beta_tool
def scale_workers(service: str, replicas: int) -> str:
    """Set the number of workers of a service."""
    return operations.scale_workers(service, replicas)


runner = Anthropic().beta.messages.tool_runner(
    model="claude-sonnet-4-5",
    max_tokens=1000,
    tools=[get_status, scale_workers],
    messages=[{"role": "user", "content": sys.argv[1]}],
)
print(runner.until_done().content[-1].text)
