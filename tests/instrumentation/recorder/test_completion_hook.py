"""The completion hook: what an inference was shown leaves as hashes, with content capture off."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util.genai.types import (
    InputMessage,
    OutputMessage,
    TextPart,
    ToolCallRequestPart,
    ToolCallResponsePart,
)

from aftershock import attributes as names
from aftershock.fingerprints.keyed import hash_public, hash_word
from aftershock.recorder.completion_hook import Completion
from aftershock.recorder.pending_spans import PENDING
from aftershock.wire import decode_hashes


def completed(inputs: list[Any], **how: Any) -> dict[str, Any]:
    """The attributes of an inference whose answer calls one tool."""
    span = TracerProvider().get_tracer("test").start_span("chat x")
    span.set_attribute(names.OPERATION, how.pop("operation", "chat"))
    asked = ToolCallRequestPart(arguments={"name": "a"}, name="scale", id="call-2")
    answer = OutputMessage(role="assistant", parts=[asked], finish_reason="tool_calls")
    Completion().on_completion(inputs=inputs, outputs=[answer], span=span, **how)
    pending = PENDING.pop(span.get_span_context().span_id)  # where another test set our exporter up
    deferred = {} if pending is None else pending.known
    return {**(getattr(span, "attributes", None) or {}), **deferred}


HISTORY = [
    InputMessage("user", [TextPart("delete vol-7f31, my secret is swordfish")]),
    InputMessage("assistant", [ToolCallRequestPart({"id": "vol-7f31"}, "get_volume", "call-1")]),
    InputMessage("tool", [ToolCallResponsePart("in use by pod-12ab", "call-1")]),
]


def test_results_and_ids_in_its_messages_leave_as_hashes() -> None:
    attributes = completed(HISTORY, system_instruction=[TextPart("You work for ORG-77a.")])

    assert {hash_public("call-1")} == decode_hashes(attributes[names.INFERENCE_SHOWN])
    assert {hash_word(word) for word in ("vol-7f31", "pod-12ab", "org-77a")} == decode_hashes(
        attributes[names.INFERENCE_WORDS]
    )
    assert attributes[names.INFERENCE_TOOLS][0].startswith("scale\t")


def test_no_text_of_a_message_leaves() -> None:
    everything = str(completed(HISTORY))

    for word in ("swordfish", "vol-7f31", "pod-12ab"):
        assert word not in everything


def test_a_first_question_shows_no_results_and_that_is_known() -> None:
    assert completed(HISTORY[:1])[names.INFERENCE_SHOWN] == ""


def test_an_inference_whose_messages_nobody_gave_tells_nothing_of_them() -> None:
    attributes = completed([])

    assert names.INFERENCE_SHOWN not in attributes
    assert names.INFERENCE_WORDS not in attributes


def test_other_operations_are_left_alone() -> None:
    assert names.INFERENCE_SHOWN not in completed(HISTORY, operation="invoke_agent")


def test_what_the_model_answered_leaves_as_hashes_and_as_what_it_says_of_its_work() -> None:
    span = TracerProvider().get_tracer("test").start_span("chat x")
    span.set_attribute(names.OPERATION, "chat")
    answer = OutputMessage("assistant", [TextPart("The volume vol-7f31 is deleted.")], "stop")
    Completion().on_completion(inputs=[], outputs=[answer], span=span)
    pending = PENDING.pop(span.get_span_context().span_id)
    deferred = {} if pending is None else pending.known
    attributes: dict[str, Any] = {**(getattr(span, "attributes", None) or {}), **deferred}

    assert attributes[names.OUTPUT_STATE] == "done"
    assert attributes[names.OUTPUT_SIZE] == len("The volume vol-7f31 is deleted.")
    assert len(decode_hashes(attributes[names.OUTPUT_SKETCH]) or ()) == 3  # volume vol deleted
    assert "deleted" not in str(attributes)
