"""A loop over Anthropic's messages."""

import sys

from anthropic import Anthropic
from operations import SCHEMAS, use

client = Anthropic()
tools = [{"name": n, "input_schema": s} for n, s in SCHEMAS.items()]
messages = [{"role": "user", "content": sys.argv[1]}]
while True:
    answer = client.messages.create(
        model="claude-sonnet-4-5", max_tokens=1000, messages=messages, tools=tools
    )
    messages.append({"role": "assistant", "content": answer.content})
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": use(block.name, block.input)}
        for block in answer.content
        if block.type == "tool_use"
    ]
    if not results:
        break
    messages.append({"role": "user", "content": results})
print(answer.content[-1].text)
