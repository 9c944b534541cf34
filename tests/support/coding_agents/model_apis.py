"""Requests and answers of five model APIs: Anthropic's, OpenAI's two, Gemini's and Bedrock's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from tests.support.coding_agents import bedrock_api

MODEL = "scripted-1"
SENT, RETURNED = 900, 40  # tokens of each inference
CACHED, REASONED = 300, 5  # of those: read from a cache, and of reasoning


class Asked(NamedTuple):
    """One request: how far its task is, and what may be called."""

    api: str
    prompt: str  # the first message of the user
    results: int  # tool results that it carries
    tools: Any  # name → JSON schema of the arguments
    streams: bool
    model: str
    body: Any


Call = tuple[str, dict[str, Any]]


class Answer(NamedTuple):
    """What the model answers: calls, or a text where there are none, after a thought."""

    calls: Sequence[Call] = ()
    text: str = ""
    thought: str = ""  # "": it does not reason, and has cached nothing


def asked_of(path: str, body: Any) -> Asked | None:
    """A request as it was meant; None for a path of none of the five."""
    path, _, query = path.partition("?")
    given: Any
    tools: Any
    model = str(body.get("model") or path.rpartition("/")[2].partition(":")[0])
    streams = bool(body.get("stream"))
    if path.endswith("/messages"):
        given = body["messages"]
        parts = [part for message in given for part in parts_of(message)]
        results = sum(part.get("type") == "tool_result" for part in parts)
        tools = {tool["name"]: part_of(tool, "input_schema", {}) for tool in tools_of(body)}
        return Asked("messages", text_of(given), results, tools, streams, model, body)
    if path.endswith("/chat/completions"):
        given = body["messages"]
        results = sum(message.get("role") == "tool" for message in given)
        functions = [tool["function"] for tool in tools_of(body) if "function" in tool]
        tools = {one["name"]: part_of(one, "parameters", {}) for one in functions}
        return Asked("chat", text_of(given), results, tools, streams, model, body)
    if path.endswith("/responses"):
        given = body["input"] if isinstance(body["input"], list) else []
        results = sum(str(item.get("type")).endswith("call_output") for item in given)
        groups = [part_of(tool, "tools", [tool]) for tool in tools_of(body)]
        named = [tool for group in groups for tool in group if "name" in tool]
        tools = {tool["name"]: part_of(tool, "parameters", {}) for tool in named}
        prompt = body["input"] if isinstance(body["input"], str) else text_of(given)
        return Asked("responses", prompt, results, tools, streams, model, body)
    if path.endswith((":streamGenerateContent", ":generateContent")):
        given = body["contents"]
        parts = [part for content in given for part in parts_of(content)]
        results = sum("functionResponse" in part for part in parts)
        declared = [d for t in tools_of(body) for d in part_of(t, "functionDeclarations", [])]
        spelled = ("parametersJsonSchema", "parameters_json_schema")
        tools = {
            d["name"]: next((d[k] for k in spelled if k in d), dict[str, Any]()) for d in declared
        }
        streams = "alt=sse" in query
        return Asked("gemini", text_of(given), results, tools, streams, model, body)
    if path.endswith(("/converse", "/converse-stream")):
        given = body["messages"]
        results = sum("toolResult" in part for message in given for part in parts_of(message))
        specs = [one["toolSpec"] for one in part_of(body, "toolConfig", {}).get("tools", [])]
        tools = {one["name"]: one["inputSchema"]["json"] for one in specs}
        streams = path.endswith("-stream")
        return Asked(
            "bedrock", text_of(given), results, tools, streams, bedrock_api.model_of(path), body
        )
    return None


def part_of(given: Any, key: str, default: Any) -> Any:
    return given.get(key) or default


def tools_of(body: Any) -> Any:
    return part_of(body, "tools", [])


def parts_of(message: Any) -> Any:
    content: Any = message.get("content") or message.get("parts")
    return cast("Any", content) if isinstance(content, list) else []


def text_of(messages: Any) -> str:
    """What the user wrote in all."""
    texts: list[str] = []
    for message in messages:
        if message.get("role") == "user":
            if isinstance(message.get("content"), str):
                texts.append(message["content"])
            texts += [str(part["text"]) for part in parts_of(message) if "text" in part]
    return "\n".join(texts)


def answer_of(asked: Asked, answer: Answer, number: int) -> bytes:
    """The whole body of an answer. `number`: what makes its ids."""
    made = {
        "messages": messages,
        "chat": chat,
        "responses": responses,
        "gemini": gemini,
        "bedrock": bedrock,
    }
    return made[asked.api](asked, answer, number)


def events(given: Any) -> bytes:
    return "".join(f"event: {name}\ndata: {json.dumps(one)}\n\n" for name, one in given).encode()


def messages(asked: Asked, answer: Answer, number: int) -> bytes:
    usage: Any = {"input_tokens": SENT, "output_tokens": RETURNED}
    blocks: list[Any] = [{"type": "text", "text": answer.text}]
    if answer.calls:
        blocks = [
            {"type": "tool_use", "id": f"toolu_{number:08d}_{place}", "name": name, "input": given}
            for place, (name, given) in enumerate(answer.calls)
        ]
    if answer.thought:
        usage["cache_read_input_tokens"] = CACHED
        blocks.insert(0, {"type": "thinking", "thinking": answer.thought, "signature": "c2lnbg=="})
    whole: dict[str, Any] = {
        "id": f"msg_{number:08d}", "type": "message", "role": "assistant", "model": asked.model,
        "content": blocks, "stop_reason": "tool_use" if answer.calls else "end_turn",
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not asked.streams:
        return json.dumps(whole).encode()
    empty: Any = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    stop: Any = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    given: list[Any] = [{"type": "message_start", "message": empty}]
    for place, block in enumerate(blocks):
        given += block_events(place, block)
    given += [
        {"type": "message_delta", "delta": stop, "usage": usage},
        {"type": "message_stop"},
    ]
    return events((one["type"], one) for one in given)


def block_events(place: int, block: Any) -> list[Any]:
    """One block of a streamed message."""
    begun: Any = {**block, "text": ""}
    deltas: list[Any] = [{"type": "text_delta", "text": block.get("text")}]
    if block["type"] == "tool_use":
        begun = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    elif block["type"] == "thinking":
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [
            {"type": "thinking_delta", "thinking": block["thinking"]},
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    return [
        {"type": "content_block_start", "index": place, "content_block": begun},
        *({"type": "content_block_delta", "index": place, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": place},
    ]


def chat(asked: Asked, answer: Answer, number: int) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.calls:
        calls: Any = [
            {"index": place, "id": f"call_{number:08d}_{place}", "type": "function",
             "function": {"name": name, "arguments": json.dumps(given)}}
            for place, (name, given) in enumerate(answer.calls)
        ]  # fmt: skip
        message = {"role": "assistant", "content": None, "tool_calls": calls}
    reason = "tool_calls" if answer.calls else "stop"
    head: Any = {"id": f"chatcmpl-{number:08d}", "created": 1_760_000_000, "model": asked.model}
    usage: Any = {
        "prompt_tokens": SENT,
        "completion_tokens": RETURNED,
        "total_tokens": SENT + RETURNED,
    }
    if answer.thought:
        message["reasoning_content"] = answer.thought
        usage["prompt_tokens_details"] = {"cached_tokens": CACHED}
        usage["completion_tokens_details"] = {"reasoning_tokens": REASONED}
    if not asked.streams:
        choice: Any = {"index": 0, "message": message, "finish_reason": reason}
        whole: Any = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        return json.dumps(whole).encode()
    head["object"] = "chat.completion.chunk"
    given: list[Any] = [
        {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
    ]
    if part_of(asked.body, "stream_options", {}).get("include_usage"):
        given.append({**head, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(one)}\n\n" for one in given]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def responses(asked: Asked, answer: Answer, number: int) -> bytes:
    content: Any = [{"type": "output_text", "text": answer.text, "annotations": []}]
    items: list[Any] = [
        {"type": "message", "id": f"msg_{number:08d}", "role": "assistant", "status": "completed",
         "content": content}
    ]  # fmt: skip
    if answer.calls:
        items = [
            {"type": "function_call", "id": f"fc_{number:08d}_{place}",
             "call_id": f"call_{number:08d}_{place}", "name": name,
             "arguments": json.dumps(given), "status": "completed"}
            for place, (name, given) in enumerate(answer.calls)
        ]  # fmt: skip
    if answer.thought:
        summary = [{"type": "summary_text", "text": answer.thought}]
        items.insert(0, {"type": "reasoning", "id": f"rs_{number:08d}", "summary": summary})
    usage: Any = {
        "input_tokens": SENT,
        "input_tokens_details": {"cached_tokens": CACHED if answer.thought else 0},
        "output_tokens": RETURNED,
        "output_tokens_details": {"reasoning_tokens": REASONED if answer.thought else 0},
        "total_tokens": SENT + RETURNED,
    }
    whole: dict[str, Any] = {
        "id": f"resp_{number:08d}", "object": "response", "created_at": 1_760_000_000,
        "status": "completed", "model": asked.model, "output": items, "usage": usage,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None,
    }  # fmt: skip
    if not asked.streams:
        return json.dumps(whole).encode()
    begun: Any = {**whole, "status": "in_progress", "output": [], "usage": None}
    given: list[Any] = [{"type": "response.created", "response": begun}]
    for place, item in enumerate(items):
        given += [
            {"type": "response.output_item.added", "output_index": place, "item": item},
            {"type": "response.output_item.done", "output_index": place, "item": item},
        ]
    given.append({"type": "response.completed", "response": whole})
    return events((one["type"], {**one, "sequence_number": n}) for n, one in enumerate(given))


def gemini(asked: Asked, answer: Answer, number: int) -> bytes:
    wants_json = part_of(part_of(asked.body, "generationConfig", {}), "responseJsonSchema", None)
    parts: list[Any] = [{"text": "{}" if wants_json else answer.text}]
    if answer.calls:
        parts = [
            {"functionCall": {"name": name, "args": given, "id": f"call_{number:08d}_{place}"}}
            for place, (name, given) in enumerate(answer.calls)
        ]
    usage: Any = {
        "promptTokenCount": SENT,
        "candidatesTokenCount": RETURNED,
        "totalTokenCount": SENT + RETURNED,
    }
    if answer.thought:
        parts.insert(0, {"text": answer.thought, "thought": True})
        usage |= {"cachedContentTokenCount": CACHED, "thoughtsTokenCount": REASONED}
    candidate: Any = {
        "content": {"role": "model", "parts": parts},
        "finishReason": "STOP",
        "index": 0,
    }
    whole: Any = {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": asked.model,
        "responseId": f"r{number:08d}",
    }
    text_body = json.dumps(whole)
    return (f"data: {text_body}\n\n" if asked.streams else text_body).encode()


def bedrock(asked: Asked, answer: Answer, number: int) -> bytes:
    usage = {"inputTokens": SENT, "outputTokens": RETURNED, "totalTokens": SENT + RETURNED}
    if answer.thought:
        usage |= {"cacheReadInputTokens": CACHED, "totalTokens": SENT + CACHED + RETURNED}
    body = bedrock_api.whole(answer, usage, number)
    return bedrock_api.streamed(body) if asked.streams else json.dumps(body).encode()


def content_type(asked: Asked) -> str:
    """What the body of an answer is."""
    if not asked.streams:
        return "application/json"
    is_binary = asked.api == "bedrock"
    return "application/vnd.amazon.eventstream" if is_binary else "text/event-stream"
