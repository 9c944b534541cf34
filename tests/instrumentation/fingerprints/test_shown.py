"""What an inference was shown: from message objects, from their JSON, bounded, hashed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from aftershock.fingerprints.keyed import hash_public, hash_word
from aftershock.fingerprints.shown import PARTS_MAX, Part, Shown, parts_in, parts_of_text, shown_in
from aftershock.limits import Limits

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "parts": [{"type": "text", "content": "I am mia_li_3668"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "What of madeup_123x?"},
            {"type": "tool_call", "id": "call-1", "name": "get", "arguments": {"id": "arg_77x"}},
        ],
    },
    {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "call-1", "response": {"flight": "HAT170"}}],
    },
]


@dataclass
class Thing:
    """A message or a part as the instrumentations hold it."""

    role: str = ""
    parts: tuple[Any, ...] = ()
    type: str = ""
    content: str | None = None
    id: str | None = None
    response: Any = None


def hashes(*words: str) -> set[int]:
    return {hash_word(word) for word in words}


def test_results_are_told_by_call_id_and_words_by_who_said_them() -> None:
    shown = shown_in(parts_in(MESSAGES))

    assert shown.results == {hash_public("call-1")}
    assert shown.words == hashes("mia_li_3668", "hat170")


def test_objects_and_their_json_read_the_same() -> None:
    things = [
        Thing(
            m["role"],
            tuple(
                Thing(**{k: v for k, v in p.items() if k not in ("name", "arguments")})
                for p in m["parts"]
            ),
        )
        for m in MESSAGES
    ]

    assert shown_in(parts_in(things)) == shown_in(parts_in(MESSAGES))
    assert parts_of_text(json.dumps(MESSAGES)) == parts_in(MESSAGES)


def test_the_words_of_older_results_are_left_to_the_inference_that_they_were_new_to() -> None:
    answered: dict[str, Any] = {"role": "assistant", "parts": [{"type": "text", "content": "so"}]}
    shown = shown_in(parts_in([*MESSAGES, answered]))

    assert shown.results == {hash_public("call-1")}
    assert shown.words == hashes("mia_li_3668")


@pytest.mark.parametrize("kind", ["blob", "uri", "file", "something new"])
def test_what_no_text_tells_makes_the_words_unknown(kind: str) -> None:
    picture = {"role": "user", "parts": [{"type": kind, "uri": "https://x"}]}
    shown = shown_in(parts_in([*MESSAGES, picture]))

    assert shown == Shown(frozenset({hash_public("call-1")}), None)


def test_results_without_a_call_id_are_told_by_their_digest() -> None:
    one, other = (
        shown_in([Part("tool", text, is_result=True)]).results for text in ("a result", "another")
    )

    assert one is not None
    assert other is not None
    assert len(one | other) == 2


def test_a_history_is_bounded() -> None:
    many = [Part("tool", "x", True, f"call-{n}") for n in range(1_000)]
    shown = shown_in(many)

    assert len(shown.results or ()) == 256
    assert hash_public("call-999") in (shown.results or ())
    assert shown_in([Part("user", "x")] * (PARTS_MAX + 1)) == Shown()
    assert len(shown_in(many, replace(Limits(), shown_max=3)).results or ()) == 3


@pytest.mark.parametrize("text", ['[{"role": "user", "par', "no json", None, 7, '{"a": 1}'])
def test_what_is_cut_or_no_list_of_messages_is_not_known(text: Any) -> None:
    assert parts_of_text(text) is None


@pytest.mark.parametrize("messages", [[None], [{}], [{"role": 3, "parts": 4}], [[1]], ["x"]])
def test_odd_messages_raise_nothing(messages: list[Any]) -> None:
    shown_in(parts_in(messages))


def test_an_empty_history_tells_nothing() -> None:
    assert shown_in([]) == Shown()
