"""Anthropic's messages, wherever they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.util.genai.types import (
    InputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
)

from aftershock.recorder.model_apis import (
    Answer,
    Api,
    Request,
    arguments_of,
    as_list,
    section,
    text_of,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def messages_request(api: Api, _path: str, body: Any) -> Request:
    """A request for a message."""
    messages = [
        InputMessage(one["role"], [part for block in blocks_of(one) for part in block_parts(block)])
        for one in body["messages"]
    ]
    instructions = texts(body.get("system"))
    return Request(api, str(body["model"]), bool(body.get("stream")), messages, instructions)


def blocks_of(message: Any) -> list[Any]:
    """The blocks of a message, which may be one text."""
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else as_list(content)


def block_parts(block: Any) -> list[Any]:
    """One block of a message."""
    kind = block.get("type")
    if kind == "tool_use":
        return [ToolCallRequestPart(block.get("input"), block["name"], block.get("id"))]
    if kind == "tool_result":
        return [ToolCallResponsePart(text_of(block.get("content")), block.get("tool_use_id"))]
    if kind == "thinking":
        return [ReasoningPart(str(block.get("thinking") or ""))]
    return [TextPart(block["text"])] if isinstance(block.get("text"), str) else []


def messages_answer(_request: Request, body: Any) -> Answer:
    """A message of the model. Tokens from a cache are counted as sent, as in the other APIs."""
    usage = section(body, "usage")
    cached, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    fresh = usage.get("input_tokens")
    return Answer(
        [part for block in as_list(body["content"]) for part in block_parts(block)],
        body.get("id"),
        body.get("model"),
        (str(body["stop_reason"]),) if body.get("stop_reason") else (),
        None if fresh is None else fresh + (cached or 0) + (written or 0),
        usage.get("output_tokens"),
        cached,
        written,
    )


def messages_joined(events: Iterable[Any]) -> Any:
    """The events of a streamed message."""
    whole: dict[str, Any] = {}
    blocks: dict[int, Any] = {}
    for event in events:
        kind = event.get("type")
        if kind == "message_start":
            whole = {**event["message"], "usage": section(event["message"], "usage")}
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"])
        elif kind == "content_block_delta":
            add_delta(blocks[event["index"]], event["delta"])
        elif kind == "message_delta":
            whole |= event["delta"]
            counted = {k: v for k, v in section(event, "usage").items() if v is not None}
            whole["usage"] = {**whole["usage"], **counted}
    for block in blocks.values():
        if "written" in block:
            block["input"] = arguments_of(block.pop("written"))
    return whole | {"content": list(blocks.values())}


def add_delta(block: Any, delta: Any) -> None:
    """Add what one event of a stream adds to a block."""
    for key in ("text", "thinking"):
        if isinstance(delta.get(key), str):
            block[key] = (block.get(key) or "") + delta[key]
    if "partial_json" in delta:
        block["written"] = block.get("written", "") + delta["partial_json"]


MESSAGES = Api("anthropic", "chat", messages_request, messages_answer, messages_joined)
