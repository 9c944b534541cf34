"""An MCP server with a tool for each way in which a call can go; the SDK's own server."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import (
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

server = MCPServer("cities")


class Name(BaseModel):
    name: str


def mark(text: str) -> None:
    """Leave a line for the test: what really ran."""
    with Path(sys.argv[1]).open("a") as file:
        file.write(f"{text}\n")


@server.tool()
async def get_weather(city: str) -> str:
    mark(f"get_weather {city}")
    return f"{city}: 21.5 °C, wind 1e3"


@server.tool()
async def delete_city(city: str) -> str:
    mark(f"delete_city {city}")
    return "gone"


@server.tool()
async def get_lost(city: str) -> str:
    raise RuntimeError(f"no road to {city!r}")


@server.tool()
async def get_structured(values: dict[str, Any]) -> dict[str, Any]:
    return {"values": values, "seen": True}


@server.tool()
async def get_steps(ctx: Context) -> str:
    for step in range(3):
        await ctx.report_progress(step, 3, f"step {step}")
    return "done"


@server.tool(structured_output=False)
async def get_name(ctx: Context) -> Any:
    if ctx.protocol_version is not None and ctx.protocol_version < "2026":
        found = await ctx.elicit("Who are you?", Name)
        return f"asked: {found.action}"
    if ctx.input_responses is None:
        wanted = ElicitRequestFormParams(
            message="Who are you?", requested_schema=Name.model_json_schema()
        )
        asked: dict[str, Any] = {"name": ElicitRequest(params=wanted)}
        return InputRequiredResult(input_requests=asked, request_state="round 1")
    return f"asked: {ctx.request_state}"


@server.tool()
async def get_sampled(ctx: Context) -> str:
    asked = SamplingMessage(role="user", content=TextContent(type="text", text="say hi"))
    sampling: Any = ctx.session  # deprecated, and still in use
    found = await sampling.create_message([asked], max_tokens=10)
    return str(found.content)


@server.tool()
async def get_trace(ctx: Context) -> str:
    meta: Any = ctx.request_context.meta or {}
    headers = {k: v for k, v in (ctx.headers or {}).items() if k.lower() == "traceparent"}
    return json.dumps({"meta": dict(meta).get("traceparent"), "headers": list(headers.values())})


@server.tool()
async def get_for_ever() -> str:
    mark("waiting")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        mark("cancelled")
        raise
    return "too late"


@server.resource("city://{name}")
def city(name: str) -> str:
    return f"about {name}"


if __name__ == "__main__":
    if len(sys.argv) > 2:
        kind = sys.argv[3] if len(sys.argv) > 3 else ""
        server.run(
            "streamable-http",
            port=int(sys.argv[2]),
            json_response="json" in kind,
            stateless_http="stateless" in kind,
        )
    else:
        server.run("stdio")
