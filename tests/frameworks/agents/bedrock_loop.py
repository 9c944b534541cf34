"""A loop over Amazon Bedrock's Converse, written by hand."""

import sys

import boto3
import operations

client = boto3.client("bedrock-runtime", region_name="us-east-1")
messages = [{"role": "user", "content": [{"text": sys.argv[1]}]}]
tools = [
    {
        "toolSpec": {
            "name": name,
            "description": operations.TOOLS[name].__doc__,
            "inputSchema": {"json": schema},
        }
    }
    for name, schema in operations.SCHEMAS.items()
]

while True:
    answer = client.converse(
        modelId="us.anthropic.claude-sonnet-4-5-v1:0",
        system=[{"text": "You keep services healthy."}],
        messages=messages,
        toolConfig={"tools": tools},
    )
    message = answer["output"]["message"]
    messages.append(message)
    calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    if not calls:
        print(message["content"][-1]["text"])
        break
    results = []
    for call in calls:
        content = [{"text": operations.use(call["name"], call["input"])}]
        results.append({"toolResult": {"toolUseId": call["toolUseId"], "content": content}})
    messages.append({"role": "user", "content": results})
