"""The same with Converse's answers streamed."""

import json
import sys

import boto3
import operations

client = boto3.client("bedrock-runtime", region_name="us-east-1")
messages = [{"role": "user", "content": [{"text": sys.argv[1]}]}]
tools = [
    {"toolSpec": {"name": name, "inputSchema": {"json": schema}}}
    for name, schema in operations.SCHEMAS.items()
]


def ask():
    answer = client.converse_stream(
        modelId="us.anthropic.claude-sonnet-4-5-v1:0",
        messages=messages,
        toolConfig={"tools": tools},
    )
    calls, text = {}, ""
    for event in answer["stream"]:
        if "contentBlockStart" in event:
            begun = event["contentBlockStart"]
            calls[begun["contentBlockIndex"]] = {**begun["start"]["toolUse"], "input": ""}
        elif "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            text += delta.get("text", "")
            if "toolUse" in delta:
                call = calls[event["contentBlockDelta"]["contentBlockIndex"]]
                call["input"] += delta["toolUse"]["input"]
    for call in calls.values():
        call["input"] = json.loads(call["input"])
    return list(calls.values()), text


while True:
    calls, text = ask()
    if not calls:
        print(text)
        break
    messages.append({"role": "assistant", "content": [{"toolUse": call} for call in calls]})
    results = []
    for call in calls:
        content = [{"text": operations.use(call["name"], call["input"])}]
        results.append({"toolResult": {"toolUseId": call["toolUseId"], "content": content}})
    messages.append({"role": "user", "content": results})
