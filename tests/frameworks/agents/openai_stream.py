"""A loop over streamed chat completions."""

import json
import sys

from openai import OpenAI
from operations import SCHEMAS, use

client = OpenAI()
tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in SCHEMAS.items()]
messages = [{"role": "user", "content": sys.argv[1]}]
while True:
    text, calls = "", {}
    stream = client.chat.completions.create(
        model="gpt-5",
        messages=messages,
        tools=tools,
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                call = calls.setdefault(part.index, {"id": part.id, "name": "", "arguments": ""})
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""
    if not calls:
        break
    asked = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": call["arguments"]},
        }
        for call in calls.values()
    ]
    messages.append({"role": "assistant", "content": text or None, "tool_calls": asked})
    for call in calls.values():
        result = use(call["name"], json.loads(call["arguments"]))
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
print(text)
