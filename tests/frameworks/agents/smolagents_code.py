"""An agent of smolagents that acts by writing code, which calls its tools."""

import sys

import operations
from smolagents import CodeAgent, LogLevel, OpenAIServerModel, tool


@tool
def get_status(service: str) -> str:
    """Read the status of a service.

    Args:
        service: The service's name.
    """
    return operations.get_status(service)


@tool
def scale_workers(service: str, replicas: int) -> str:
    """Set the number of workers of a service.

    Args:
        service: The service's name.
        replicas: How many workers it is to have.
    """
    return operations.scale_workers(service, replicas)


agent = CodeAgent(
    name="ops_agent",
    description="It keeps services healthy.",
    model=OpenAIServerModel("gpt-5"),
    tools=[get_status, scale_workers],
    verbosity_level=LogLevel.OFF,
)
print(agent.run(sys.argv[1]))
