"""Neutral recordings, one JSON object per run with its steps, → OTLP, and what GenAI lacks of them.

Model and tool steps become spans in GenAI's words. Messages and hand-offs have none there, so they
keep a word of their own, which is read here. What the data does not say is not invented, with one
exception: steps without times stand a second apart, in their order, because an event needs a time.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, cast

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WrittenSpan

from aftershock.attributes import (
    ACTION_TIER,
    AGENT_NAME,
    ERROR_TYPE,
    INFERENCE_WORDS,
    OPERATION,
    OUTPUT_MESSAGES,
    OUTPUT_TOKENS,
    REQUEST_MODEL,
    RESULT_OUTCOME,
    RUN_ID,
    SERVICE_NAME,
    TOOL_ARGUMENTS,
    TOOL_NAME,
    TOOL_RESULT,
)
from aftershock.fingerprints.answers import is_automatic
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.fingerprints.shown import Shown
from aftershock.fingerprints.words import words_in
from aftershock.model import Outcome, StepKind, Tier
from aftershock.policy.instructions import instruction_of
from aftershock.wire import decode_hashes
from aftershock_collector.otlp.values import key_values
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import Reading, name_in, text_in
from aftershock_collector.reading.isotime import duration_ns_of, time_ns_of

KIND = "neutral.kind"  # message | hand_off
NAME = "neutral.name"
TEXT = "neutral.text"
SOURCE = "neutral.source"
LICENSE = "neutral.license"
SCOPE = "neutral"

EPOCH_NS = 1_577_836_800 * 10**9  # 2020-01-01: where runs without times begin
STEP_NS = 10**9
RECORDED_CHARS = 1_900  # results are cut near 2,000 characters by whoever recorded them
ID_CHARS_MAX = 512
HAND_OFF = re.compile(r"^(?P<giver>.+?) \(-> (?P<taker>.+)\)$")
ROLE = re.compile(r" \((?:thought|termination condition)\)$")
HARNESS = "harness"  # who wrote a message in a person's place
PEOPLE = frozenset({"human", "user"})

NO_STEP = "malformed step"
UNKNOWN_KIND = "step of no known kind"


class Recorded(NamedTuple):
    """One recorded run in OTLP, with what of it could not be read."""

    body: bytes  # TracesData
    rejected: Counter[str]


def is_neutral(document: Any) -> bool:
    """True for one recorded run."""
    if not isinstance(document, dict):
        return False
    run = cast("dict[str, Any]", document)
    return isinstance(run.get("id"), str) and isinstance(run.get("steps"), list)


def traces_of(document: Mapping[str, Any]) -> Recorded:
    """One recorded run as OTLP spans; the same run gets the same ids each time."""
    run_id: str = document["id"][:ID_CHARS_MAX]
    given: list[Any] = document["steps"]
    rejected: Counter[str] = Counter()
    steps = [cast("dict[str, Any]", step) for step in given if isinstance(step, dict)]
    rejected[NO_STEP] += len(given) - len(steps)
    meta = document.get("meta")
    agent = text_in(cast("dict[str, Any]", meta), "agent") if isinstance(meta, dict) else None
    trace_id = _digest(run_id, 16)
    spans: list[WrittenSpan] = []
    for place, (step, (began, ended)) in enumerate(zip(steps, _times(steps), strict=True)):
        attributes = _attributes(step, agent)
        if attributes is None:
            rejected[UNKNOWN_KIND] += 1
            continue
        error = step.get("error") if isinstance(step.get("error"), str) else None
        spans.append(
            WrittenSpan(
                trace_id=trace_id,
                span_id=_span_id(step, run_id, place),
                name=_name(step, attributes),
                kind=WrittenSpan.SPAN_KIND_INTERNAL,
                start_time_unix_nano=began,
                end_time_unix_nano=ended,
                attributes=key_values({RUN_ID: run_id, **attributes}),
                status=Status(code=Status.STATUS_CODE_ERROR, message=error) if error else None,
            )
        )
    group = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    group.scope_spans[0].scope.name = SCOPE
    origin = {SERVICE_NAME: agent or run_id.partition("/")[0]}
    for name, key in ((SOURCE, "source"), (LICENSE, "license")):
        if value := text_in(document, key):
            origin[name] = value
    group.resource.attributes.extend(key_values(origin))
    return Recorded(TracesData(resource_spans=[group]).SerializeToString(), +rejected)


def read_neutral(span: Span) -> Reading | None:
    """Read what `traces_of` wrote of a message or a hand-off."""
    match span.attributes.get(KIND):
        case "message":
            kind = StepKind.MESSAGE
        case "hand_off":
            kind = StepKind.HAND_OFF
        case _:
            return None
    agent, own_name = (name_in(span.attributes, key) for key in (AGENT_NAME, NAME))
    text = span.attributes.get(TEXT)
    if isinstance(text, str):
        shown = Shown(words=words_in(text))
    else:
        words = decode_hashes(span.attributes.get(INFERENCE_WORDS))
        shown = None if words is None else Shown(words=words)
    return Reading(
        kind,
        own_name or "",
        agent,
        shown=shown,
        instruction=instruction_of(text) if isinstance(text, str) else None,
        automatic=own_name == HARNESS or (isinstance(text, str) and is_automatic(text)),
    )


def _attributes(step: Mapping[str, Any], run_agent: str | None) -> dict[str, Any] | None:
    """What a step says, as span attributes; None where its kind is not known."""
    kind, name = step.get("kind"), text_in(step, "name") or ""
    named = text_in(step, "agent")
    agent = ROLE.sub("", named) if named else run_agent
    text = step.get("result")
    if kind == "tool":
        found = _tool_call(step, name)
    elif kind == "llm" and (match := HAND_OFF.match(name)):
        agent = match["giver"]
        found = {KIND: "hand_off", NAME: match["taker"], TEXT: text}
    elif kind == "message" or (kind == "llm" and name in PEOPLE):
        agent = None
        found = {KIND: "message", NAME: name, TEXT: text}
    elif kind == "llm":
        parts = [{"type": "text", "content": text}]
        messages = json.dumps([{"role": "assistant", "parts": parts}], ensure_ascii=False)
        found = {
            OPERATION: "chat",
            REQUEST_MODEL: name,
            OUTPUT_MESSAGES: messages if text else None,
            OUTPUT_TOKENS: step.get("tokens"),  # one number: the data does not split it
        }
    else:
        return None
    found[AGENT_NAME] = agent
    return {key: value for key, value in found.items() if value is not None}


def _tool_call(step: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {OPERATION: "execute_tool", TOOL_NAME: name}
    if step.get("args") is not None:
        found[TOOL_ARGUMENTS] = json.dumps(step["args"], ensure_ascii=False)
    result, size = step.get("result"), step.get("full_len")
    found[TOOL_RESULT] = result
    if isinstance(step.get("write"), bool):
        found[ACTION_TIER] = (Tier.WRITE if step["write"] else Tier.READ).value
    if text_in(step, "error"):
        found[ERROR_TYPE] = "tool_error"
    elif isinstance(result, str) and isinstance(size, int) and size > len(result) > RECORDED_CHARS:
        # The recorder cut it, not the tool: the agent saw the whole.
        outcome = outcome_of(result, None)
        found[RESULT_OUTCOME] = Outcome.OK if outcome is Outcome.TRUNCATED else outcome
    return found


def _times(steps: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Begin and end of each step: the data's own where it has any."""
    began = [time_ns_of(step.get("t")) for step in steps]
    first = next((place for place, time in enumerate(began) if time is not None), None)
    if first is None:
        return [
            (EPOCH_NS + place * STEP_NS, EPOCH_NS + place * STEP_NS + STEP_NS // 2)
            for place in range(len(steps))
        ]
    next_ns = (began[first] or 0) - first * STEP_NS
    found: list[tuple[int, int]] = []
    for step, time in zip(steps, began, strict=True):
        begins = next_ns if time is None else time
        ends = time_ns_of(step.get("t_end"))
        if ends is None:
            ends = begins + (duration_ns_of(step.get("dur")) or 0)
        found.append((begins, max(begins, ends)))
        next_ns = found[-1][1] if len(found) > first else begins + STEP_NS
    return found


def _span_id(step: Mapping[str, Any], run_id: str, place: int) -> bytes:
    """The id that the data gives, where it gives one and it is not of a step made from another."""
    given = text_in(step, "span")
    if given and len(given) == 16 and not step.get("synth"):
        try:
            return bytes.fromhex(given)
        except ValueError:
            pass  # not hex: it gets one of ours
    return _digest(f"{run_id}#{place}", 8)


def _name(step: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
    return (
        f"{attributes.get(OPERATION, attributes.get(KIND))} {text_in(step, 'name') or ''}".strip()
    )


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()
