"""What the agents of these programs can do: read a status, and set a number of workers."""

import os
from pathlib import Path


def get_status(service: str) -> str:
    """Read the status of a service."""
    if service == "billing":
        raise ConnectionError("billing-db refused the connection")
    return f"{service}: degraded, narwhal saw 3 of 12 workers ready"


def scale_workers(service: str, replicas: int) -> str:
    """Set the number of workers of a service."""
    with Path(os.environ["EFFECTS"]).open("a") as file:
        file.write(f"{service}={replicas}\n")
    return f"{service} has {replicas} workers"


TOOLS = {"get_status": get_status, "scale_workers": scale_workers}
SCHEMAS = {
    "get_status": {
        "type": "object",
        "properties": {"service": {"type": "string"}},
        "required": ["service"],
    },
    "scale_workers": {
        "type": "object",
        "properties": {"service": {"type": "string"}, "replicas": {"type": "integer"}},
        "required": ["service", "replicas"],
    },
}


def use(name: str, arguments: dict) -> str:
    """Call a tool as a loop written by hand does: the model reads of a failure."""
    try:
        return TOOLS[name](**arguments)
    except Exception as error:
        return f"Error: {type(error).__name__}: {error}"
