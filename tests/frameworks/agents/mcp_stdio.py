"""A loop over chat completions with the tools of an MCP server, over stdio."""

import asyncio
import json
import os
import sys
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from openai import AsyncOpenAI

client = AsyncOpenAI()
server = StdioServerParameters(
    command=sys.executable,
    args=[str(Path(__file__).with_name("operations_server.py"))],
    env=dict(os.environ),
)


async def main(prompt):
    messages = [{"role": "user", "content": prompt}]
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        offered = (await session.list_tools()).tools
        tools = [
            {"type": "function", "function": {"name": one.name, "parameters": one.input_schema}}
            for one in offered
        ]
        while True:
            answer = await client.chat.completions.create(
                model="gpt-5", messages=messages, tools=tools
            )
            message = answer.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                return message.content
            for call in message.tool_calls:
                arguments = json.loads(call.function.arguments)
                result = await session.call_tool(call.function.name, arguments)
                messages.append(
                    {"role": "tool", "tool_call_id": call.id, "content": result.content[0].text}
                )


print(asyncio.run(main(sys.argv[1])))
