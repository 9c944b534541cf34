# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""An agent without a framework: the OpenAI SDK in a while loop, tools under the decorator."""

import json
import os

from openai import OpenAI
from opentelemetry import trace

import aftershock


@aftershock.tool(
    risk="provision",
    target=lambda service, **_: {"service.name": service},
    requires={"fact": "maintenance_window", "subject": "{service}", "max_age": "15m"},
)
def scale(service: str, replicas: int) -> str:
    """Scale a service."""
    return f"{service} has {replicas} replicas"


client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
messages: list = [{"role": "user", "content": "checkout is slow"}]
aftershock.saw("maintenance_window", "prod", source="calendar", value={"from": "22:00"})
while True:
    reply = client.chat.completions.create(model="gpt-demo", messages=messages).choices[0].message
    messages.append(reply)
    if not reply.tool_calls:
        break
    for asked in reply.tool_calls:
        with aftershock.decision("scale checkout?", because="p95 is high, says a@b.io") as choice:
            choice.chose("scale", over=["restart"])
        result = scale(**json.loads(asked.function.arguments))
        messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})
print(reply.content)
print(trace.get_current_span().get_span_context().is_valid)
client.chat.completions.create(model="gpt-demo", messages=[{"role": "user", "content": "next"}])
