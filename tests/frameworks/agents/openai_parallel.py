"""A loop over chat completions that makes the calls of one answer at the same time."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI
from operations import SCHEMAS, use

client = OpenAI()
tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in SCHEMAS.items()]
messages = [{"role": "user", "content": sys.argv[1]}]


def make(call):
    result = use(call.function.name, json.loads(call.function.arguments))
    return {"role": "tool", "tool_call_id": call.id, "content": result}


with ThreadPoolExecutor() as pool:
    while True:
        answer = client.chat.completions.create(model="gpt-5", messages=messages, tools=tools)
        message = answer.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            break
        messages += pool.map(make, message.tool_calls)
print(message.content)
