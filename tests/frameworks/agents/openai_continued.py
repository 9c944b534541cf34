"""A loop over the Responses API that continues the answer before."""

import json
import sys

from openai import OpenAI
from operations import SCHEMAS, use

client = OpenAI()
tools = [{"type": "function", "name": n, "parameters": s} for n, s in SCHEMAS.items()]
answer = client.responses.create(model="gpt-5", input=sys.argv[1], tools=tools)
while True:
    calls = [item for item in answer.output if item.type == "function_call"]
    if not calls:
        break
    results = [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": use(call.name, json.loads(call.arguments)),
        }
        for call in calls
    ]
    answer = client.responses.create(
        model="gpt-5", input=results, tools=tools, previous_response_id=answer.id
    )
print(answer.output_text)
