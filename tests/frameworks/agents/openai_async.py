"""A loop over chat completions in asyncio."""

import asyncio
import json
import sys

from openai import AsyncOpenAI
from operations import SCHEMAS, use

client = AsyncOpenAI()
tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in SCHEMAS.items()]


async def ask(messages):
    answer = await client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
    return answer.choices[0].message


async def main(prompt):
    messages = [{"role": "user", "content": prompt}]
    while True:
        message = await asyncio.create_task(ask(messages))
        messages.append(message)
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            result = await asyncio.to_thread(use, call.function.name, arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


print(asyncio.run(main(sys.argv[1])))
