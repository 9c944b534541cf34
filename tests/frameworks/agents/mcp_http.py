"""A loop over chat completions with the tools of an MCP server, over streamable HTTP."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from openai import AsyncOpenAI

client = AsyncOpenAI()
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]


async def main(prompt):
    messages = [{"role": "user", "content": prompt}]
    async with (
        streamable_http_client(f"http://127.0.0.1:{port}/mcp") as (read, write, *_),
        ClientSession(read, write) as session,
    ):
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


place = Path(__file__).with_name("operations_server.py")
process = subprocess.Popen(
    [sys.executable, place, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
)
try:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    print(asyncio.run(main(sys.argv[1])))
finally:
    process.terminate()
    process.wait()
