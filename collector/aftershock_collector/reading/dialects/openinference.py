"""OpenInference's spans (Arize): smolagents, crewai, LangChain and others instrumented with it.

The kind of a span is an attribute; guardrails, evaluators and plain functions are not steps, and
chains only say what is inside what. Values are often JSON inside text, and numbers often text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aftershock.attributes import AGENT_NAME, CONVERSATION_ID, TOOL_CALL_ID, TOOL_NAME
from aftershock.fingerprints.outputs import output_of
from aftershock.fingerprints.shown import Part, Shown, shown_in
from aftershock.model import Output, StepKind
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import (
    PART,
    Reading,
    cost_in,
    name_in,
    parsed,
    tokens_in,
    value_in,
)

KIND = "openinference.span.kind"
INPUT = "input.value"
OUTPUT = "output.value"
AGENT = (AGENT_NAME, "agent.name")
CONVERSATION = (CONVERSATION_ID, "session.id")
MODEL = ("llm.model_name", "embedding.model_name", "gen_ai.request.model")
SENT = ("llm.token_count.prompt",)
RETURNED = ("llm.token_count.completion",)

COST = "llm.cost.total"
MESSAGE = re.compile(r"llm\.input_messages\.(\d{1,6})\.message\.(.+)")
# Of a message: what is read, what needs no reading, and the text among parts of several kinds.
FIELDS = frozenset({"role", "content", "name", "tool_call_id"})
TEXT = re.compile(r"contents\.\d+\.message_content\.(?:type|text)$|tool_calls\.")
RESULTS = frozenset({"tool", "tool-response", "function"})
ANSWERED = re.compile(r"llm\.output_messages\.(\d{1,6})\.message\.(.+)")
TEXT_PART = re.compile(r"contents\.\d+\.message_content\.text$")
SMOLAGENTS_STEP = re.compile(r"Step \d+")
PRINTED = "Execution logs:"
CODE_FAILED = re.compile(r"Agent\w+Error: (?:Code execution failed|Error in code parsing)")
CODE_TOOL = "python_interpreter"  # as smolagents itself calls it

METADATA, LANGCHAIN_AGENT = "metadata", "lc_agent_name"
TOOL = "tool.name"
HAND_OFF = "handoff to "  # the OpenAI Agents SDK: before the name of the agent that takes over
RUNS = re.compile(r"\.(run|_execute_core)$")  # what runs the agent that a span is named after
UNNAMED = frozenset({"Agent workflow", "LangGraph"})  # what frameworks call what has no name

# smolagents calls a tool as `forward(*args, **kwargs)` and records just that.
SMOLAGENTS = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})


def read_openinference(span: Span) -> Reading | None:
    """Read a span that says of which OpenInference kind it is."""
    attributes = span.attributes
    kind = attributes.get(KIND)
    if kind is None:
        return None
    agent = name_in(attributes, *AGENT) or _agent_in_metadata(attributes)
    conversation = name_in(attributes, *CONVERSATION)
    if kind == "TOOL" and span.name.startswith(HAND_OFF):
        taker = span.name.removeprefix(HAND_OFF)
        return Reading(StepKind.HAND_OFF, taker, agent, conversation)
    # A tool with "agent" in its name, such as one that hands the task on, is called an agent.
    if kind == "TOOL" or (kind == "AGENT" and TOOL in attributes):
        return Reading(
            StepKind.TOOL_CALL,
            name_in(attributes, TOOL_NAME, TOOL) or span.name,
            agent,
            conversation,
            _arguments(span),
            value_in(attributes, OUTPUT),
            name_in(attributes, TOOL_CALL_ID, "tool_call.id"),
        )
    if kind in ("LLM", "EMBEDDING"):
        tokens = tokens_in(attributes, SENT, RETURNED)
        name = name_in(attributes, *MODEL) or span.name
        shown = _shown(attributes) if kind == "LLM" else None
        cost = cost_in(attributes, COST)
        return Reading(
            StepKind.INFERENCE,
            name,
            agent,
            conversation,
            tokens=tokens,
            shown=shown,
            cost_usd=cost,
            output=_output(attributes),
        )
    if kind == "AGENT":
        own = "" if span.name in UNNAMED else RUNS.sub("", span.name)
        name = agent or own
        return Reading(StepKind.AGENT, name, name or None, conversation)
    if kind == "CHAIN":
        code = _code_step(span, agent, conversation)
        return code or PART._replace(conversation=conversation)
    if kind in ("RETRIEVER", "RERANKER"):
        return Reading(StepKind.RETRIEVAL, span.name, agent, conversation)
    return None


def _agent_in_metadata(attributes: Mapping[str, Any]) -> str | None:
    """The agent that LangChain says a span is of."""
    given = attributes.get(METADATA)
    if not isinstance(given, str) or LANGCHAIN_AGENT not in given:
        return None
    found = parsed(given)
    return (
        name_in(cast("Mapping[str, Any]", found), LANGCHAIN_AGENT)
        if isinstance(found, dict)
        else None
    )


def _output(attributes: Mapping[str, Any]) -> Output | None:
    """What a model answered: its messages are one attribute per field."""
    texts: list[str] = []
    calls = False
    for key, value in attributes.items():
        if not (match := ANSWERED.match(key)):
            continue
        calls = calls or match[2].startswith("tool_calls.")
        if isinstance(value, str) and (match[2] == "content" or TEXT_PART.match(match[2])):
            texts.append(value)
    return output_of("\n".join(texts), calls=calls) if texts or calls else None


def _code_step(span: Span, agent: str | None, conversation: str | None) -> Reading | None:
    """A step of smolagents' CodeAgent, which runs code that the inference inside it wrote, if any.

    Its output is what the code printed; steps that call a tool by name have another one. The code
    itself stands in that inference only (`Output.code`).
    """
    if not SMOLAGENTS_STEP.fullmatch(span.name):
        return None
    printed = value_in(span.attributes, OUTPUT)
    ran = isinstance(printed, str) and printed.startswith(PRINTED)
    if not ran and not CODE_FAILED.match(span.status_message):
        return None
    return Reading(StepKind.TOOL_CALL, CODE_TOOL, agent, conversation, result=printed)


def _shown(attributes: Mapping[str, Any]) -> Shown | None:
    """What an inference was shown: its messages are one attribute per field."""
    messages: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if match := MESSAGE.match(key):
            messages.setdefault(int(match[1]), {}).setdefault(match[2], value)
    if not messages:
        return None
    parts: list[Part] = []
    for _, fields in sorted(messages.items()):
        role, call_id = fields.get("role"), fields.get("tool_call_id")
        whole = all(key in FIELDS or TEXT.match(key) for key in fields)
        texts = [value for key, value in fields.items() if key == "content" or TEXT.match(key)]
        text = "\n".join(one for one in texts if isinstance(one, str)) if whole else None
        sender = role if isinstance(role, str) else ""
        named = call_id if isinstance(call_id, str) else None
        parts.append(Part(sender, text, sender in RESULTS or named is not None, named))
    return shown_in(parts)


def _arguments(span: Span) -> Any:
    """What a tool was called with: its input, without the shape of the call around it.

    `tool.parameters` holds the tool's schema with some instrumentations and its arguments with
    others; `gen_ai.tool.call.arguments` of the dual-write mode holds the schema with crewai.
    """
    given = value_in(span.attributes, INPUT)
    if given is None:
        return value_in(span.attributes, "tool_call.function.arguments")
    value = parsed(given)
    if isinstance(value, dict):
        call = cast("dict[str, Any]", value)
        if "kwargs" in call and call.keys() <= SMOLAGENTS:
            positional, named = call.get("args"), call["kwargs"]
            if not positional:
                return named
            named = cast("dict[str, Any]", named) if isinstance(named, dict) else {}
            return {"_args": positional, **named}
    return cast("Any", value)
