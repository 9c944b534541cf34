"""Requests and answers of four model APIs: Anthropic messages, OpenAI chat and responses, Gemini."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

MODEL = "scripted-1"
SENT, RETURNED = 900, 40  # tokens of each inference


class Asked(NamedTuple):
    """One request: how far its task is, and what may be called."""

    api: str
    prompt: str  # the first message of the user
    results: int  # tool results that it carries
    tools: Any  # name → JSON schema of the arguments
    streams: bool
    model: str
    body: Any


Call = tuple[str, dict[str, Any]] | None


def asked_of(path: str, body: Any) -> Asked | None:
    """A request as it was meant; None for a path of none of the four."""
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
        return Asked("responses", text_of(given), results, tools, streams, model, body)
    if path.endswith((":streamGenerateContent", ":generateContent")):
        given = body["contents"]
        parts = [part for content in given for part in parts_of(content)]
        results = sum("functionResponse" in part for part in parts)
        declared = [d for t in tools_of(body) for d in part_of(t, "functionDeclarations", [])]
        tools = {d["name"]: part_of(d, "parametersJsonSchema", {}) for d in declared}
        streams = "alt=sse" in query
        return Asked("gemini", text_of(given), results, tools, streams, model, body)
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


def answer_of(asked: Asked, call: Call, text: str, number: int) -> bytes:
    """The whole body of an answer: a call, or a text."""
    made = {"messages": messages, "chat": chat, "responses": responses, "gemini": gemini}
    return made[asked.api](asked, call, text, number)


def events(given: Any) -> bytes:
    return "".join(f"event: {name}\ndata: {json.dumps(one)}\n\n" for name, one in given).encode()


def messages(asked: Asked, call: Call, text: str, number: int) -> bytes:
    usage: Any = {"input_tokens": SENT, "output_tokens": RETURNED}
    block: dict[str, Any] = {"type": "text", "text": text}
    if call is not None:
        block = {"type": "tool_use", "id": f"toolu_{number:08d}", "name": call[0], "input": call[1]}
    whole: dict[str, Any] = {
        "id": f"msg_{number:08d}", "type": "message", "role": "assistant", "model": asked.model,
        "content": [block], "stop_reason": "end_turn" if call is None else "tool_use",
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not asked.streams:
        return json.dumps(whole).encode()
    begun: Any = {**block, "text": ""} if call is None else {**block, "input": {}}
    delta: Any = {"type": "text_delta", "text": text}
    if call is not None:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
    stop: Any = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    empty: Any = {
        **whole,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    given: list[Any] = [
        {"type": "message_start", "message": empty},
        {"type": "content_block_start", "index": 0, "content_block": begun},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": stop, "usage": usage},
        {"type": "message_stop"},
    ]
    return events((one["type"], one) for one in given)


def chat(asked: Asked, call: Call, text: str, number: int) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if call is not None:
        function: Any = {"name": call[0], "arguments": json.dumps(call[1])}
        calls: Any = [
            {"index": 0, "id": f"call_{number:08d}", "type": "function", "function": function}
        ]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
    reason = "stop" if call is None else "tool_calls"
    head: Any = {"id": f"chatcmpl-{number:08d}", "created": 1_760_000_000, "model": asked.model}
    usage: Any = {
        "prompt_tokens": SENT,
        "completion_tokens": RETURNED,
        "total_tokens": SENT + RETURNED,
    }
    if not asked.streams:
        choice: Any = {"index": 0, "message": message, "finish_reason": reason}
        whole: Any = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        return json.dumps(whole).encode()
    head["object"] = "chat.completion.chunk"
    given: list[Any] = [
        {**head, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {**head, "choices": [], "usage": usage},
    ]
    lines = [f"data: {json.dumps(one)}\n\n" for one in given]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def responses(asked: Asked, call: Call, text: str, number: int) -> bytes:
    content: Any = [{"type": "output_text", "text": text, "annotations": []}]
    item: dict[str, Any] = {
        "type": "message", "id": f"item_{number:08d}", "role": "assistant", "status": "completed",
        "content": content,
    }  # fmt: skip
    if call is not None:
        item = {
            "type": "function_call", "id": f"item_{number:08d}", "call_id": f"call_{number:08d}",
            "name": call[0], "arguments": json.dumps(call[1]), "status": "completed",
        }  # fmt: skip
    usage: Any = {
        "input_tokens": SENT, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": RETURNED, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": SENT + RETURNED,
    }  # fmt: skip
    whole: dict[str, Any] = {
        "id": f"resp_{number:08d}", "object": "response", "created_at": 1_760_000_000,
        "status": "completed", "model": asked.model, "output": [item], "usage": usage,
    }  # fmt: skip
    if not asked.streams:
        return json.dumps(whole).encode()
    begun: Any = {**whole, "status": "in_progress", "output": [], "usage": None}
    given: list[Any] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return events((one["type"], {**one, "sequence_number": n}) for n, one in enumerate(given))


def gemini(asked: Asked, call: Call, text: str, number: int) -> bytes:
    wants_json = part_of(part_of(asked.body, "generationConfig", {}), "responseJsonSchema", None)
    part: dict[str, Any] = {"text": "{}" if wants_json else text}
    if call is not None:
        named: Any = {"name": call[0], "args": call[1], "id": f"call_{number:08d}"}
        part = {"functionCall": named}
    candidate: Any = {
        "content": {"role": "model", "parts": [part]},
        "finishReason": "STOP",
        "index": 0,
    }
    usage: Any = {
        "promptTokenCount": SENT,
        "candidatesTokenCount": RETURNED,
        "totalTokenCount": SENT + RETURNED,
    }
    whole: Any = {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": asked.model,
        "responseId": f"r{number:08d}",
    }
    text_body = json.dumps(whole)
    return (f"data: {text_body}\n\n" if asked.streams else text_body).encode()
