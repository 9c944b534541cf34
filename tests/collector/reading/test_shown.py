"""What inferences were shown: results, ids and words, as hashes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.fingerprints.keyed import hash_public, hash_word
from aftershock.fingerprints.swapped import MARK
from aftershock.model import Step, StepKind
from aftershock.policy.policy import EMPTY
from aftershock.wire import encode_hashes
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.reading.dialects.neutral import traces_of
from aftershock_collector.reading.read import read
from tests.collector.reading.items import span

HISTORY = [
    {"role": "user", "parts": [{"type": "text", "content": "I am mia_li_3668"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "call-1", "name": "get"}]},
    {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call-1", "response": "HAT1x"}],
    },
]
CHAT = {names.OPERATION: "chat", names.REQUEST_MODEL: "gpt-4o"}


def inferred(attributes: dict[str, Any]) -> Step:
    step = read(span(attributes), EMPTY)
    assert step is not None
    assert step.kind is StepKind.INFERENCE
    return step


def test_messages_on_an_inference_become_hashes_of_results_and_ids() -> None:
    instructions = [{"type": "text", "content": "Ask for ORG-77a first."}]
    step = inferred(
        {
            **CHAT,
            names.INPUT_MESSAGES: json.dumps(HISTORY),
            names.SYSTEM_INSTRUCTIONS: json.dumps(instructions),
        }
    )

    assert step.shown == {hash_public("call-1")}
    assert step.words == {hash_word(word) for word in ("mia_li_3668", "hat1x", "org-77a")}


def test_hashes_made_in_the_agents_process_win_over_messages() -> None:
    reported = {
        names.INFERENCE_SHOWN: encode_hashes([1, 2]),
        names.INFERENCE_WORDS: encode_hashes([3]),
        names.INPUT_MESSAGES: "[]",
    }
    step = inferred({**CHAT, **reported})

    assert (step.shown, step.words) == ({1, 2}, {3})


@pytest.mark.parametrize("messages", ['[{"role": "us', "", 7, "{}"])
def test_messages_that_cannot_be_read_are_not_known(messages: Any) -> None:
    step = inferred({**CHAT, names.INPUT_MESSAGES: messages})

    assert (step.shown, step.words) == (None, None)


def test_openinference_messages_are_read_field_by_field() -> None:
    step = inferred(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.cost.total": 0.25,
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "I am mia_li_3668",
            "llm.input_messages.1.message.role": "assistant",
            "llm.input_messages.1.message.tool_calls.0.tool_call.id": "call-1",
            "llm.input_messages.2.message.role": "tool",
            "llm.input_messages.2.message.tool_call_id": "call-1",
            "llm.input_messages.2.message.content": "HAT1x",
        }
    )

    assert step.shown == {hash_public("call-1")}
    assert step.words == {hash_word("mia_li_3668"), hash_word("hat1x")}
    assert step.cost_usd == 0.25


def test_an_image_among_openinference_messages_leaves_the_words_unknown() -> None:
    picture = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    step = inferred(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            picture: "x",
        }
    )

    assert step.words is None


def test_cost_and_compaction_are_read_from_an_inference() -> None:
    step = inferred({**CHAT, "gen_ai.usage.cost": 0.5, names.CONVERSATION_COMPACTED: True})

    assert (step.cost_usd, step.compacted) == (0.5, True)
    assert inferred({**CHAT, "gen_ai.usage.cost": float("nan")}).cost_usd is None


def test_ids_of_arguments_and_words_of_results_are_told_or_worked_out() -> None:
    call = {names.OPERATION: "execute_tool", names.TOOL_NAME: "delete_volume"}
    content = {names.TOOL_ARGUMENTS: '{"id": "vol-7f31"}', names.TOOL_RESULT: "deleted vol-7f31"}
    reported = {
        names.ARGUMENTS_DIGEST: "a" * 16,
        names.ARGUMENT_IDS: [f"id={hash_word('vol-7f31'):08x}", "broken"],
        names.RESULT_WORDS: encode_hashes([hash_word("vol-7f31")]),
        names.ACTION_EXPLAIN: True,
    }
    seen = read(span({**call, **content}), EMPTY)
    hashed = read(span({**call, **reported}), EMPTY)

    assert seen is not None
    assert hashed is not None
    assert seen.action is not None
    assert hashed.action is not None
    own = {one for one in seen.action.ids if not one.startswith(MARK)}
    assert own == hashed.action.ids == {f"id={hash_word('vol-7f31'):08x}"}
    assert f"{MARK}id={hash_word('vol-7f13'):08x}" in seen.action.ids
    assert seen.action.words == hashed.action.words == {hash_word("vol-7f31")}
    assert (seen.action.explain, hashed.action.explain) == (None, True)


def test_an_address_that_a_person_named_is_known_after_redaction_removed_it() -> None:
    record = {
        "id": "mail",
        "steps": [
            {"kind": "message", "name": "user", "result": "Write to mark.black-2134@example.com."},
            {"kind": "tool", "name": "send_email", "args": {"to": "mark.black-2134@example.com"}},
        ],
    }
    body = traces_of(record).body
    steps = decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), arrived_ns=0).steps
    message, call = steps

    assert message.words == frozenset({hash_word("mark.black-2134@example.com")})
    assert call.action is not None
    assert call.action.ids
    assert "mark" not in repr(message)
