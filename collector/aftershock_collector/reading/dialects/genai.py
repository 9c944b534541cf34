"""OpenTelemetry's GenAI conventions, as they are and as frameworks wrote them before.

Covers the official instrumentations and Aftershock's own spans, and what pydantic-ai, strands,
google-adk, agent-framework and OpenLLMetry (traceloop) do differently.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, cast

from aftershock.attributes import (
    AGENT_ID,
    AGENT_NAME,
    CONVERSATION_COMPACTED,
    CONVERSATION_ID,
    DECISION_ASSUMES,
    DECISION_BECAUSE,
    DECISION_CHOSEN,
    DECISION_OPERATION,
    DECISION_OVER,
    DECISION_QUESTION,
    HAND_OFF_OPERATION,
    HAND_OFF_TO,
    INFERENCE_SHOWN,
    INFERENCE_WORDS,
    INPUT_MESSAGES,
    INPUT_TOKENS,
    OPERATION,
    OUTPUT_MESSAGES,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SYSTEM_INSTRUCTIONS,
    TOOL_ARGUMENTS,
    TOOL_CALL_ID,
    TOOL_NAME,
    TOOL_RESULT,
    WORKFLOW_NAME,
)
from aftershock.fingerprints.outputs import output_of
from aftershock.fingerprints.shown import Shown, part_of, parts_of_text, shown_in
from aftershock.model import Decision, Output, StepKind
from aftershock.wire import decode_hashes
from aftershock_collector.otlp.wire import SERVER, Span
from aftershock_collector.reading.dialects import (
    PART,
    Reading,
    cost_in,
    name_in,
    parsed,
    text_in,
    texts_in,
    tokens_in,
    value_in,
)

EXECUTE_TOOL = "execute_tool"
INFERENCES = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
RETRIEVALS = frozenset({"retrieval", "search_memory"})
INVOKES = "invoke_"  # invoke_agent, invoke_workflow; strands: invoke_swarm, invoke_graph

# Names by age, the current one first.
ARGUMENTS = (TOOL_ARGUMENTS, "tool_arguments", "gcp.vertex.agent.tool_call_args")
RESULT = (TOOL_RESULT, "tool_response", "gcp.vertex.agent.tool_response")
SENT = (INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens")
RETURNED = (OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens")
COST = ("gen_ai.usage.cost", "operation.cost")  # OpenRouter and Langfuse; pydantic-ai
MODEL = (REQUEST_MODEL, RESPONSE_MODEL)
LANGCHAIN_AGENT = "traceloop.association.properties.lc_agent_name"
AGENT = (AGENT_NAME, "agent_name", LANGCHAIN_AGENT)

TRACELOOP_KIND = "traceloop.span.kind"
TRACELOOP_NAME = "traceloop.entity.name"
TRACELOOP_INPUT = "traceloop.entity.input"
TRACELOOP_OUTPUT = "traceloop.entity.output"
TRACELOOP_REQUEST = "llm.request.type"
TASK = "task"  # a part of an app around other steps
TRACELOOP_OPERATIONS = {
    "tool": EXECUTE_TOOL,
    "agent": "invoke_agent",
    "workflow": "invoke_agent",
    TASK: TASK,
}

SPELLED_CHARS_MAX = 20_000  # of arguments that are spelled as Python does: longer ones stay texts

STRANDS_STATUS = "gen_ai.tool.status"
ADK_MERGED = "(merged tools)"  # one more span around calls that have their own
DETAILS = "gen_ai.client.inference.operation.details"


def read_genai(span: Span) -> Reading | None:
    """Read a span that says which GenAI operation it is."""
    attributes = span.attributes
    operation = attributes.get(OPERATION) or _older_operation(attributes)
    if not isinstance(operation, str):
        return None
    if operation == EXECUTE_TOOL:
        return _tool_call(span)
    agent = name_in(attributes, *AGENT)
    conversation = name_in(attributes, CONVERSATION_ID)
    if operation in INFERENCES:
        return Reading(
            StepKind.INFERENCE,
            name_in(attributes, *MODEL) or "",
            agent,
            conversation,
            tokens=tokens_in(attributes, SENT, RETURNED),
            shown=_shown(attributes),
            output=_output(attributes),
            cost_usd=cost_in(attributes, *COST),
            compacted=attributes.get(CONVERSATION_COMPACTED) is True,
        )
    if operation.startswith(INVOKES):
        workflow = name_in(attributes, WORKFLOW_NAME, TRACELOOP_NAME, AGENT_ID)
        return Reading(StepKind.AGENT, agent or workflow or "", agent, conversation)
    if operation == TASK:
        return PART._replace(conversation=conversation)
    if operation in RETRIEVALS:
        source = name_in(attributes, "gen_ai.data_source.id", "gen_ai.memory.store.id")
        return Reading(StepKind.RETRIEVAL, source or operation, agent, conversation)
    if operation == HAND_OFF_OPERATION:
        taker = name_in(attributes, HAND_OFF_TO) or ""
        return Reading(StepKind.HAND_OFF, taker, agent, conversation)
    if operation == DECISION_OPERATION:
        return Reading(
            StepKind.DECISION,
            DECISION_OPERATION,
            agent,
            conversation,
            decision=Decision(
                text_in(attributes, DECISION_QUESTION) or "",
                text_in(attributes, DECISION_CHOSEN),
                texts_in(attributes, DECISION_OVER),
                text_in(attributes, DECISION_BECAUSE),
                texts_in(attributes, DECISION_ASSUMES),
            ),
        )
    return None


def _shown(attributes: Mapping[str, Any]) -> Shown | None:
    """What an inference was shown: as hashes that the agent's process made, or its messages."""
    if INFERENCE_SHOWN in attributes:
        return Shown(
            decode_hashes(attributes[INFERENCE_SHOWN]),
            decode_hashes(attributes.get(INFERENCE_WORDS)),
        )
    if INPUT_MESSAGES not in attributes:
        return None
    parts = parts_of_text(attributes[INPUT_MESSAGES])
    if parts is None:
        return None
    instructed = parsed(attributes.get(SYSTEM_INSTRUCTIONS))
    instructions = cast("list[Any]", instructed) if isinstance(instructed, list) else []
    return shown_in([*(part_of("system", part) for part in instructions), *parts])


def _output(attributes: Mapping[str, Any]) -> Output | None:
    """What the model answered, from its messages; the choices of one answer are one text."""
    messages = parsed(attributes.get(OUTPUT_MESSAGES))
    if not isinstance(messages, list):
        return _older_output(attributes)
    texts: list[str] = []
    calls = False
    for message in cast("list[Any]", messages):
        parts = cast("dict[str, Any]", message).get("parts") if isinstance(message, dict) else None
        for part in cast("list[Any]", parts) if isinstance(parts, list) else ():
            fields = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
            calls = calls or fields.get("type") == "tool_call"
            if fields.get("type") == "text" and isinstance(fields.get("content"), str):
                texts.append(fields["content"])
    return output_of("\n".join(texts), calls=calls) if texts or calls else None


def _older_output(attributes: Mapping[str, Any]) -> Output | None:
    """The same from OpenLLMetry's attributes of before."""
    text = attributes.get("gen_ai.completion.0.content")
    calls = "gen_ai.completion.0.tool_calls.0.name" in attributes
    return output_of(text, calls=calls) if isinstance(text, str) else None


def _older_operation(attributes: Mapping[str, Any]) -> str | None:
    """The operation of spans from before it had an attribute."""
    kind = attributes.get(TRACELOOP_KIND)
    if kind is not None:
        return TRACELOOP_OPERATIONS.get(kind) if isinstance(kind, str) else None
    if attributes.get(TRACELOOP_REQUEST) in ("chat", "completion"):
        return "chat"
    if TOOL_NAME in attributes and ("tool_arguments" in attributes or TOOL_CALL_ID in attributes):
        return EXECUTE_TOOL  # pydantic-ai
    return None


def _tool_call(span: Span) -> Reading | None:
    attributes = span.attributes
    tool = name_in(attributes, TOOL_NAME, TRACELOOP_NAME)
    if span.kind == SERVER or tool == ADK_MERGED:
        return None  # the far end of an MCP call: the agent's own span tells it already
    arguments, result = value_in(attributes, *ARGUMENTS), value_in(attributes, *RESULT)
    # Since 0.62 OpenLLMetry writes the same under both names.
    wrapped, returned = attributes.get(TRACELOOP_INPUT), attributes.get(TRACELOOP_OUTPUT)
    if wrapped is not None and arguments in (None, wrapped):
        arguments = _traceloop_arguments(wrapped)
    if returned is not None and result in (None, returned):
        result = _traceloop_result(returned)
    if span.events and arguments is None and result is None:
        arguments, result = _from_events(span)
    return Reading(
        StepKind.TOOL_CALL,
        tool or span.name.removeprefix(EXECUTE_TOOL).strip(),
        name_in(attributes, *AGENT),
        name_in(attributes, CONVERSATION_ID),
        arguments,
        result,
        name_in(attributes, TOOL_CALL_ID),
        "tool_error" if attributes.get(STRANDS_STATUS) == "error" else None,
    )


def _traceloop_arguments(given: Any) -> Any:
    """Arguments without what differs at each call, such as the graph's step number."""
    value = parsed(given)
    if not isinstance(value, dict):
        return value
    wrapped = cast("dict[str, Any]", value)
    for key in ("inputs", "input_str", "kwargs", "args"):
        if wrapped.get(key):
            return _spelled(wrapped[key])
    return wrapped


def _spelled(given: Any) -> Any:
    """The mapping that LangChain spelled as Python does; anything else as it is."""
    if not isinstance(given, str) or not given.startswith("{") or len(given) > SPELLED_CHARS_MAX:
        return given
    try:
        value: Any = ast.literal_eval(given)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return given
    return cast("Any", value) if isinstance(value, dict) else given


def _traceloop_result(given: Any) -> Any:
    value = parsed(given)
    if not isinstance(value, dict) or "output" not in value:
        return cast("Any", value)
    output = cast("dict[str, Any]", value)["output"]
    if isinstance(output, dict):  # a serialised LangChain message
        content = cast("dict[str, Any]", output)
        kwargs = content.get("kwargs")
        if isinstance(kwargs, dict):
            content = cast("dict[str, Any]", kwargs)
        return content.get("content", content)
    return output


def _from_events(span: Span) -> tuple[Any, Any]:
    """Arguments and result of a tool call whose span carries them in its events (strands)."""
    arguments: Any = None
    result: Any = None
    for event in span.events:
        if event.name == "gen_ai.tool.message":
            arguments = event.attributes.get("content")
        elif event.name == "gen_ai.choice":
            result = parsed(event.attributes.get("message"))
        elif event.name == DETAILS:
            asked = _part(event.attributes.get(INPUT_MESSAGES), "tool_call")
            answered = _part(event.attributes.get(OUTPUT_MESSAGES), "tool_call_response")
            arguments = asked.get("arguments", arguments)
            result = answered.get("response", result)
    return arguments, result


def _part(messages: Any, kind: str) -> dict[str, Any]:
    """The first part of that type in a list of messages; empty where there is none."""
    value = parsed(messages)
    for message in cast("list[Any]", value) if isinstance(value, list) else ():
        parts = cast("dict[str, Any]", message).get("parts") if isinstance(message, dict) else None
        for part in cast("list[Any]", parts) if isinstance(parts, list) else ():
            if isinstance(part, dict) and cast("dict[str, Any]", part).get("type") == kind:
                return cast("dict[str, Any]", part)
    return {}
