"""A loop over LiteLLM, with a model of Anthropic."""

import json
import sys

import litellm
from operations import SCHEMAS, use

tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in SCHEMAS.items()]
messages = [{"role": "user", "content": sys.argv[1]}]
while True:
    answer = litellm.completion(model="anthropic/claude-sonnet-4-5", messages=messages, tools=tools)
    message = answer.choices[0].message
    messages.append(message)
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        result = use(call.function.name, json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
print(message.content)
