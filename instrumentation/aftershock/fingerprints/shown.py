"""Hashes of the tool results and ids in the messages of an inference."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from aftershock.fingerprints.fingerprint import fingerprint_result, text_of
from aftershock.fingerprints.keyed import hash_public, key_id, smallest
from aftershock.fingerprints.words import words_in
from aftershock.limits import DEFAULTS, Limits
from aftershock.names import shortened

PARTS_MAX = 4_096  # of one history; longer ones are not read
RESULTS = frozenset({"tool_call_response", "server_tool_call_response"})
TEXTS = frozenset({"text", "reasoning", "compaction"})
ASSISTANTS = frozenset({"assistant", "model", "ai"})


class Part(NamedTuple):
    """One part of one message. `text` is None for parts without text, such as images."""

    role: str
    text: str | None
    is_result: bool = False
    call_id: str | None = None


class Shown(NamedTuple):
    """Hashes of the contents of an inference's messages. None: not known."""

    results: frozenset[int] | None = None
    words: frozenset[int] | None = None


def shown_in(parts: Sequence[Part], limits: Limits = DEFAULTS) -> Shown:
    """What a history of messages, oldest part first, shows to the model.

    `results` covers all tool results in it. `words` covers messages of people and programs, and
    the results since the model's last message; an earlier inference recorded the older ones.
    """
    if not parts or len(parts) > PARTS_MAX:
        return Shown()
    results: dict[int, None] = {}
    words: set[int] = set()
    known = fresh = True
    for part in reversed(parts):
        if part.role in ASSISTANTS:
            fresh = False
            continue
        if part.is_result:
            key = part.call_id or fingerprint_result(part.text).digest
            if len(results) < limits.shown_max:
                results[hash_public(key)] = None
            if not fresh:
                continue
        found = None if part.text is None else words_in_part(part.text, limits)
        known = known and found is not None
        words |= found or frozenset()
    return Shown(frozenset(results), smallest(words, limits.words_max) if known else None)


def words_in_part(text: str, limits: Limits) -> frozenset[int] | None:
    """The words of one text of a history; None where it is too long to be read completely."""
    return words_of(text, key_id()) if len(text) <= limits.value_chars_max else None


@lru_cache(maxsize=256)  # system prompts and first questions come again with each inference
def words_of(text: str, _key_id: str) -> frozenset[int] | None:
    """The words of one text of a history, hashed with the key that the process uses."""
    return words_in(text)


def parts_in(messages: Iterable[Any]) -> list[Part]:
    """The parts of messages as OpenTelemetry writes them: objects, or their JSON."""
    found: list[Part] = []
    for message in messages:
        role = field_of(message, "role")
        name = str(getattr(role, "value", role) or "")
        if name in ASSISTANTS:  # the model's own messages are no evidence
            found.append(Part(name, ""))
            continue
        parts = field_of(message, "parts")
        if not isinstance(parts, list | tuple):
            parts = [{"type": "text", "content": field_of(message, "content")}]
        for part in cast("Sequence[Any]", parts):
            if len(found) > PARTS_MAX:
                return found
            found.append(part_of(name, part))
    return found


def part_of(role: str, part: Any) -> Part:
    """One part, with its text where it has one."""
    kind = field_of(part, "type")
    if kind in RESULTS:
        call_id = field_of(part, "id")
        answer = field_of(part, "response" if kind == "tool_call_response" else kind)
        known_id = shortened(call_id) if isinstance(call_id, str) else None  # as its call has it
        return Part(role, text_of(answer), True, known_id)
    content = field_of(part, "content")
    if kind in TEXTS and (content is None or isinstance(content, str)):
        return Part(role, content or "")
    return Part(role, None)


def field_of(thing: Any, key: str) -> Any:
    """A field of an object or of its JSON."""
    if isinstance(thing, dict):
        return cast("dict[str, Any]", thing).get(key)
    return getattr(thing, key, None)


def parts_of_text(text: Any) -> list[Part] | None:
    """The parts of messages in a JSON text; None if it is truncated or not a list."""
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return parts_in(cast("list[Any]", text)) if isinstance(text, list) else None
