"""The agent that tunes the catalog's cache: OpenAI's SDK, its own tool loop, `@aftershock.tool`."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import httpx
from openai import OpenAI

import aftershock

CATALOG = os.environ["CATALOG_ADMIN"]
SYSTEM = "You are catalog-agent. You tune the catalog's page cache."
TASK = "Product data now changes only once an hour. Adjust the cache."


@aftershock.tool
def get_cache_settings(service: str) -> str:
    """Get the cache settings of a service."""
    return httpx.get(f"{CATALOG}/admin/cache", params={"service": service}).text


@aftershock.tool
def set_cache_ttl(service: str, ttl_s: int) -> str:
    """Set how long a service keeps a rendered page."""
    return httpx.post(f"{CATALOG}/admin/cache", json={"service": service, "ttl_s": ttl_s}).text


TOOLS = {"get_cache_settings": get_cache_settings, "set_cache_ttl": set_cache_ttl}
SCHEMAS: Any = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": function.__doc__,
            "parameters": {"type": "object", "additionalProperties": True},
        },
    }
    for name, function in TOOLS.items()
]


def main() -> None:
    """Do the task once: ask, call the tools, ask again, until the model has an answer."""
    model = OpenAI()
    messages: list[Any] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": TASK},
    ]
    with aftershock.run(agent="catalog-agent", goal=TASK):
        while True:
            completion = model.chat.completions.create(
                model="gpt-demo", messages=messages, tools=SCHEMAS
            )
            message = completion.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                sys.stdout.write(f"{message.content}\n")
                return
            for asked in message.tool_calls:
                assert asked.type == "function"
                arguments = json.loads(asked.function.arguments)
                result = TOOLS[asked.function.name](**arguments)
                messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})


if __name__ == "__main__":
    main()
