"""Replies of a scripted model, and their form on OpenAI's wire (pure: no clock, no socket)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb: usage only needs to grow with the text
PIECE_CHARS = 12  # of streamed text: several pieces even for a short sentence


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call that the model asks for; its id is made from the place where it is asked."""

    name: str
    arguments: Mapping[str, Any] | str  # a str goes out as it is, valid JSON or not


@dataclass(frozen=True, slots=True)
class Reply:
    """The next assistant message, or (status >= 400) the error that is answered instead."""

    content: str = ""
    calls: tuple[ToolCall, ...] = ()
    status: int = 200
    delay_s: float = 0.0  # time that the model "thinks"
    retry_after_s: float | None = None
    input_tokens: int | None = None  # None: estimated from the text
    output_tokens: int | None = None


def text_reply(content: str, *, delay_s: float = 0.0) -> Reply:
    """A final answer."""
    return Reply(content=content, delay_s=delay_s)


def call(name: str, /, **arguments: Any) -> Reply:
    """One tool call."""
    return Reply(calls=(ToolCall(name, arguments),))


def call_all(*calls: ToolCall) -> Reply:
    """Parallel tool calls."""
    return Reply(calls=calls)


def fail(status: int, message: str = "scripted failure", retry_after_s: float = 0.01) -> Reply:
    """An HTTP error, such as 429 or 500."""
    return Reply(content=message, status=status, retry_after_s=retry_after_s)


def text_of(content: Any) -> str:
    """The plain text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    parts: list[Mapping[str, Any]] = content or []
    return "".join(str(part.get("text", "")) for part in parts)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to the model with its reply: everything that an answer's body is made of."""

    index: int  # of the request, which makes ids unique and repeatable
    model: str
    messages: Sequence[Mapping[str, Any]]
    reply: Reply
    now_s: int

    def call_id(self, place: int) -> str:
        """The id of one tool call of this reply."""
        return f"call_{self.index}_{place}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Each call's arguments as the JSON text that goes over the wire."""
        return tuple(
            c.arguments if isinstance(c.arguments, str) else json.dumps(dict(c.arguments))
            for c in self.reply.calls
        )

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt, given or estimated."""
        if self.reply.input_tokens is not None:
            return self.reply.input_tokens
        return 1 + len(json.dumps(list(self.messages))) // CHARACTERS_PER_TOKEN

    @property
    def output_tokens(self) -> int:
        """Tokens of the reply, given or estimated."""
        if self.reply.output_tokens is not None:
            return self.reply.output_tokens
        return 1 + (len(self.reply.content) + sum(map(len, self.arguments))) // CHARACTERS_PER_TOKEN


def error_body(status: int, message: str) -> dict[str, Any]:
    """An error as OpenAI words it."""
    kind = "rate_limit_exceeded" if status == 429 else "server_error" if status >= 500 else "bad"
    return {"error": {"message": message, "type": kind, "code": kind, "param": None}}


def models_body(models: Sequence[str]) -> dict[str, Any]:
    """The answer to GET /v1/models."""
    return {
        "object": "list",
        "data": [{"id": m, "object": "model", "created": 0, "owned_by": "script"} for m in models],
    }


# --- Chat completions ------------------------------------------------------------------------


def chat_usage(turn: Turn) -> dict[str, Any]:
    """Usage numbers of a chat completion."""
    return {
        "prompt_tokens": turn.input_tokens,
        "completion_tokens": turn.output_tokens,
        "total_tokens": turn.input_tokens + turn.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def chat_calls(turn: Turn) -> list[dict[str, Any]]:
    """The tool calls of a chat completion's message."""
    return [
        {
            "id": turn.call_id(place),
            "type": "function",
            "function": {"name": tool_call.name, "arguments": arguments},
        }
        for place, (tool_call, arguments) in enumerate(
            zip(turn.reply.calls, turn.arguments, strict=True)
        )
    ]


def finish_reason(turn: Turn) -> str:
    """Why the model stopped."""
    return "tool_calls" if turn.reply.calls else "stop"


def chat_body(turn: Turn) -> dict[str, Any]:
    """One whole chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.reply.content or None}
    if turn.reply.calls:
        message["tool_calls"] = chat_calls(turn)
    return {
        "id": f"chatcmpl-{turn.index}",
        "object": "chat.completion",
        "created": turn.now_s,
        "model": turn.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": finish_reason(turn),
                "logprobs": None,
            }
        ],
        "usage": chat_usage(turn),
    }


def chat_chunks(turn: Turn, *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """The same completion as a stream of chunks: text in pieces, arguments in two halves."""
    frame = {
        "id": f"chatcmpl-{turn.index}",
        "object": "chat.completion.chunk",
        "created": turn.now_s,
        "model": turn.model,
    }

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**frame, "choices": [choice], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces(turn.reply.content):
        yield chunk({"content": piece})
    for place, item in enumerate(chat_calls(turn)):
        function: dict[str, str] = item["function"]
        arguments = function["arguments"]
        half = len(arguments) // 2
        opening = {**item, "index": place, "function": {**function, "arguments": ""}}
        yield chunk({"tool_calls": [opening]})
        for part in (arguments[:half], arguments[half:]):
            yield chunk({"tool_calls": [{"index": place, "function": {"arguments": part}}]})
    yield chunk({}, finish_reason(turn))
    if with_usage:
        yield {**frame, "choices": [], "usage": chat_usage(turn)}


def pieces(text: str) -> Iterator[str]:
    """A text cut as a model would stream it."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]


# --- Responses -------------------------------------------------------------------------------


def messages_of_input(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `input` of /v1/responses as the chat messages that a script reads."""
    messages: list[dict[str, Any]] = []
    if instructions := body.get("instructions"):
        messages.append({"role": "system", "content": instructions})
    given: Any = body.get("input") or []
    items: list[dict[str, Any]] = (
        [{"role": "user", "content": given}] if isinstance(given, str) else given
    )
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call":
            function = {"name": item["name"], "arguments": item["arguments"]}
            asked = {"id": item["call_id"], "type": "function", "function": function}
            messages.append({"role": "assistant", "content": None, "tool_calls": [asked]})
        elif kind == "function_call_output":
            answer = {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
            messages.append(answer)
        elif kind == "message":
            messages.append({"role": item["role"], "content": text_of(item["content"])})
    return messages


def response_items(turn: Turn) -> list[dict[str, Any]]:
    """The output items of a response."""
    items: list[dict[str, Any]] = []
    if turn.reply.content:
        part: dict[str, Any] = {
            "type": "output_text",
            "text": turn.reply.content,
            "annotations": [],
        }
        items.append(
            {
                "type": "message",
                "id": f"msg_{turn.index}",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for place, tool_call in enumerate(turn.reply.calls):
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{turn.index}_{place}",
                "call_id": turn.call_id(place),
                "name": tool_call.name,
                "arguments": turn.arguments[place],
                "status": "completed",
            }
        )
    return items


def response_body(turn: Turn, *, status: str = "completed") -> dict[str, Any]:
    """One response; `in_progress` has neither output nor usage yet."""
    done = status == "completed"
    usage = {
        "input_tokens": turn.input_tokens,
        "output_tokens": turn.output_tokens,
        "total_tokens": turn.input_tokens + turn.output_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "id": f"resp_{turn.index}",
        "object": "response",
        "created_at": turn.now_s,
        "status": status,
        "model": turn.model,
        "output": response_items(turn) if done else [],
        "usage": usage if done else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
    }


def response_events(turn: Turn) -> Iterator[dict[str, Any]]:
    """The same response as typed stream events."""
    yield {"type": "response.created", "response": response_body(turn, status="in_progress")}
    for place, item in enumerate(response_items(turn)):
        at: dict[str, Any] = {"output_index": place, "item_id": item["id"]}
        empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
        added = {**item, **empty, "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": place, "item": added}
        if item["type"] == "message":
            part = item["content"][0]
            here: dict[str, Any] = {**at, "content_index": 0}
            blank = {**part, "text": ""}
            yield {**here, "type": "response.content_part.added", "part": blank}
            for piece in pieces(part["text"]):
                delta: dict[str, Any] = {**here, "delta": piece, "logprobs": []}
                yield {"type": "response.output_text.delta", **delta}
            done: dict[str, Any] = {**here, "text": part["text"], "logprobs": []}
            yield {"type": "response.output_text.done", **done}
            yield {**here, "type": "response.content_part.done", "part": part}
        else:
            arguments = item["arguments"]
            yield {"type": "response.function_call_arguments.delta", **at, "delta": arguments}
            finished = {**at, "arguments": arguments, "name": item["name"]}
            yield {"type": "response.function_call_arguments.done", **finished}
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    yield {"type": "response.completed", "response": response_body(turn)}
