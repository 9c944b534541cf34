"""The Vercel AI SDK's spans (TypeScript): `ai.streamText`, its `.doStream`, `ai.toolCall`.

Each call of a model is two spans with the same tokens: the outer one is the agent's frame, the
inner one, `.doGenerate` or `.doStream`, the inference. Their GenAI attributes name no operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aftershock.attributes import CONVERSATION_ID, INPUT_TOKENS, OUTPUT_TOKENS, REQUEST_MODEL
from aftershock.fingerprints.fingerprint import text_of
from aftershock.fingerprints.shown import Part, Shown, field_of, shown_in
from aftershock.model import StepKind
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import Reading, name_in, parsed, tokens_in, value_in

OPERATION = "ai.operationId"
INNER = (".doGenerate", ".doStream", ".doEmbed")
FRAMES = frozenset(
    {"ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject", "ai.agent"}
)
TOOL = "ai.toolCall"
ARGUMENTS, RESULT = "ai.toolCall.args", ("ai.toolCall.result", "ai.toolCall.output")
TOOL_NAME, CALL_ID = "ai.toolCall.name", "ai.toolCall.id"
MESSAGES = "ai.prompt.messages"
FUNCTION = ("ai.telemetry.functionId", "resource.name")  # what the app calls this use of a model
SESSION = (CONVERSATION_ID, "session.id", "ai.telemetry.metadata.sessionId")
MODEL = (REQUEST_MODEL, "ai.model.id", "ai.response.model")
SENT = (INPUT_TOKENS, "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens")
RETURNED = (OUTPUT_TOKENS, "ai.usage.outputTokens", "ai.usage.completionTokens")


def read_vercel_ai(span: Span) -> Reading | None:
    """Read a span of the Vercel AI SDK."""
    own = span.attributes
    operation = own.get(OPERATION)
    if not isinstance(operation, str):
        return None
    agent, conversation = name_in(own, *FUNCTION), name_in(own, *SESSION)
    if operation == TOOL:
        return Reading(
            StepKind.TOOL_CALL,
            name_in(own, TOOL_NAME) or span.name,
            agent,
            conversation,
            own.get(ARGUMENTS),
            value_in(own, *RESULT),
            name_in(own, CALL_ID),
        )
    if operation.endswith(INNER):
        return Reading(
            StepKind.INFERENCE,
            name_in(own, *MODEL) or "",
            agent,
            conversation,
            tokens=tokens_in(own, SENT, RETURNED),
            shown=_shown(own),
        )
    if operation in FRAMES:
        return Reading(StepKind.AGENT, agent or operation, agent, conversation)
    return None


def _shown(own: Mapping[str, Any]) -> Shown | None:
    """What the model was shown, where content is captured: messages in the SDK's own form."""
    messages = parsed(own.get(MESSAGES))
    if not isinstance(messages, list):
        return None
    parts: list[Part] = []
    for message in cast("list[Any]", messages):
        role, content = field_of(message, "role"), field_of(message, "content")
        if isinstance(content, list):
            parts += [_part(str(role), each) for each in cast("list[Any]", content)]
        else:
            parts.append(Part(str(role), content if isinstance(content, str) else None))
    return shown_in(parts)


def _part(role: str, part: Any) -> Part:
    if field_of(part, "type") == "tool-result":
        output, call_id = field_of(part, "output"), field_of(part, "toolCallId")
        value = field_of(output, "value") if isinstance(output, dict) else output
        answer = field_of(part, "result") if value is None else value
        return Part(role, text_of(answer), True, call_id if isinstance(call_id, str) else None)
    text = field_of(part, "text")
    return Part(role, text if isinstance(text, str) else None)
