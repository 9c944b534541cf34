"""OpenAI's chat completions, which many others offer too, and its Responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.util.genai.types import (
    InputMessage,
    ReasoningPart,
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


def chat_request(api: Api, _path: str, body: Any) -> Request:
    """A request for a chat completion."""
    messages: list[Any] = []
    for one in body["messages"]:
        if one.get("role") == "tool":
            parts: list[Any] = [
                ToolCallResponsePart(text_of(one.get("content")), one.get("tool_call_id"))
            ]
        else:
            parts = [*texts(one.get("content")), *chat_calls(one)]
        messages.append(InputMessage(one["role"], parts))
    return Request(api, str(body["model"]), bool(body.get("stream")), messages)


def chat_calls(message: Any) -> list[Any]:
    """The calls in a message of the model."""
    return [
        ToolCallRequestPart(
            arguments_of(one["function"].get("arguments")), one["function"]["name"], one.get("id")
        )
        for one in as_list(message.get("tool_calls"))
        if one.get("function")
    ]


def chat_answer(_request: Request, body: Any) -> Answer:
    """A chat completion."""
    parts: list[Any] = []
    for choice in body["choices"]:
        message = section(choice, "message")
        thought = message.get("reasoning_content") or message.get("reasoning")
        parts += [ReasoningPart(thought)] if isinstance(thought, str) and thought else []
        parts += [*texts(message.get("content")), *chat_calls(message)]
    usage = section(body, "usage")
    return Answer(
        parts,
        body.get("id"),
        body.get("model"),
        tuple(str(one["finish_reason"]) for one in body["choices"] if one.get("finish_reason")),
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        section(usage, "prompt_tokens_details").get("cached_tokens"),
        None,
        section(usage, "completion_tokens_details").get("reasoning_tokens"),
    )


def chat_joined(events: Iterable[Any]) -> Any:
    """The chunks of a chat completion."""
    whole: dict[str, Any] = {}
    choices: dict[int, Any] = {}
    for event in events:
        whole |= {key: event[key] for key in ("id", "model", "usage") if event.get(key)}
        for one in as_list(event.get("choices")):
            choice = choices.setdefault(one.get("index", 0), {"message": {}, "calls": {}})
            choice["finish_reason"] = one.get("finish_reason") or choice.get("finish_reason")
            delta = section(one, "delta")
            for key in ("content", "reasoning_content", "reasoning"):
                if isinstance(delta.get(key), str):
                    choice["message"][key] = choice["message"].get(key, "") + delta[key]
            for place, part in enumerate(as_list(delta.get("tool_calls"))):
                add_call(choice["calls"], part.get("index", place), part)
    for choice in choices.values():
        choice["message"]["tool_calls"] = list(choice.pop("calls").values())
    return whole | {"choices": list(choices.values())}


def add_call(calls: dict[int, Any], index: int, part: Any) -> None:
    """Add a fragment of a call to those before it."""
    empty: Any = {"id": None, "function": {"name": "", "arguments": ""}}
    call = calls.setdefault(index, empty)
    call["id"] = part.get("id") or call["id"]
    for key in ("name", "arguments"):
        call["function"][key] += section(part, "function").get(key) or ""


def responses_request(api: Api, _path: str, body: Any) -> Request:
    """A request for a response."""
    given = body["input"]
    items: list[Any] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [InputMessage(one.get("role") or "assistant", response_parts(one)) for one in items]
    instructions = texts(body.get("instructions"))
    return Request(api, str(body["model"]), bool(body.get("stream")), messages, instructions)


def response_parts(item: Any) -> list[Any]:
    """One item of a request or of a response."""
    kind = str(item.get("type") or "message")
    if kind.endswith("call_output"):
        return [ToolCallResponsePart(text_of(item.get("output")), item.get("call_id"))]
    if kind in {"function_call", "custom_tool_call"}:
        arguments = arguments_of(item.get("arguments", item.get("input")))
        return [ToolCallRequestPart(arguments, item["name"], item.get("call_id"))]
    if kind == "reasoning":
        return [ReasoningPart(text_of(item.get("summary") or item.get("content")))]
    return texts(item.get("content"))


def responses_answer(_request: Request, body: Any) -> Answer:
    """A response."""
    usage = section(body, "usage")
    return Answer(
        [part for item in body["output"] for part in response_parts(item)],
        body.get("id"),
        body.get("model"),
        (str(body.get("status") or ""),),
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        section(usage, "input_tokens_details").get("cached_tokens"),
        None,
        section(usage, "output_tokens_details").get("reasoning_tokens"),
    )


def responses_joined(events: Iterable[Any]) -> Any:
    """The whole response, which the last events of its stream hold."""
    return [event["response"] for event in events if event.get("response")][-1]


CHAT = Api("openai", "chat", chat_request, chat_answer, chat_joined)
RESPONSES = Api("openai", "chat", responses_request, responses_answer, responses_joined)
