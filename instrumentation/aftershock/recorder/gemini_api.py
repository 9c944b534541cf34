"""Gemini's content generation, at Google's two services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from opentelemetry.util.genai.types import (
    InputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
)

from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.recorder.model_apis import (
    Answer,
    Api,
    Request,
    as_list,
    section,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def gemini_request(api: Api, path: str, body: Any) -> Request:
    """A request for content. Its calls may have no ids: they get some from what went before."""
    messages: list[Any] = []
    asked: list[str] = []  # ids of calls, in order
    answered = 0
    salt = ""
    for one in body["contents"]:
        parts: list[Any] = []
        calls = 0
        for part in as_list(one.get("parts")):
            if (call := part.get("functionCall")) is not None:
                asked.append(call.get("id") or id_of(salt, calls))
                calls += 1
                parts.append(ToolCallRequestPart(call.get("args"), call["name"], asked[-1]))
            elif (result := part.get("functionResponse")) is not None:
                known = asked[answered] if answered < len(asked) else None
                answered += 1
                parts.append(
                    ToolCallResponsePart(
                        result_of(result.get("response")), result.get("id") or known
                    )
                )
            elif isinstance(part.get("text"), str):
                parts.append(gemini_text(part))
        messages.append(InputMessage("assistant" if one.get("role") == "model" else "user", parts))
        salt = salted(salt, parts)
    system = section(body, "systemInstruction")
    model, _, verb = path.rpartition("/")[2].partition(":")
    streams = verb.startswith("stream")
    return Request(api, model, streams, messages, texts(system.get("parts")), salt)


def result_of(response: Any) -> Any:
    """What a function returned: Gemini takes objects only, so a value has a word around it."""
    found = cast("dict[str, Any]", response) if isinstance(response, dict) else {}
    if len(found) == 1 and (word := next(iter(found))) in {"result", "output"}:
        return found[word]
    return cast("Any", response)


def gemini_text(part: Any) -> Any:
    """A part with a text, which may be a thought."""
    return ReasoningPart(part["text"]) if part.get("thought") else TextPart(part["text"])


def salted(salt: str, parts: list[Any]) -> str:
    """What was said so far, as a digest: results and thoughts are not sent back as they came."""
    stays = [
        [part.name, part.arguments] if isinstance(part, ToolCallRequestPart) else part.content
        for part in parts
        if isinstance(part, ToolCallRequestPart | TextPart)
    ]
    return fingerprint_arguments({"before": salt, "then": stays, "parts": len(stays)}).digest


def id_of(salt: str, place: int) -> str:
    """An id for a call that has none."""
    return f"call_{salt[:16]}_{place}"


def gemini_answer(request: Request, body: Any) -> Answer:
    """Generated content."""
    parts: list[Any] = []
    reasons: list[str] = []
    for candidate in as_list(body.get("candidates")):
        reasons += [str(candidate["finishReason"])] if candidate.get("finishReason") else []
        calls = 0
        for part in as_list(section(candidate, "content").get("parts")):
            if (call := part.get("functionCall")) is not None:
                call_id = call.get("id") or id_of(request.salt, calls)
                calls += 1
                parts.append(ToolCallRequestPart(call.get("args"), call["name"], call_id))
            elif isinstance(part.get("text"), str):
                parts.append(gemini_text(part))
    usage = section(body, "usageMetadata")
    reasoned, written = usage.get("thoughtsTokenCount"), usage.get("candidatesTokenCount")
    return Answer(
        parts,
        body.get("responseId"),
        body.get("modelVersion"),
        tuple(reasons),
        usage.get("promptTokenCount"),
        None if written is None else written + (reasoned or 0),
        usage.get("cachedContentTokenCount"),
        None,
        reasoned,
    )


def gemini_joined(events: Iterable[Any]) -> Any:
    """The pieces of streamed content."""
    whole: dict[str, Any] = {}
    parts: list[Any] = []
    reason: Any = None
    for event in events:
        whole |= event
        for candidate in as_list(event.get("candidates"))[:1]:
            parts += as_list(section(candidate, "content").get("parts"))
            reason = candidate.get("finishReason") or reason
    return whole | {"candidates": [{"content": {"parts": parts}, "finishReason": reason}]}


GEMINI = Api("gcp.gemini", "generate_content", gemini_request, gemini_answer, gemini_joined)
