"""Amazon Bedrock's Converse, whole and as a binary event stream: requests and answers."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from tests.support.coding_agents.model_apis import Answer

STRING = 7  # the type of a header's value


def model_of(path: str) -> str:
    """The model in `/model/MODEL/converse`."""
    return unquote(path.split("/")[2])


def whole(answer: Answer, usage: Any, number: int) -> Any:
    """The body of an answer."""
    content: list[Any] = [{"text": answer.text}]
    if answer.calls:
        content = [
            {
                "toolUse": {
                    "toolUseId": f"tooluse_{number:08d}_{place}",
                    "name": name,
                    "input": given,
                }
            }
            for place, (name, given) in enumerate(answer.calls)
        ]
    if answer.thought:
        thought = {"text": answer.thought, "signature": "c2lnbg=="}
        content.insert(0, {"reasoningContent": {"reasoningText": thought}})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if answer.calls else "end_turn",
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }


def streamed(body: Any) -> bytes:
    """The same as the events of a stream."""
    return b"".join(framed(name, event) for name, event in events_of(body))


def events_of(body: Any) -> Iterator[tuple[str, Any]]:
    message = body["output"]["message"]
    yield "messageStart", {"role": message["role"]}
    for place, block in enumerate(message["content"]):
        at = {"contentBlockIndex": place}
        if (call := block.get("toolUse")) is not None:
            start = {key: call[key] for key in ("toolUseId", "name")}
            yield "contentBlockStart", {**at, "start": {"toolUse": start}}
            written = json.dumps(call["input"])
            for piece in (written[:7], written[7:]):
                yield "contentBlockDelta", {**at, "delta": {"toolUse": {"input": piece}}}
        elif (thought := block.get("reasoningContent")) is not None:
            for key, text in thought["reasoningText"].items():
                yield "contentBlockDelta", {**at, "delta": {"reasoningContent": {key: text}}}
        else:
            yield "contentBlockDelta", {**at, "delta": {"text": block["text"]}}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": body["stopReason"]}
    yield "metadata", {"usage": body["usage"], "metrics": body["metrics"]}


def framed(name: str, event: Any) -> bytes:
    """One event as Amazon frames it: two lengths, headers and payload, each part checked."""
    given = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack(f">B{len(key)}sBH{len(value)}s", len(key), key.encode(), STRING, len(value),
                    value.encode())
        for key, value in given.items()
    )  # fmt: skip
    payload = json.dumps(event).encode()
    lengths = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))
