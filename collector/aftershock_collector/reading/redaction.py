"""Redaction on arrival: what anybody sends is stored, shown and passed on without secrets.

Our own recorder redacts before it sends. Other SDKs send content as it is, some by default, and
whoever says that they have redacted may not have. So every text of a message is looked at: names,
keys and values, statuses, events, links, resources and scopes.

Steps are read before redaction, and their fingerprints are stored beside the redacted content, so
that two calls that differ only in a secret stay two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogRecordMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import UNSEEN
from aftershock.fingerprints.keyed import hash_subject
from aftershock.fingerprints.outputs import output_attributes
from aftershock.model import Action, Change, Step
from aftershock.policy.instructions import instruction_attributes
from aftershock.redaction.redact import SECRET, is_secret_name, redact_text
from aftershock.wire import NAMED_HASH, encode_hashes
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.values import key_values
from aftershock_collector.otlp.wire import Attributes, LogEvent, Span

# Content that coding agents send in log events without being asked to: what people wrote, what
# models and tools answered. Arguments stay, without secrets: they say what was done.
SENT_UNASKED = frozenset({"prompt", "prompt_text", "response", "response_text", "output"})
REMOVED = "[content is not kept]"

# The same in spans of coding agents: whole conversations at each inference, and the makers' own
# instructions and descriptions of tools.
CODING_AGENTS = frozenset({"opencode", "github-copilot", "copilot-chat", "qwen-code"})
SENT_IN_SPANS = frozenset(
    {names.INPUT_MESSAGES, names.OUTPUT_MESSAGES, names.SYSTEM_INSTRUCTIONS, names.TOOL_RESULT,
     names.TOOL_DEFINITIONS, names.TOOL_DESCRIPTION, "ai.prompt", "ai.prompt.messages",
     "ai.prompt.tools", "ai.response.text", "ai.response.object", "ai.response.reasoning",
     "ai.response.toolCalls", "ai.toolCall.result"}
)  # fmt: skip

# What identifies something: two that hold secrets must not become one.
IDS = frozenset(
    {names.RUN_ID, names.CONVERSATION_ID, names.TOOL_CALL_ID, names.APPROVAL_ID, names.AGENT_ID,
     "ai.request.headers.x-parent-session-id"}
)  # fmt: skip
HEXADECIMAL = re.compile(r"[0-9a-f]{8,}")  # digests and hashes
NAMED_HASHES = frozenset({names.SUBJECTS, names.ARGUMENT_IDS})  # `argument=hash`
TEXTS_MAX = 16_384  # that are remembered as clean; 2 MB
TEXT_CHARS_MAX = 120  # of one of them: longer ones seldom come again
JOINED_CHARS_MAX = 8_192  # of texts that are looked at together; longer ones one by one
ORIGINS_MAX = 1_024  # resources and scopes whose redacted bytes are remembered, ...
ORIGIN_BYTES_MAX = 8_192  # ... of at most this size: 30 MB at worst; SDKs send 500 bytes


def redacted_span(span: Span, step: Step | None) -> Span:
    """A span without secrets, with the fingerprints of its step; the same one where it has none."""
    message = SpanMessage.FromString(span.body)
    resource, scope = safe_resource(span.resource_body), safe_scope(span.scope_body)
    is_clean = resource == span.resource_body and scope == span.scope_body
    imported = span.scope.startswith("aftershock")  # by somebody who chose what is kept
    unasked = span.resource.get(names.SERVICE_NAME) in CODING_AGENTS and not imported
    if unasked and not span.attributes.keys().isdisjoint(SENT_IN_SPANS):
        _remove(message)
        is_clean = False
    if is_clean and CLEAN.holds_all(_texts_of(span, message.trace_state)):
        return span
    before = message.SerializeToString(deterministic=True)
    message.name = safe(message.name)
    message.status.message = safe(message.status.message)
    if safe(message.trace_state) != message.trace_state:
        message.trace_state = ""
    clean(message.attributes)
    for part in (*message.events, *message.links):
        clean(part.attributes)
    for event in message.events:
        event.name = safe(event.name)
    if not message.status.message and not message.status.code:
        message.ClearField("status")
    if is_clean and before == message.SerializeToString(deterministic=True):
        return span
    made = fingerprints_of(step) if step is not None else {}
    if unasked and step is not None:
        made |= errors_of(step)
    known = {pair.key for pair in message.attributes}
    own = {key: value for key, value in made.items() if key not in known}
    message.attributes.extend(key_values(own))
    return decode_span(message.SerializeToString(), resource, scope)


def _remove(message: Any) -> None:
    kept = [pair for pair in message.attributes if pair.key not in SENT_IN_SPANS]
    del message.attributes[:]
    message.attributes.extend(kept)


def redacted_event(event: LogEvent, step: Step | None = None) -> LogEvent:
    """A log event without secrets; the same one where it has none."""
    resource, scope = safe_resource(event.resource_body), safe_scope(event.scope_body)
    message = LogRecordMessage.FromString(event.body)
    before = message.SerializeToString(deterministic=True)
    message.severity_text = safe(message.severity_text)
    message.event_name = safe(message.event_name)
    clean(message.attributes)
    for pair in message.attributes:
        if pair.key in SENT_UNASKED and pair.value.string_value:
            pair.value.string_value = REMOVED
    clean_value(message.body)
    is_clean = resource == event.resource_body and scope == event.scope_body
    if is_clean and before == message.SerializeToString(deterministic=True):
        return event
    made = fingerprints_of(step) | errors_of(step) if step is not None else {}
    known = {pair.key for pair in message.attributes}
    own = {key: value for key, value in made.items() if key not in known}
    message.attributes.extend(key_values(own))
    return decode_log(message.SerializeToString(), resource, scope)


def redacted_change(change: Change) -> Change:
    """A change as it is stored and shown."""
    return replace(
        change,
        id=safe(change.id),
        entity=safe(change.entity),
        name=safe(change.name),
        detail=safe(change.detail),
    )


# --- Messages ----------------------------------------------------------------------------------


def safe(text: str) -> str:
    """A text without secrets. Digests stay: their digits may look like somebody's number."""
    if HEXADECIMAL.fullmatch(text):
        return text
    whole = redact_text(text)
    if "/" not in whole:
        return whole
    return "/".join(
        map(redact_text, whole.split("/"))
    )  # an entity's kind hides where base64 begins


def clean(pairs: Any) -> None:
    """Redact the keys and the values of key-values."""
    for pair in pairs:
        if pair.key in IDS:
            text = pair.value.string_value
            if safe(text) != text:
                pair.value.string_value = f"redacted-{hash_subject(text)}"
        elif pair.key in NAMED_HASHES:
            one = pair.value.WhichOneof("value") == "string_value"
            for value in [pair.value] if one else pair.value.array_value.values:
                value.string_value = safe_named_hash(value.string_value)
        else:
            clean_value(pair.value, secret=is_secret_name(pair.key))
            pair.key = safe(pair.key)


def clean_value(value: Any, *, secret: bool = False) -> None:
    """Redact one value in place; `secret`: its name says that it is one."""
    match value.WhichOneof("value"):
        case "string_value":
            text = value.string_value
            value.string_value = SECRET if secret and text else safe(text)
        case "bytes_value":
            text = value.bytes_value.decode("utf-8", "replace")
            if secret or safe(text) != text:
                value.string_value = SECRET if secret else safe(text)
        case "array_value":
            for item in value.array_value.values:
                clean_value(item, secret=secret)
        case "kvlist_value":
            clean(value.kvlist_value.values)
        case _:
            pass


def safe_named_hash(text: str) -> str:
    """`argument=hash`, where the argument may be called `token`; anything else as a text."""
    found = NAMED_HASH.match(text)
    return safe(text) if found is None else f"{safe(found[1])}={found[2]}"


def safe_resource(body: bytes) -> bytes:
    """A resource's bytes without secrets, unchanged where it has none."""
    return (_known_resource if len(body) <= ORIGIN_BYTES_MAX else _redacted_resource)(body)


def safe_scope(body: bytes) -> bytes:
    """The same of a scope."""
    return (_known_scope if len(body) <= ORIGIN_BYTES_MAX else _redacted_scope)(body)


def _redacted_resource(body: bytes) -> bytes:
    message = Resource.FromString(body)
    return _if_changed(body, message, message.attributes)


def _redacted_scope(body: bytes) -> bytes:
    message = InstrumentationScope.FromString(body)
    return _if_changed(body, message, message.attributes)


_known_resource = lru_cache(maxsize=ORIGINS_MAX)(_redacted_resource)
_known_scope = lru_cache(maxsize=ORIGINS_MAX)(_redacted_scope)


def _if_changed(body: bytes, message: Any, pairs: Any) -> bytes:
    before = message.SerializeToString(deterministic=True)
    clean(pairs)
    if isinstance(message, InstrumentationScope):
        message.name, message.version = safe(message.name), safe(message.version)
    after = message.SerializeToString(deterministic=True)
    return body if after == before else after


# --- Whether it is worth to look closer --------------------------------------------------------


class CleanTexts:
    """Short texts that hold no secret, as most names, keys and descriptions come again."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def holds_all(self, texts: Iterable[str | None]) -> bool:
        """False where redaction would change one of these. None: a name that hides its value."""
        unknown: list[str] = []
        known = self._known
        for text in texts:
            if text is None:
                return False
            if text not in known:
                unknown.append(text)
        if not unknown:
            return True
        parts = [text for text in unknown if not HEXADECIMAL.fullmatch(text)]
        whole = "\n".join(parts)
        if len(whole) > JOINED_CHARS_MAX or "/" in whole:
            found = all(safe(text) == text for text in parts)
        else:
            found = redact_text(whole) == whole
        if found:
            if len(known) >= TEXTS_MAX:
                known.clear()
            known.update(text for text in parts if len(text) <= TEXT_CHARS_MAX)
        return found


CLEAN = CleanTexts()


def _texts_of(span: Span, trace_state: str) -> list[str | None]:
    """Every text of a span; None for a value that its name calls a secret."""
    found: list[str | None] = [span.name, span.status_message, trace_state]
    _add_texts(span.attributes, found)
    for event in span.events:
        found.append(event.name)
        _add_texts(event.attributes, found)
    for link in span.links:
        _add_texts(link.attributes, found)
    return found


def _add_texts(attributes: Attributes, found: list[str | None]) -> None:
    for key, value in attributes.items():
        found.append(key)
        if key in NAMED_HASHES:
            many = cast("list[Any]", value) if isinstance(value, list) else [value]
            found += map(_name_of_hash, many)
            continue
        if isinstance(value, str):
            found.append(None if value and is_secret_name(key) else value)
        elif not isinstance(value, int | float):
            _add_value(value, found)


def _name_of_hash(value: Any) -> str:
    """What of a named hash is a text: all of it where it is none."""
    text = str(value)
    found = NAMED_HASH.match(text)
    return text if found is None else str(found[1])


def _add_value(value: Any, found: list[str | None]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, bytes):
        found.append(value.decode("utf-8", "replace"))
    elif isinstance(value, Mapping):
        _add_texts(cast("Attributes", value), found)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            _add_value(item, found)


# --- Fingerprints ------------------------------------------------------------------------------


def errors_of(step: Step) -> dict[str, Any]:
    """How a step failed, which some agents tell in their output only."""
    kind = None if step.action is None else step.action.error_class
    found = {names.ERROR_TYPE: step.error, names.ERROR_CLASS: kind}
    return {key: value for key, value in found.items() if value is not None}


def fingerprints_of(step: Step) -> dict[str, Any]:
    """The fingerprints of a step, as the attributes that it can be read from again."""
    found: dict[str, Any] = {}
    if step.shown is not None:
        found[names.INFERENCE_SHOWN] = encode_hashes(step.shown)
    if step.output is not None:
        found |= output_attributes(step.output)
    if step.instruction is not None:
        found |= instruction_attributes(step.instruction)
    if step.action is None:
        return found | (
            {} if step.words is None else {names.INFERENCE_WORDS: encode_hashes(step.words)}
        )
    return found | fingerprints_of_call(step.action)


def fingerprints_of_call(action: Action) -> dict[str, Any]:
    """The same of a tool call."""
    if action.arguments.digest.startswith(UNSEEN):
        return {}
    found: dict[str, Any] = {
        names.ARGUMENTS_DIGEST: action.arguments.digest,
        names.ARGUMENTS_SKETCH: encode_hashes(action.arguments.sketch),
        names.ARGUMENTS_SIZE: action.arguments.size,
        names.ARGUMENTS_STEM: action.arguments.stem,
        names.SUBJECTS: sorted(action.subjects),
        names.ARGUMENT_IDS: sorted(action.ids),
    }
    if action.result is not None:
        found[names.RESULT_DIGEST] = action.result.digest
        found[names.RESULT_SKETCH] = encode_hashes(action.result.sketch)
        found[names.RESULT_SIZE] = action.result.size
    if action.words is not None:
        found[names.RESULT_WORDS] = encode_hashes(action.words)
    if action.state is not None:
        found[names.RESULT_STATE] = str(action.state)
    if action.outcome is not None:
        found[names.RESULT_OUTCOME] = str(action.outcome)
    if action.state is not None:
        found[names.RESULT_STATE] = str(action.state)
    if action.error_class is not None:
        found[names.ERROR_CLASS] = safe(action.error_class)
    return {key: value for key, value in found.items() if value not in (None, [])}
