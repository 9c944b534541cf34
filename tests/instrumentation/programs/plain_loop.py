# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A loop over the OpenAI SDK and nothing else: no framework, no decorator, no line of ours."""

import json
import os

from openai import OpenAI


def get_status(service: str) -> str:
    """Say how a service is doing."""
    return f"Error: {service} timed out" if service == "payments" else f"{service} is up"


client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
messages: list = [{"role": "user", "content": "checkout is slow"}]
while True:
    reply = client.chat.completions.create(model="gpt-demo", messages=messages).choices[0].message
    messages.append(reply)
    if not reply.tool_calls:
        break
    for call in reply.tool_calls:
        result = get_status(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
print(reply.content)
