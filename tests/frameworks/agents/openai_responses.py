"""A loop over the Responses API that sends the whole history."""

import json
import sys

from openai import OpenAI
from operations import SCHEMAS, use

client = OpenAI()
tools = [{"type": "function", "name": n, "parameters": s} for n, s in SCHEMAS.items()]
history = [{"role": "user", "content": sys.argv[1]}]
while True:
    answer = client.responses.create(model="gpt-5", input=history, tools=tools)
    history += answer.output
    calls = [item for item in answer.output if item.type == "function_call"]
    if not calls:
        break
    for call in calls:
        result = use(call.name, json.loads(call.arguments))
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
print(answer.output_text)
