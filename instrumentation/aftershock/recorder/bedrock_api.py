"""Amazon Bedrock's Converse, as its client takes requests and returns answers."""

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

STREAM = "ConverseStream"


def converse_request(api: Api, operation: str, body: Any) -> Request:
    """A request of one of the two operations: the whole answer, or a stream of events."""
    messages: list[Any] = [
        InputMessage(one["role"], [part for block in one["content"] for part in block_parts(block)])
        for one in body["messages"]
    ]
    instructions = texts(body.get("system"))
    return Request(api, str(body["modelId"]), operation == STREAM, messages, instructions)


def block_parts(block: Any) -> list[Any]:
    """One block of a message; none of documents, pictures and marks of a cache."""
    if (call := block.get("toolUse")) is not None:
        return [ToolCallRequestPart(call.get("input"), call["name"], call["toolUseId"])]
    if (result := block.get("toolResult")) is not None:
        return [ToolCallResponsePart(result_of(result["content"]), result["toolUseId"])]
    if (thought := block.get("reasoningContent")) is not None:
        return [ReasoningPart(str(section(thought, "reasoningText").get("text") or ""))]
    return [TextPart(block["text"])] if isinstance(block.get("text"), str) else []


def result_of(content: Any) -> Any:
    """What a tool returned: an object where it is one, else its texts."""
    objects = [block["json"] for block in as_list(content) if "json" in block]
    return objects[0] if objects else text_of(content)


def converse_answer(_request: Request, body: Any) -> Answer:
    """A message of the model. Tokens from a cache are counted as sent, as in the other APIs."""
    usage = section(body, "usage")
    cached, written = usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")
    fresh = usage.get("inputTokens")
    message = section(section(body, "output"), "message")
    return Answer(
        [part for block in as_list(message.get("content")) for part in block_parts(block)],
        section(body, "ResponseMetadata").get("RequestId"),
        None,
        (str(body["stopReason"]),) if body.get("stopReason") else (),
        None if fresh is None else fresh + (cached or 0) + (written or 0),
        usage.get("outputTokens"),
        cached,
        written,
    )


def converse_joined(events: Iterable[Any]) -> Any:
    """The events of a streamed answer."""
    whole: dict[str, Any] = {}
    blocks: dict[int, Any] = {}
    for event in events:
        if (begun := event.get("contentBlockStart")) is not None:
            blocks[begun["contentBlockIndex"]] = dict(begun["start"])
        elif (piece := event.get("contentBlockDelta")) is not None:
            add_delta(blocks.setdefault(piece["contentBlockIndex"], {}), piece["delta"])
        elif (stop := event.get("messageStop")) is not None:
            whole["stopReason"] = stop.get("stopReason")
        elif (metadata := event.get("metadata")) is not None:
            whole["usage"] = metadata.get("usage")
    for block in blocks.values():
        if (call := block.get("toolUse")) is not None:
            call["input"] = arguments_of(call.get("input", ""))
    return whole | {"output": {"message": {"content": list(blocks.values())}}}


def add_delta(block: Any, delta: Any) -> None:
    """Add what one event of a stream adds to a block."""
    if isinstance(delta.get("text"), str):
        block["text"] = block.get("text", "") + delta["text"]
    elif (call := delta.get("toolUse")) is not None:
        begun = section(block, "toolUse")
        block["toolUse"] = {**begun, "input": begun.get("input", "") + call["input"]}
    elif (thought := delta.get("reasoningContent")) is not None:
        known = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
        known["text"] = known.get("text", "") + (thought.get("text") or "")


CONVERSE = Api("aws.bedrock", "chat", converse_request, converse_answer, converse_joined)
