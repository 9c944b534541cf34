"""A loop over streamed messages in asyncio."""

import asyncio
import sys

from anthropic import AsyncAnthropic
from operations import SCHEMAS, use

client = AsyncAnthropic()
tools = [{"name": n, "input_schema": s} for n, s in SCHEMAS.items()]


async def ask(messages):
    async with client.messages.stream(
        model="claude-sonnet-4-5", max_tokens=1000, messages=messages, tools=tools
    ) as stream:
        return await stream.get_final_message()


async def main(prompt):
    messages = [{"role": "user", "content": prompt}]
    while True:
        answer = await asyncio.create_task(ask(messages))
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return answer.content[-1].text
        results = [
            {"type": "tool_result", "tool_use_id": one.id, "content": use(one.name, one.input)}
            for one in calls
        ]
        messages.append({"role": "user", "content": results})


print(asyncio.run(main(sys.argv[1])))
