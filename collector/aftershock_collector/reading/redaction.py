"""Redaction on arrival: what other senders' spans and events hold is stored without secrets.

Our own recorder redacts before it sends. Other SDKs send content as it is, some by default. Steps
are read before redaction, and their fingerprints are stored beside the redacted content, so that
two calls that differ only in a secret stay two after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogRecordMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from aftershock.attributes import (
    ARGUMENT_IDS,
    ARGUMENTS_DIGEST,
    ARGUMENTS_SIZE,
    ARGUMENTS_SKETCH,
    ERROR_CLASS,
    ERROR_TYPE,
    INFERENCE_SHOWN,
    INFERENCE_WORDS,
    RESULT_DIGEST,
    RESULT_OUTCOME,
    RESULT_SIZE,
    RESULT_SKETCH,
    RESULT_WORDS,
    SUBJECTS,
)
from aftershock.fingerprints.fingerprint import UNSEEN
from aftershock.model import Action, Change, Step
from aftershock.redaction.content import may_hold_secrets
from aftershock.redaction.redact import redact_named, redact_text
from aftershock.wire import encode_hashes
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.values import key_values
from aftershock_collector.otlp.wire import Attributes, LogEvent, Span

# Content that coding agents send in log events without being asked to: what people wrote, what
# models and tools answered. Arguments stay, without secrets: they say what was done.
SENT_UNASKED = frozenset({"prompt", "prompt_text", "response", "response_text", "output"})
REMOVED = "[content is not kept]"

DISTRO, OURS = "telemetry.distro.name", "aftershock"  # a sender that has redacted already

holds_secrets = lru_cache(maxsize=4_096)(may_hold_secrets)


def redacted_span(span: Span, step: Step | None) -> Span:
    """A span as it is stored, with the fingerprints of its step where content was redacted."""
    if span.resource.get(DISTRO) == OURS:
        return span
    changed = redacted(span.attributes)
    status = redact_text(span.status_message)
    events = [redacted(event.attributes) for event in span.events]
    if not changed and status == span.status_message and not any(events):
        return span
    message = SpanMessage.FromString(span.body)
    made = fingerprints_of(step) if step is not None and changed else {}
    own = {key: value for key, value in made.items() if key not in span.attributes}
    set_values(message.attributes, {**changed, **own})
    message.status.message = status
    for event, values in zip(message.events, events, strict=False):
        set_values(event.attributes, values)
    return decode_span(message.SerializeToString(), span.resource_body, span.scope_body)


def redacted_event(event: LogEvent, step: Step) -> LogEvent:
    """A log event as it is stored, with the fingerprints of its step where content was redacted."""
    if event.resource.get(DISTRO) == OURS:
        return event
    sent = {key for key in SENT_UNASKED if event.attributes.get(key)}
    changed = redacted(event.attributes) | dict.fromkeys(sent, REMOVED)
    if changed:
        made = fingerprints_of(step) | errors_of(step)
        changed |= {key: value for key, value in made.items() if key not in event.attributes}
    text = redact_named("", event.text) if event.text is not None else None
    if not changed and text == event.text:
        return event
    message = LogRecordMessage.FromString(event.body)
    set_values(message.attributes, changed)
    if text != event.text:
        message.body.CopyFrom(key_values({"body": text})[0].value)
    return decode_log(message.SerializeToString(), event.resource_body, event.scope_body)


def redacted_change(change: Change) -> Change:
    """A change as it is stored and shown."""
    return replace(change, name=redact_text(change.name), detail=redact_text(change.detail))


def redacted(attributes: Attributes) -> dict[str, Any]:
    """Those values of attributes that redaction changes, redacted."""
    found: dict[str, Any] = {}
    for key, value in attributes.items():
        if holds_secrets(key) and (safe := redact_named(key, value)) != value:
            found[key] = safe
    return found


def set_values(fields: Any, values: Mapping[str, Any]) -> None:
    """Replace the values of some key-values of a message, and add those that it lacks."""
    if not values:
        return
    kept = [field for field in fields if field.key not in values]
    del fields[:]
    fields.extend([*kept, *key_values(values)])


def errors_of(step: Step) -> dict[str, Any]:
    """How a step failed, which some agents tell in their output only."""
    kind = None if step.action is None else step.action.error_class
    found = {ERROR_TYPE: step.error, ERROR_CLASS: kind}
    return {key: value for key, value in found.items() if value is not None}


def fingerprints_of(step: Step) -> dict[str, Any]:
    """The fingerprints of a step, as the attributes that it can be read from again."""
    found: dict[str, Any] = {}
    if step.shown is not None:
        found[INFERENCE_SHOWN] = encode_hashes(step.shown)
    if step.action is None:
        return found | ({} if step.words is None else {INFERENCE_WORDS: encode_hashes(step.words)})
    return found | fingerprints_of_call(step.action)


def fingerprints_of_call(action: Action) -> dict[str, Any]:
    """The same of a tool call."""
    if action.arguments.digest.startswith(UNSEEN):
        return {}
    found: dict[str, Any] = {
        ARGUMENTS_DIGEST: action.arguments.digest,
        ARGUMENTS_SKETCH: encode_hashes(action.arguments.sketch),
        ARGUMENTS_SIZE: action.arguments.size,
        SUBJECTS: sorted(action.subjects),
        ARGUMENT_IDS: sorted(action.ids),
    }
    if action.result is not None:
        found[RESULT_DIGEST] = action.result.digest
        found[RESULT_SKETCH] = encode_hashes(action.result.sketch)
        found[RESULT_SIZE] = action.result.size
    if action.words is not None:
        found[RESULT_WORDS] = encode_hashes(action.words)
    if action.outcome is not None:
        found[RESULT_OUTCOME] = str(action.outcome)
    return {key: value for key, value in found.items() if value not in (None, [])}
