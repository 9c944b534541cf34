"""The completion hook: what a model's answer chose to do, seen with content capture off."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import set_span_in_context

from aftershock.attributes import (
    INFERENCE_SHOWN,
    INFERENCE_TOOLS,
    INFERENCE_WORDS,
    OPERATION,
    REASONING_SIZE,
)
from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.fingerprints.outputs import output_attributes, output_of
from aftershock.fingerprints.shown import Part, part_of, parts_in, shown_in
from aftershock.recorder import implicit_run
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarding import learn_messages
from aftershock.recorder.invocation_metrics import INFERENCES
from aftershock.recorder.pending_spans import PENDING
from aftershock.recorder.requested_calls import REQUESTED
from aftershock.wire import RequestedCall, encode_hashes, encode_requested_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PEOPLE = frozenset({"system", "developer", "user", "human"})
TOOLS_MAX = 64  # of one answer
HELD_CHARS_MAX = 400_000  # of a history that may wait to be hashed; a full window of most models


class Completion:
    """Called by the official instrumentations before an inference's span ends."""

    def on_completion(
        self,
        *,
        outputs: Iterable[Any],
        inputs: Iterable[Any] = (),
        system_instruction: Iterable[Any] = (),
        span: Any = None,
        **_others: Any,
    ) -> None:
        """Record what the model was shown, as hashes, and which calls it asks for."""
        try:
            own: Mapping[str, Any] = getattr(span, "attributes", None) or {}
            if own.get(OPERATION) not in INFERENCES:
                return
            inputs, outputs = list(inputs), list(outputs)
            parts = list(islice(tool_calls_in(outputs), TOOLS_MAX))
            chosen = [encode_requested_call(requested(part)) for part in parts]
            if is_recorded(span):
                REQUESTED.answered(span, inputs)
                REQUESTED.add(span, parts)
            if chosen and span.is_recording():
                span.set_attribute(INFERENCE_TOOLS, chosen)
            if span.is_recording() and (size := reasoning_in(outputs)):
                span.set_attribute(REASONING_SIZE, size)
            defer_shown(span, inputs, system_instruction)
            defer_output(span, list(texts_in(outputs)), calls=bool(chosen))
            learn_messages(set_span_in_context(span), people_in(inputs, system_instruction))
            implicit_run.remember(getattr(part, "id", None) for part in parts)
            implicit_run.answered(requests_tools=bool(chosen))
        except Exception:  # noqa: BLE001 (ours)
            record_failure("reading a completion")


def is_recorded(span: Any) -> bool:
    """True for the span that stands for its inference, and not for a second one of it."""
    if not span.is_recording():
        return False
    pending = PENDING.get(span.get_span_context().span_id)
    return pending is None or not pending.left_out


def defer_shown(span: Any, inputs: Iterable[Any], instructions: Iterable[Any]) -> None:
    """Record which results and which ids stood in the messages of an inference."""
    parts = [*(part_of("system", part) for part in instructions), *parts_in(inputs)]
    if not parts or not span.is_recording():
        return
    if sum(len(part.text or "") for part in parts) > HELD_CHARS_MAX:
        known = described(parts)  # rather than holding on to the texts
        PENDING.defer(span, lambda: known)
    else:
        PENDING.defer(span, lambda: described(parts))


def defer_output(span: Any, texts: list[str], *, calls: bool) -> None:
    """Record what the model answered, as hashes."""
    if not span.is_recording() or not (texts or calls):
        return
    text = "\n".join(texts)
    if len(text) > HELD_CHARS_MAX:
        known = describe_output(text, calls=calls)  # rather than holding on to the text
        PENDING.defer(span, lambda: known)
    else:
        PENDING.defer(span, lambda: describe_output(text, calls=calls))


def people_in(inputs: Iterable[Any], instructions: Iterable[Any]) -> Iterator[str]:
    """The texts of people in a history: the author's instructions, the user's messages."""
    for part in chain((part_of("system", one) for one in instructions), parts_in(inputs)):
        if part.text and not part.is_result and part.role in PEOPLE:
            yield part.text


def described(parts: list[Part]) -> dict[str, Any]:
    """What an inference was shown, as span attributes."""
    shown = shown_in(parts)
    hashes = {INFERENCE_SHOWN: shown.results, INFERENCE_WORDS: shown.words}
    return {key: encode_hashes(value) for key, value in hashes.items() if value is not None}


def describe_output(text: str, *, calls: bool) -> dict[str, Any]:
    """What an inference answered, as span attributes."""
    return output_attributes(output_of(text, calls=calls))


def texts_in(outputs: Iterable[Any]) -> Iterator[str]:
    """The texts in an answer's messages."""
    for message in outputs:
        for part in getattr(message, "parts", ()):
            text = getattr(part, "content", None)
            if getattr(part, "type", None) == "text" and isinstance(text, str):
                yield text


def reasoning_in(outputs: Iterable[Any]) -> int:
    """Characters of reasoning in an answer's messages."""
    parts = (part for message in outputs for part in getattr(message, "parts", ()))
    reasoned = [part for part in parts if getattr(part, "type", None) == "reasoning"]
    return sum(len(str(getattr(part, "content", None) or "")) for part in reasoned)


def requested(part: Any) -> RequestedCall:
    """A call in an answer, its arguments as a fingerprint."""
    digest = fingerprint_arguments(part.arguments).digest
    return RequestedCall(str(part.name), digest, getattr(part, "id", None))


def tool_calls_in(outputs: Iterable[Any]) -> Iterator[Any]:
    """The tool calls in an answer's messages."""
    for message in outputs:
        for part in getattr(message, "parts", ()):
            if getattr(part, "type", None) == "tool_call":
                yield part
